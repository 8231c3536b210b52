/** How files and folders are cut and named: by a call's options, else by the config document, else as kubo does. */
import { hashCodes, type ImportProfile, parseChunker, profiles } from '@tequio/ipfs';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import type { Json, KuboConfig } from './kubo-config.ts';

const base = profiles['unixfs-v0-2015'];
const sha256 = 'sha2-256';

/** @throws KuboUsageError */
export async function readImportProfile(
  call: KuboCall,
  config: Pick<KuboConfig, 'stored'>,
): Promise<ImportProfile> {
  const usual = async (name: string): Promise<string | null> => textOf(await config.stored(`Import.${name}`));
  const hash = call.text('hash') ?? (await usual('HashFunction')) ?? sha256;
  const hashCode = hashCodes.get(hash);
  if (hashCode === undefined || hash === 'identity')
    throw new KuboUsageError(`unrecognized hash function: "${hash}"`);
  const versionText = call.text('cid-version') ?? (await usual('CidVersion')) ?? '0';
  if (versionText !== '0' && versionText !== '1')
    throw new KuboUsageError(`unknown CID version: ${versionText}`);
  const version = versionText === '1' || hash !== sha256 ? 1 : 0;
  const chunker = parseChunker(call.text('chunker') ?? (await usual('UnixFSChunker')) ?? base.chunker.name);
  if (!chunker.ok) throw new KuboUsageError(chunker.fault.message);
  const rawLeaves = ((await usual('UnixFSRawLeaves')) ?? String(version === 1)) === 'true';
  return {
    ...base,
    cidVersion: version,
    ...(hash === sha256 ? null : { hashCode }),
    chunker: chunker.value,
    rawLeaves: call.flag('raw-leaves', rawLeaves),
    layout: call.flag('trickle') ? 'trickle' : 'balanced',
    fileLinkCountMax: linkCount(call.count('max-file-links'), base.fileLinkCountMax),
    directory: { ...base.directory, shardAboveBytes: await shardAbove(config) },
  };
}

/** Kubo has had two names for it. */
async function shardAbove(config: Pick<KuboConfig, 'stored'>): Promise<number> {
  const text =
    textOf(await config.stored('Import.UnixFSHAMTDirectorySizeThreshold')) ??
    textOf(await config.stored('Internal.UnixFSShardingSizeThreshold'));
  if (text === null) return base.directory.shardAboveBytes;
  const parts = /^(\d{1,9})\s*(k|m)?(i)?b?$/i.exec(text);
  if (parts === null) throw new KuboUsageError(`"${text}" in the config is no size such as 256KiB`);
  const power = parts[2] === undefined ? 0 : parts[2].toLowerCase() === 'k' ? 1 : 2;
  return Number(parts[1]) * (parts[3] === undefined ? 1000 : 1024) ** power;
}

function linkCount(asked: number | null, usual: number): number {
  if (asked === null) return usual;
  if (asked < 2 || asked > 8192)
    throw new KuboUsageError('option "max-file-links" is a number from 2 to 8192');
  return asked;
}

function textOf(value: Json | undefined): string | null {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}
