/** `key/…`: the keys that names are published with. */
import { cidText, ipnsPeerText, makeCid, multibases } from '@tequio/ipfs';
import { concatBytes, encodeUtf8 } from '@tequio/kernel';
import { verifyForeignSignature } from '@tequio/runtime';
import { type KeyFormat, keyFormats, type NamedKey } from '../../ipfs/key-ring.ts';
import { once } from './block-verbs.ts';
import { bytes, value } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import type { KuboVerb, KuboVerbs } from './kubo-verb.ts';

const keyBytesMax = 16_384;
const signedBytesMax = 1 << 20;
const types = ['ed25519', 'rsa', 'secp256k1'] as const;
const libp2pKey = 0x72;

const list: KuboVerb = {
  scope: 'admin',
  run: async (call, { keys }) => {
    const write = ipnsWriter(call);
    const found = await keys.list();
    return value({ Keys: found.map(({ name, ipns }) => ({ Name: name, Id: write(ipns) })) });
  },
};

export const keyVerbs: KuboVerbs = {
  'key/gen': {
    scope: 'admin',
    run: async (call, { keys }) => {
      const text = call.text('type', 'ed25519');
      const type = types.find((known) => known === text);
      if (type === undefined) throw new KuboUsageError(`unrecognized key type: ${text}`);
      const key = await keys.create(call.arg(0, 'name'), type, call.count('size'));
      return value({ Name: key.name, Id: ipnsWriter(call)(key.ipns) });
    },
  },
  'key/list': list,
  'key/ls': list,
  'key/rename': {
    scope: 'admin',
    run: async (call, { keys }) => {
      const [was, now] = [call.arg(0, 'name'), call.arg(1, 'newName')];
      const { key, isOverwritten } = await keys.rename(was, now, { force: call.flag('force') });
      return value({ Was: was, Now: now, Id: ipnsWriter(call)(key.ipns), Overwrite: isOverwritten });
    },
  },
  'key/rm': {
    scope: 'admin',
    run: async (call, { keys }) => {
      call.arg(0, 'name');
      const write = ipnsWriter(call);
      const removed: { Name: string; Id: string }[] = [];
      for (const name of call.args) removed.push({ Name: name, Id: write((await keys.remove(name)).ipns) });
      return value({ Keys: removed });
    },
  },
  'key/import': {
    scope: 'admin',
    run: async (call, { keys }) => {
      const [name, format] = [call.arg(0, 'name'), formatOf(call)];
      const key = await keys.importKey(name, await call.contentBytes('key', keyBytesMax), format);
      return value({ Name: name, Id: ipnsWriter(call)(key.ipns) });
    },
  },
  'key/export': {
    scope: 'admin',
    run: async (call, { keys }) => {
      const exported = await keys.exportKey(call.arg(0, 'name'), formatOf(call));
      return bytes(once(exported), { length: exported.length });
    },
  },
  'key/sign': {
    scope: 'admin',
    run: async (call, { keys }) => {
      const key = await keys.get(call.text('key', 'self'));
      const signature = key.sign(signedBytes(await call.contentBytes('data', signedBytesMax)));
      return value({ Key: shown(call, key), Signature: base64url.encoder.encode(signature) });
    },
  },
  'key/verify': {
    scope: 'read',
    run: async (call, deps) => {
      const key = await deps.keys.get(call.text('key', 'self'));
      const message = signedBytes(await call.contentBytes('data', signedBytesMax));
      const signature = decodeMultibase(call.text('signature', ''), 'signature');
      const { type, data } = key.key;
      return value({
        Key: shown(call, key),
        SignatureValid: verifyForeignSignature(type, data, message, signature),
      });
    },
  },
  'key/rotate': {
    scope: 'admin',
    run: () => {
      throw new KuboUsageError(
        'This node keeps its key while it runs: stop it, put another file in the place of identity.key, and start it.',
      );
    },
  },
};

const base64url = multibases.get('base64url')!;

/** Kubo puts these words in front, so that a signature is good for nothing else. */
function signedBytes(data: Uint8Array): Uint8Array {
  return concatBytes([encodeUtf8('libp2p-key signed message:'), data]);
}

function shown(call: KuboCall, { name, ipns }: NamedKey): unknown {
  return { Name: name, Id: ipnsWriter(call)(ipns) };
}

function formatOf(call: KuboCall): KeyFormat {
  const text = call.text('format', keyFormats[0]);
  const format = keyFormats.find((known) => known === text);
  if (format === undefined) throw new KuboUsageError(`unrecognized import format: ${text}`);
  return format;
}

/** How names of keys are written, by the option `ipns-base`: a CID, or `b58mh`, as a peer id. */
export function ipnsWriter(call: KuboCall): (ipns: Uint8Array) => string {
  const base = call.text('ipns-base', 'base36');
  if (base === 'b58mh') return ipnsPeerText;
  if (!multibases.has(base)) throw new KuboUsageError(`unknown multibase: "${base}"`);
  return (ipns) => ipnsText(ipns, base);
}

function ipnsText(ipns: Uint8Array, base: string): string {
  const [code, length] = [ipns[0]!, ipns[1]!];
  return cidText(makeCid(libp2pKey, code, ipns.subarray(2, 2 + length)), base);
}

/** Bytes behind the letter that says how they are written. @throws KuboUsageError */
export function decodeMultibase(text: string, name: string): Uint8Array {
  for (const { prefix, decoder } of multibases.values()) {
    if (!text.startsWith(prefix)) continue;
    try {
      return decoder.decode(text);
    } catch {
      break;
    }
  }
  throw new KuboUsageError(`"${name}" must be multibase encoded`);
}
