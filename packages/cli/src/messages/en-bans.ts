/** What the `bans` command says, in English; see en.ts. */
export const helpOfBans = {
  summary: 'say whom the node does not speak to, and why; ban or forgive somebody',
  notes:
    'Peers that send wrong pieces or break the rules are banned by themselves, for a day and for all torrents. A ban by hand lasts until it is removed. Whole lists belong in --address-filter.',
  list: 'all bans, with their reasons and ends',
  add: 'speak no more to this address',
  remove: 'forgive this address',
  address: 'an IP address, as `bans` shows it; of IPv6 the whole network of 64 bits is meant',
  reason: 'a text that tells you later why',
  examples: [
    ['bans', 'who is banned, until when and why'],
    ['bans add 192.0.2.7 --reason "sends nonsense"', 'until it is removed'],
    ['bans remove 192.0.2.7', 'forgiven'],
  ] as readonly (readonly [string, string])[],
};

export const bansTexts = {
  none: 'Nobody is banned.',
  always: 'until removed',
  until: (time: string) => `until ${time}`,
  byUser: 'Banned by hand.',
  added: (address: string) => `Banned: ${address}`,
  removed: (address: string) => `Forgiven: ${address}`,
  missing: (address: string) => `“${address}” is not banned.`,
};

export type HelpOfBans = typeof helpOfBans;
export type BansMessages = typeof bansTexts;
