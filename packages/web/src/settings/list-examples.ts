/** How an item of a setting that is a list is written. */
export const listExamples: Readonly<Record<string, string>> = {
  'bittorrent.dhtBootstrap': 'dht.example.org:6881',
  'overlay.bootstrap': '/ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…',
  'ipfs.routers': 'https://router.example.org',
  'ipfs.gateways': 'https://gateway.example.org',
  'ipfs.denyLists': '/etc/tequio/names.deny',
  'completion.program': '/usr/local/bin/arrived',
  'http.allowedHosts': 'node.example.org',
  'http.trustedProxies': '192.0.2.1',
};
