/** CIDs and paths in arguments. */
import {
  cidText,
  codecs,
  multibases,
  parseIpfsPath,
  type ResolvedPath,
  resolvePath,
  tryParseCid,
} from '@tequio/ipfs';
import { NodeError } from '@tequio/kernel';
import type { KuboCall } from './kubo-call.ts';
import { KuboUsageError } from './kubo-call.ts';
import type { KuboDeps } from './kubo-verb.ts';

export type Cid = NonNullable<ReturnType<typeof tryParseCid>>;

/** @throws KuboUsageError */
export function readCid(text: string): Cid {
  const cid = tryParseCid(text.replace(/^\/ipfs\//, ''));
  if (cid === null) throw new KuboUsageError(`invalid cid: "${text}"`);
  return cid;
}

/**
 * The block that a path ends in, or within.
 * @throws KuboUsageError when it is no path; NodeError as `resolvePath`
 */
export async function resolve(
  deps: KuboDeps,
  text: string,
  signal: AbortSignal,
  reading: 'unixfs' | 'data' = 'unixfs',
): Promise<ResolvedPath> {
  const name = /^(?:\/ipns\/|ipns:\/\/)([^/]+)((?:\/.*)?)$/s.exec(text);
  if (name !== null) {
    const segments = name[2]!.split('/').filter((segment) => segment !== '');
    const { root, segments: below } = await deps.names.resolve('ipns', name[1]!, segments, signal);
    return resolvePath(deps.reader, { root, segments: below }, reading, signal);
  }
  const path = parseIpfsPath(text);
  if (!path.ok) throw new KuboUsageError(`invalid path "${text}": ${path.fault.message}`);
  return resolvePath(deps.reader, path.value, reading, signal).catch((error: unknown) => {
    // Links of dag-pb can be named as well as found by where they stand in the data.
    if (reading === 'unixfs' || !(error instanceof NodeError) || error.code !== 'IPFS_NO_LINK') throw error;
    return resolvePath(deps.reader, path.value, 'unixfs', signal);
  });
}

/** The same, of a path that may not end within a block. */
export async function resolveCid(deps: KuboDeps, text: string, signal: AbortSignal): Promise<Cid> {
  const { cid, remainder } = await resolve(deps, text, signal);
  if (remainder.length > 0) throw new KuboUsageError(`"${text}" ends within a block`);
  return cid;
}

/** How CIDs are written in answers, by the options `cid-base` and `upgrade-cidv0-in-output`. */
export function cidWriter(call: KuboCall): (cid: Cid) => string {
  const base = call.text('cid-base');
  if (base === null) return (cid) => cid.toString();
  if (!multibases.has(base)) throw new KuboUsageError(`unknown multibase: "${base}"`);
  const upgrade = call.flag('upgrade-cidv0-in-output', base !== 'base58btc');
  return (cid) => (cid.version === 0 && !upgrade ? cid.toString() : cidText(cid, base));
}

/** By name or number, as in the multicodec table. @throws KuboUsageError */
export function readCodec(text: string): number {
  const named =
    text === 'protobuf'
      ? codecs['dag-pb']
      : text === 'cbor'
        ? codecs['dag-cbor']
        : Object.hasOwn(codecs, text)
          ? codecs[text as keyof typeof codecs]
          : undefined;
  const codec = named ?? (/^0x[0-9a-f]{1,6}$/.test(text) ? Number(text) : undefined);
  if (codec === undefined) throw new KuboUsageError(`unknown codec: "${text}"`);
  return codec;
}
