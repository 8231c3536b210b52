/**
 * Peer exchange, `ut_pex` (BEP 11): which peers the sender is connected to, as changes since its last message. The
 * functions here take and give what follows the extended message id: a bencoded dictionary of compact lists,
 * one set for IPv4 and one for IPv6 (`added`, `added.f`, `dropped`; `added6`, `added6.f`, `dropped6`).
 */
import {
  addressFromBytes,
  type Endpoint,
  type Fault,
  failed,
  isIpv6,
  ok,
  type Result,
  readUint16,
} from '@tequio/kernel';
import { type BencodeValue, decodeBencode, encodeBencode } from './bencode.ts';
import { type AddressFamily, compactPeerBytes, encodeCompactPeers } from './compact-peers.ts';

export const pexLimits = {
  /** Added, and dropped, in a message that we send (BEP 11), both families together. */
  sentCountMax: 50,
  /**
   * Looked at in a message, of added and of dropped each. libtorrent sends 100 at once, and BEP 11 lets the first
   * message be longer; what is beyond this is not read.
   */
  readCountMax: 200,
  /** Of a message: thousands of peers, most of which are not read. */
  bytesMax: 1 << 16,
  tokenCountMax: 128,
  depthMax: 4,
};

/** What `added.f` says of a peer; a bit that is not set says nothing. */
export const pexFlag = {
  prefersEncryption: 0x01,
  seed: 0x02,
  utp: 0x04,
  holepunch: 0x08,
  /** The sender has dialled it: it can be reached. */
  outgoing: 0x10,
} as const;

export type PexPeer = {
  readonly endpoint: Endpoint;
  /** Bits of {@link pexFlag}, and whatever bits others have added to it. */
  readonly flags: number;
};

export type PexMessage = {
  readonly added: readonly PexPeer[];
  readonly dropped: readonly Endpoint[];
};

/** Lists that are empty are left out; the caller keeps to {@link pexLimits}. */
export function encodePex(message: PexMessage): Uint8Array {
  const added = listsOf(message.added);
  const dropped4 = encodeCompactPeers(message.dropped, 4);
  const dropped6 = encodeCompactPeers(message.dropped, 6);
  return encodeBencode({
    added: added.v4?.peers,
    'added.f': added.v4?.flags,
    added6: added.v6?.peers,
    'added6.f': added.v6?.flags,
    dropped: dropped4.length > 0 ? dropped4 : undefined,
    dropped6: dropped6.length > 0 ? dropped6 : undefined,
  });
}

/**
 * Decodes one message; nothing of it is borrowed. Entries that cannot be dialled (port 0) and torn ones at the end are
 * left out, missing flags are zeros. Fault: `BITTORRENT_PEX_MESSAGE`, when it is no dictionary or far too long.
 */
export function decodePex(payload: Uint8Array): Result<PexMessage> {
  const { bytesMax, tokenCountMax, depthMax } = pexLimits;
  const decoded = decodeBencode(payload, { bytesMax, tokenCountMax, depthMax });
  if (!decoded.ok || decoded.value.kind !== 'dictionary') return failed(messageFault);
  const root = decoded.value;
  const added: PexPeer[] = [];
  readPeers(root, 'added', 4, added);
  readPeers(root, 'added6', 6, added);
  const dropped: PexPeer[] = [];
  readPeers(root, 'dropped', 4, dropped);
  readPeers(root, 'dropped6', 6, dropped);
  return ok({ added, dropped: dropped.map((peer) => peer.endpoint) });
}

type Lists = { readonly peers: Uint8Array; readonly flags: Uint8Array };

function listsOf(peers: readonly PexPeer[]): { readonly v4: Lists | null; readonly v6: Lists | null } {
  const listOf = (family: AddressFamily): Lists | null => {
    const chosen = peers.filter((peer) => isIpv6(peer.endpoint.address) === (family === 6));
    if (chosen.length === 0) return null;
    const endpoints = chosen.map((peer) => peer.endpoint);
    return {
      peers: encodeCompactPeers(endpoints, family),
      flags: Uint8Array.from(chosen, (peer) => peer.flags),
    };
  };
  return { v4: listOf(4), v6: listOf(6) };
}

function readPeers(root: BencodeValue, key: string, family: AddressFamily, out: PexPeer[]): void {
  const peers = root.getBytes(key);
  if (peers === null) return;
  const flags = root.getBytes(`${key}.f`);
  const entryBytes = compactPeerBytes(family);
  for (let i = 0; (i + 1) * entryBytes <= peers.length && out.length < pexLimits.readCountMax; i++) {
    const at = i * entryBytes;
    const port = readUint16(peers, at + entryBytes - 2);
    if (port === 0) continue;
    const address = addressFromBytes(peers.subarray(at, at + entryBytes - 2));
    out.push({ endpoint: { address, port }, flags: flags?.[i] ?? 0 });
  }
}

const messageFault: Fault = {
  code: 'BITTORRENT_PEX_MESSAGE',
  message: 'The peer sent a peer exchange message that cannot be read.',
  blame: 'peer',
  penalty: 25,
};
