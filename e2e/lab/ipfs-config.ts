/**
 * A configuration file for a node that is among others, and asks nobody unasked: peers are those that a test names.
 * @param ipfs values of the section, as TOML writes them
 * @param dht its part in the DHT
 */
export function ipfsConfig(
  ipfs: Readonly<Record<string, string | readonly string[]>>,
  dht: 'none' | 'client' | 'server' = 'none',
): string {
  const lines = Object.entries(ipfs).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `version = 1
[ipfs]
${lines.join('\n')}
[overlay]
enabled = true
port = 0
webRtc = false
dht = "${dht}"
localDiscovery = false
bootstrap = []
`;
}
