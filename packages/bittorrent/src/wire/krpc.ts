/**
 * KRPC, the DHT's messages (BEP 5, 32, 33, 42, 43, 44, 51): one bencoded dictionary a datagram.
 *
 * Whatever is understood of a message is taken, and what is malformed in an optional part is as if it were absent:
 * nodes of many programs and ages speak this, and a lookup that asks a thousand strangers lives from what is still
 * true. Only what cannot be answered or attributed (no transaction, no id, no method) is a fault. Lists are cut at
 * their ceilings. Byte strings in a decoded message borrow the datagram: copy what you keep.
 *
 * A query of a method that is not known but names a target is answered like `find_node` (BEP 5's successors rely on
 * it), so it is decoded and not refused.
 */
import {
  addressFromBytes,
  type Endpoint,
  type Fault,
  failed,
  ok,
  type Result,
  readUint16,
} from '@tequio/kernel';
import { type BencodeValue, decodeBencode } from './bencode.ts';
import type { AddressFamily } from './compact-peers.ts';
import { bloomBytes } from './dht-bloom.ts';
import { type DhtItem, dhtItemLimits, sequenceMax } from './dht-item.ts';
import { nodeIdBytes } from './dht-node-id.ts';
import { NodeInfo } from './dht-node-info.ts';

export const krpcLimits = {
  /** Of a datagram; the longest that programs send stays below what an Ethernet carries. */
  bytesMax: 2048,
  depthMax: 32,
  /** A value of 1000 bytes can be 500 empty lists. */
  tokenCountMax: 2048,
  transactionBytesMax: 32,
  tokenBytesMax: 64,
  /** Nodes taken from one list; eight are usual. */
  nodeCountMax: 32,
  /** Peers taken from one answer; that many fit a datagram. */
  peerCountMax: 256,
  sampleCountMax: 64,
  errorTextBytesMax: 256,
} as const;

/** Error codes of BEP 5 and BEP 44. */
export const krpcError = {
  generic: 201,
  server: 202,
  protocol: 203,
  method: 204,
  valueTooBig: 205,
  signature: 206,
  saltTooBig: 207,
  casMismatch: 301,
  sequenceTooLow: 302,
} as const;

/** Which families of nodes the asker wants; `null`: that of its own address. */
export type Want = { readonly ipv4: boolean; readonly ipv6: boolean } | null;

export type KrpcQuery =
  | { readonly method: 'ping'; readonly id: Uint8Array }
  | {
      readonly method: 'find_node' | 'sample_infohashes';
      readonly id: Uint8Array;
      readonly target: Uint8Array;
      readonly want: Want;
    }
  | {
      readonly method: 'get_peers';
      readonly id: Uint8Array;
      readonly target: Uint8Array;
      readonly want: Want;
      readonly noSeed: boolean;
      readonly scrape: boolean;
    }
  | {
      readonly method: 'announce_peer';
      readonly id: Uint8Array;
      readonly target: Uint8Array;
      readonly port: number;
      /** The port that the datagram came from counts, not `port`. */
      readonly impliedPort: boolean;
      readonly seed: boolean;
      readonly token: Uint8Array;
    }
  | {
      readonly method: 'get';
      readonly id: Uint8Array;
      readonly target: Uint8Array;
      readonly want: Want;
      /** Only a higher sequence number is wanted. */
      readonly sequence: bigint | null;
    }
  | {
      readonly method: 'put';
      readonly id: Uint8Array;
      readonly item: DhtItem;
      readonly token: Uint8Array;
      readonly cas: bigint | null;
    }
  /** `target` null: it cannot even be answered with nodes. */
  | {
      readonly method: 'unknown';
      readonly id: Uint8Array;
      readonly target: Uint8Array | null;
      readonly want: Want;
    }
  /** A known method whose arguments cannot be used; answered with this error. */
  | { readonly method: 'refused'; readonly id: Uint8Array; readonly code: number; readonly text: string };

