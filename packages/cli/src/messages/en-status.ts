/** What the `status` command says, in English; see en.ts. */
export const helpOfStatus = {
  summary: 'say whether others reach this computer, how that is known, and what to do',
  duration: 'how long to look around before saying it (default: 10)',
  notes:
    'Where a node runs with the same data, it is asked. Else this starts one with the options that `get` and `seed` have, looks around with it and ends it. Only others can show that they reach it: a node that runs for longer, as `seed` does, knows more, and says it at its end with --json.',
  examples: [
    ['status', 'the usual port, over IPv4 and IPv6'],
    ['status --port 6881 --for 60', 'another port, and a longer look'],
    ['status --json | jq .advice', 'what to do, for a script'],
  ] as readonly (readonly [string, string])[],
};

export const statusTexts = {
  looking: (seconds: number) => `looking around for ${seconds} seconds …`,
  port: 'Port',
  noPort: 'none: nobody is let in',
  dht: 'DHT',
  dhtOff: 'not taken part in',
  dhtNodes: (count: number) => (count === 1 ? '1 node known' : `${count} nodes known`),
  todo: 'To do',
  states: {
    unknown: 'not known yet',
    open: 'yes',
    mapped: 'yes, by the router',
    punchable: 'only when a third one introduces them',
    closed: 'no',
  },
  at: (state: string, endpoint: string) => `${state}, at ${endpoint}`,
  because: (state: string, reason: string) => `${state}: ${reason}`,
  basis: {
    incoming: 'others have come in',
    mapping: 'the router says that it lets them in; nobody has come yet',
    'same-port': 'they all see the same port of ours',
    'different-ports': 'the router gives another port for everyone (symmetric NAT)',
    'no-address': 'this computer has no address of this kind that the Internet knows',
    'not-listening': 'this node lets nobody in',
    'nobody-came': 'nobody came in ten minutes, though our own connections opened',
    nothing: 'not enough has happened',
  },
  advice: {
    wait: 'nothing for now. Others must come in before more can be said; `seed` knows after ten minutes.',
    'name-port':
      'to let others in, name a port with --port, and tcp or both with --transport. Behind a proxy they would learn this computer’s own address.',
    'forward-port':
      'forward the port in the router’s settings, or switch on UPnP, NAT-PMP or PCP there. `nat status` says what it speaks.',
    'open-firewall': 'let the port through the firewall of this computer, and of the router.',
    'ask-provider':
      'the provider gives several customers one address: ask for one of your own, or use IPv6. Whoever can be reached is still reached from here.',
  },
};

export type HelpOfStatus = typeof helpOfStatus;
export type StatusMessages = typeof statusTexts;
