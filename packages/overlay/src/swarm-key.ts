/** Keys of private swarms, as the files `swarm.key` of other programs hold them. Source: libp2p specs, pnet. */
import { encodeUtf8, NodeError, toHex, tryFromHex } from '@tequio/kernel';

const head = '/key/swarm/psk/1.0.0/\n/base16/\n';

/** @throws NodeError `OVERLAY_SWARM_KEY` */
export function decodeSwarmKey(text: string): Uint8Array {
  const lines = text.replaceAll('\r', '').trim().split('\n');
  const key = `${lines[0]}\n${lines[1]}\n` === head ? tryFromHex(lines[2]?.trim() ?? '') : null;
  if (key?.length === 32) return key;
  throw new NodeError(
    'OVERLAY_SWARM_KEY',
    'This is no key of a private swarm: it has the lines /key/swarm/psk/1.0.0/, /base16/ and 64 hex digits.',
    { op: 'swarm-key' },
  );
}

export function swarmKeyFile(key: Uint8Array): Uint8Array {
  return encodeUtf8(`${head}${toHex(key)}`);
}