/** Parts of an answer; absent ones are null or empty. */
export type KrpcAnswer = {
  readonly id: Uint8Array;
  readonly nodes: readonly NodeInfo[];
  readonly nodes6: readonly NodeInfo[];
  /** `values` of `get_peers`. */
  readonly peers: readonly Endpoint[];
  readonly token: Uint8Array | null;
  readonly bloomSeeds: Uint8Array | null;
  readonly bloomPeers: Uint8Array | null;
  /** `get`: the item, without the salt, which only the asker knows. */
  readonly item: DhtItem | null;
  /** The sequence number that is stored, also when the item itself was not wanted. */
  readonly sequence: bigint | null;
  /** Info-hashes of 20 bytes each; null: not a node that gives samples. */
  readonly samples: readonly Uint8Array[] | null;
  /** Info-hashes stored there, and when to ask again (BEP 51). */
  readonly sampleTotal: number | null;
  readonly sampleIntervalS: number | null;
};

export type KrpcMessage = { readonly transaction: Uint8Array } & (
  | { readonly type: 'query'; readonly query: KrpcQuery; readonly isReadOnly: boolean }
  | { readonly type: 'answer'; readonly answer: KrpcAnswer; readonly seenAs: Endpoint | null }
  | {
      readonly type: 'error';
      readonly code: number;
      readonly text: string;
      readonly seenAs: Endpoint | null;
    }
);

const decodeLimits = {
  bytesMax: krpcLimits.bytesMax,
  depthMax: krpcLimits.depthMax,
  tokenCountMax: krpcLimits.tokenCountMax,
};

/** Decodes one datagram. Fault: `BITTORRENT_KRPC`. */
export function decodeKrpc(bytes: Uint8Array): Result<KrpcMessage> {
  // Everything begins with a dictionary; what else shares the port (uTP) is cheap to tell.
  if (bytes[0] !== 0x64) return failed(krpcFault('is no dictionary'));
  const decoded = decodeBencode(bytes, decodeLimits);
  if (!decoded.ok) return failed(krpcFault('is not bencoded'));
  const root = decoded.value;
  const transaction = root.getBytes('t');
  if (transaction === null || transaction.length > krpcLimits.transactionBytesMax)
    return failed(krpcFault('has no usable transaction id'));
  switch (root.getText('y')) {
    case 'q':
      return decodeQueryMessage(root, transaction);
    case 'r': {
      const answer = tryAnswer(root.getDictionary('r'));
      if (answer === null) return failed(krpcFault('answers without a node id'));
      return ok({ type: 'answer', transaction, answer, seenAs: tryCompactEndpoint(root.getBytes('ip')) });
    }
    case 'e': {
      const items = root.getItems('e');
      const text = items?.[1]?.tryBytes() ?? new Uint8Array(0);
      return ok({
        type: 'error',
        transaction,
        code: items?.[0]?.tryInteger() ?? krpcError.generic,
        text: printable(text),
        seenAs: tryCompactEndpoint(root.getBytes('ip')),
      });
    }
    default:
      return failed(krpcFault('is neither query, answer nor error'));
  }
}

function decodeQueryMessage(root: BencodeValue, transaction: Uint8Array): Result<KrpcMessage> {
  const id = tryId(root.getDictionary('a'), 'id');
  const method = root.getText('q');
  if (id === null || method === null) return failed(krpcFault('asks without a node id or method'));
  const query = decodeQuery(method, id, root.getDictionary('a')!);
  return ok({ type: 'query', transaction, query, isReadOnly: root.getInteger('ro') === 1 });
}

