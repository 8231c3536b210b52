/** What the `dht` commands say, in English; see en.ts. */
export const helpOfDht = {
  summary: 'look into the DHT, by which peers find each other without trackers',
  ping: 'ask one node whether it is there',
  lookup: 'find the peers of a torrent, and say how many there are',
  get: 'read what somebody has put into the DHT',
  put: 'put a short text, or something bencoded, into the DHT',
  sample: 'list info-hashes that nodes keep',
  serve: 'be a node of the DHT, until interrupted: the first one of a network of your own',
  serveLimit: 'most bytes a second to answer with (default: 8 kB)',
  node: 'the node, as HOST:PORT',
  infoHash: 'info-hash of a torrent: 40 or 64 hex digits',
  target: 'where it is stored (40 hex digits), or whose it is (a public key of 64)',
  sampleTarget: 'nodes near this id (40 hex digits) are asked (default: one by chance)',
  value: 'the text',
  timeout: 'give up when no node could be reached for this long (default: 20)',
  salt: 'a text that tells items of one key apart',
  key: 'file with the secret key (64 hex digits); one is made if it does not exist',
  sequence: 'number of this version (default: one more than the stored one)',
  cas: 'replace only the version with this number',
  bencoded: 'the value is bencode already, not a text',
  keyName: 'with --mutable: which of your keys (default: one named like the torrent, made if there is none)',
  mutableSalt: 'with --mutable: a text that tells torrents of one key apart',
  followEvery: 'how often to look whether a link that changes leads elsewhere, in seconds (default: 60)',
  mutable: 'sign it with a key of its own, so that one link leads to whatever is published with it',
  publish:
    'publish it under its key (see `create --mutable`), so that whoever follows its link takes it over',
  notes:
    'The node that is running is asked, if there is one; else, or where you name nodes, a port or an address yourself, one is started that asks, does not answer, and ends. What is put is kept by others for two hours.',
  examples: [
    ['dht lookup 08ada5a7a6183aae1e09d831df6748d566095a10', 'who has this torrent'],
    ['dht put "hello, world" --key news.key', 'signed, so that only you can replace it'],
    ['dht get 77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548', 'what this key has put'],
    ['dht serve --port 6881', 'others name it with --dht-bootstrap'],
    ['dht ping router.bittorrent.com:6881', 'is the way to the Internet open?'],
  ] as readonly (readonly [string, string])[],
};

export const dhtTexts = {
  missingAction: 'Say what to do in the DHT: ping, lookup, get, put, sample or serve.',
  serving: (port: number) => `A node of the DHT at UDP port ${port}. Ctrl-C stops it.`,
  served: (nodes: number, queries: number) => `${nodes} nodes known, ${queries} queries answered.`,
  badHex: (text: string, digits: string) => `“${text}” is no ${digits} hex digits.`,
  badNumber: (text: string) => `“${text}” is no number from 0 to 9223372036854775807.`,
  badKey: (path: string) => `${path} holds no secret key: it must be 64 hex digits.`,
  unreachable: (seconds: number) =>
    `No node of the DHT answered within ${seconds} seconds. Check the network and any firewall, or name a node with --dht-bootstrap HOST:PORT.`,
  noAnswer: (node: string) => `${node} does not answer.`,
  notFound: (target: string) => `Nobody has anything under ${target}.`,
  refused: (reason: string) => `No node took it: ${reason}.`,
  nobodyTook: 'No node took it.',
  noPeers: 'No peers are known.',
  estimate: (seeds: number, downloaders: number) => `About ${seeds} seeds and ${downloaders} downloaders.`,
  asked: (queries: number, hops: number, seconds: string) =>
    `${queries} nodes asked, the nearest after ${hops} ${hops === 1 ? 'hop' : 'hops'}, in ${seconds} s.`,
  keyMade: (path: string) => `A new secret key is in ${path}. Whoever has it can replace what you put.`,
  stored: (count: number) => (count === 1 ? 'One node keeps it.' : `${count} nodes keep it.`),
  needed: 'Torrents that change are found by the DHT, and this node takes no part in it.',
  nothingPublished: 'Nothing was found under this key.',
  changed: (was: string) => `“${was}” has changed: taking over the new one.`,
  mutableLink: 'Its link stays the same when the content changes:',
  keyAt: (path: string) => `Whoever has ${path} can change what the link leads to.`,
  published: (count: number) => `Published: ${count} nodes of the DHT know what the link leads to.`,
  target: 'Target',
  publicKey: 'Public key',
  sequence: 'Version',
};

export type DhtMessages = typeof dhtTexts;
export type HelpOfDht = typeof helpOfDht;
