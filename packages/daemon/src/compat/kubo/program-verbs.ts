/** What concerns the program itself, text helpers, and kubo's verbs that this node refuses, each with its reason. */
import { cidText, multibases, tryParseCid } from '@tequio/ipfs';
import { toHex } from '@tequio/kernel';
import { once } from './block-verbs.ts';
import { decodeMultibase } from './key-verbs.ts';
import { bytes, nothing, noValues, value } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import type { KuboVerb, KuboVerbs } from './kubo-verb.ts';

const textBytesMax = 1 << 20;

export const programVerbs: KuboVerbs = {
  shutdown: {
    scope: 'admin',
    run: (_, { node }) => {
      node.shutdown();
      return nothing;
    },
  },
  'version/deps': { scope: 'read', run: () => noValues() },
  'version/check': {
    scope: 'read',
    run: () => refusal('This node asks nobody for newer versions: your system or npm brings them.'),
  },
  'multibase/encode': {
    scope: 'read',
    run: async (call) => text(encoderOf(call).encode(await call.contentBytes('file', textBytesMax))),
  },
  'multibase/decode': {
    scope: 'read',
    run: async (call) => {
      const decoded = await decodedOf(call);
      return bytes(once(decoded), { length: decoded.length });
    },
  },
  'multibase/transcode': {
    scope: 'read',
    run: async (call) => text(encoderOf(call).encode(await decodedOf(call))),
  },
  'multibase/list': {
    scope: 'read',
    run: () =>
      value([...multibases].map(([name, { prefix }]) => ({ Name: name, Code: prefix.codePointAt(0) }))),
  },
  'cid/inspect': { scope: 'read', run: (call) => value(inspectCid(call.arg(0, 'cid'))) },
  'filestore/ls': { scope: 'read', run: () => noValues() },
  'filestore/dups': { scope: 'read', run: () => noValues() },
  'filestore/verify': { scope: 'read', run: () => noValues() },
  'p2p/ls': { scope: 'read', run: () => value({ Listeners: [] }) },
  'p2p/stream/ls': { scope: 'read', run: () => value({ Streams: [] }) },
  'p2p/listen': refused('Tunnels over libp2p are not offered by this node.'),
  'p2p/forward': refused('Tunnels over libp2p are not offered by this node.'),
  'p2p/close': refused('Tunnels over libp2p are not offered by this node.'),
  mount: refused('This node has no file system of its own: read with `get`, or through the gateway.'),
  update: refused('This node is not updated from here: your system or npm does that.'),
  'repo/migrate': refused('The repository is brought up to date by itself when the node starts.'),
  'pin/remote/add': refused('This node pins at nobody else’s place.'),
  'pin/remote/rm': refused('This node pins at nobody else’s place.'),
  'pin/remote/ls': refused('This node pins at nobody else’s place.'),
  'pin/remote/service/add': refused('This node pins at nobody else’s place.'),
  'pin/remote/service/rm': refused('This node pins at nobody else’s place.'),
  'pin/remote/service/ls': { scope: 'read', run: () => value({ RemoteServices: [] }) },
};

function refused(sentence: string): KuboVerb {
  return { scope: 'read', run: () => refusal(sentence) };
}

function refusal(sentence: string): never {
  throw new KuboUsageError(sentence);
}

function text(of: string): ReturnType<typeof bytes> {
  return bytes(once(new TextEncoder().encode(of)), { type: 'text/plain' });
}

function encoderOf(call: KuboCall): { encode(data: Uint8Array): string } {
  const base = multibases.get(call.text('b', 'base64url'));
  if (base === undefined) throw new KuboUsageError(`unknown multibase: "${call.text('b')}"`);
  return base.encoder;
}

async function decodedOf(call: KuboCall): Promise<Uint8Array> {
  const encoded = new TextDecoder().decode(await call.contentBytes('encoded_file', textBytesMax));
  return decodeMultibase(encoded.trim(), 'encoded_file');
}

function inspectCid(given: string): unknown {
  const cid = tryParseCid(given);
  if (cid === null) throw new KuboUsageError(`invalid cid: "${given}"`);
  return {
    cid: given,
    version: cid.version,
    multibase: { name: cid.version === 0 ? 'base58btc' : 'base32', prefix: cid.version === 0 ? 'z' : 'b' },
    multicodec: { code: cid.code },
    multihash: { code: cid.multihash.code, length: cid.multihash.size, digest: toHex(cid.multihash.digest) },
    cidV0: cid.code === 0x70 && cid.multihash.code === 0x12 ? cid.toV0().toString() : '',
    cidV1: cidText(cid.toV1(), 'base32'),
  };
}