function decodeQuery(method: string, id: Uint8Array, a: BencodeValue): KrpcQuery {
  switch (method) {
    case 'ping':
      return { method, id };
    case 'find_node':
    case 'sample_infohashes':
    case 'get': {
      const target = tryId(a, 'target');
      if (target === null) return refused(id, 'target is missing');
      const want = wantOf(a);
      return method === 'get'
        ? { method, id, target, want, sequence: trySequence(a, 'seq') }
        : { method, id, target, want };
    }
    case 'get_peers': {
      const target = tryId(a, 'info_hash');
      if (target === null) return refused(id, 'info_hash is missing');
      const [noSeed, scrape] = [a.getInteger('noseed') === 1, a.getInteger('scrape') === 1];
      return { method, id, target, want: wantOf(a), noSeed, scrape };
    }
    case 'announce_peer':
      return decodeAnnounce(id, a);
    case 'put':
      return decodePut(id, a);
    default:
      return {
        method: 'unknown',
        id,
        target: tryId(a, 'target') ?? tryId(a, 'info_hash'),
        want: wantOf(a),
      };
  }
}

function decodeAnnounce(id: Uint8Array, a: BencodeValue): KrpcQuery {
  const target = tryId(a, 'info_hash');
  const token = tryToken(a);
  const port = a.getInteger('port') ?? 0;
  const impliedPort = (a.getInteger('implied_port') ?? 0) !== 0;
  if (target === null || token === null) return refused(id, 'info_hash or token is missing');
  if (!impliedPort && (port < 1 || port > 65_535)) return refused(id, 'port is missing');
  return { method: 'announce_peer', id, target, port, impliedPort, seed: a.getInteger('seed') === 1, token };
}

function decodePut(id: Uint8Array, a: BencodeValue): KrpcQuery {
  const value = a.get('v')?.raw ?? null;
  const token = tryToken(a);
  if (value === null || token === null) return refused(id, 'v or token is missing');
  if (value.length > dhtItemLimits.valueBytesMax)
    return refused(id, 'message (v field) too big', krpcError.valueTooBig);
  const publicKey = a.getBytes('k');
  if (publicKey === null) return { method: 'put', id, item: { type: 'immutable', value }, token, cas: null };
  const salt = a.getBytes('salt') ?? new Uint8Array(0);
  if (salt.length > dhtItemLimits.saltBytesMax) return refused(id, 'salt too big', krpcError.saltTooBig);
  const signature = a.getBytes('sig');
  const sequence = trySequence(a, 'seq');
  if (publicKey.length !== 32 || signature?.length !== 64 || sequence === null)
    return refused(id, 'k, sig or seq is missing or malformed');
  const item: DhtItem = { type: 'mutable', value, publicKey, salt, sequence, signature };
  return { method: 'put', id, item, token, cas: trySequence(a, 'cas') };
}

function tryAnswer(r: BencodeValue | null): KrpcAnswer | null {
  const id = tryId(r, 'id');
  if (r === null || id === null) return null;
  const sequence = trySequence(r, 'seq');
  return {
    id,
    nodes: nodesOf(r.getBytes('nodes'), 4),
    nodes6: nodesOf(r.getBytes('nodes6'), 6),
    peers: peersOf(r),
    token: tryToken(r),
    bloomSeeds: tryBloom(r, 'BFsd'),
    bloomPeers: tryBloom(r, 'BFpe'),
    item: tryItem(r, sequence),
    sequence,
    samples: trySamples(r.getBytes('samples')),
    sampleTotal: tryCount(r, 'num'),
    sampleIntervalS: tryCount(r, 'interval'),
  };
}

function nodesOf(list: Uint8Array | null, family: AddressFamily): NodeInfo[] {
  const nodes: NodeInfo[] = [];
  if (list === null) return nodes;
  const entryBytes = family === 4 ? 26 : 38;
  for (
    let at = 0;
    at + entryBytes <= list.length && nodes.length < krpcLimits.nodeCountMax;
    at += entryBytes
  ) {
    if (readUint16(list, at + entryBytes - 2) === 0) continue;
    // A mapped IPv4 address in the list of IPv6 nodes is nothing that the other family can reach.
    if (family === 6 && isMapped(list, at + nodeIdBytes)) continue;
    nodes.push(new NodeInfo(list.slice(at, at + entryBytes)));
  }
  return nodes;
}

