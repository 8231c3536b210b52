/** Who is asked first for nodes of the DHT, by a node that knows none yet. */
export const dhtBootstrapHosts: readonly string[] = [
  'router.bittorrent.com:6881',
  'dht.libtorrent.org:25401',
  'dht.transmissionbt.com:6881',
  'router.utorrent.com:6881',
];