function isMapped(list: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (list[at + i] !== 0) return false;
  return list[at + 10] === 0xff && list[at + 11] === 0xff;
}

function peersOf(r: BencodeValue): readonly Endpoint[] {
  const peers: Endpoint[] = [];
  for (const item of r.getItems('values') ?? []) {
    const peer = tryCompactEndpoint(item.tryBytes());
    if (peer !== null) peers.push(peer);
    if (peers.length === krpcLimits.peerCountMax) break;
  }
  return peers;
}

function tryItem(r: BencodeValue, sequence: bigint | null): DhtItem | null {
  const value = r.get('v')?.raw ?? null;
  if (value === null || value.length > dhtItemLimits.valueBytesMax) return null;
  const publicKey = r.getBytes('k');
  const signature = r.getBytes('sig');
  if (publicKey === null && signature === null) return { type: 'immutable', value };
  if (publicKey?.length !== 32 || signature?.length !== 64 || sequence === null) return null;
  return { type: 'mutable', value, publicKey, salt: new Uint8Array(0), sequence, signature };
}

function trySamples(bytes: Uint8Array | null): readonly Uint8Array[] | null {
  if (bytes === null) return null;
  const samples: Uint8Array[] = [];
  for (let at = 0; at + 20 <= bytes.length && samples.length < krpcLimits.sampleCountMax; at += 20)
    samples.push(bytes.subarray(at, at + 20));
  return samples;
}

/** An address and a port as 6 or 18 bytes; null when it is neither, or has no port. */
function tryCompactEndpoint(bytes: Uint8Array | null): Endpoint | null {
  if (bytes === null || (bytes.length !== 6 && bytes.length !== 18)) return null;
  const port = readUint16(bytes, bytes.length - 2);
  return port === 0 ? null : { address: addressFromBytes(bytes.subarray(0, bytes.length - 2)), port };
}

function tryId(value: BencodeValue | null, key: string): Uint8Array | null {
  const bytes = value?.getBytes(key) ?? null;
  return bytes?.length === nodeIdBytes ? bytes : null;
}

function tryToken(value: BencodeValue): Uint8Array | null {
  const token = value.getBytes('token');
  return token !== null && token.length > 0 && token.length <= krpcLimits.tokenBytesMax ? token : null;
}

function tryBloom(value: BencodeValue, key: string): Uint8Array | null {
  const bloom = value.getBytes(key);
  return bloom?.length === bloomBytes ? bloom : null;
}

function trySequence(value: BencodeValue, key: string): bigint | null {
  const sequence = value.get(key)?.tryBigint() ?? null;
  return sequence === null || sequence < 0n || sequence > sequenceMax ? null : sequence;
}

function tryCount(value: BencodeValue, key: string): number | null {
  const count = value.getInteger(key);
  return count === null || count < 0 ? null : count;
}

function wantOf(a: BencodeValue): Want {
  const items = a.getItems('want');
  if (items === null) return null;
  const names = items.slice(0, 8).map((item) => item.tryText());
  const want = { ipv4: names.includes('n4'), ipv6: names.includes('n6') };
  return want.ipv4 || want.ipv6 ? want : null;
}

function refused(id: Uint8Array, text: string, code: number = krpcError.protocol): KrpcQuery {
  return { method: 'refused', id, code, text };
}

/** A stranger's words, for the log of whoever asked: ASCII, and not endless. */
function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes.subarray(0, krpcLimits.errorTextBytesMax))
    text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '?';
  return text;
}

function krpcFault(what: string): Fault {
  return { code: 'BITTORRENT_KRPC', message: `A DHT message ${what}.`, blame: 'peer', penalty: 0 };
}
