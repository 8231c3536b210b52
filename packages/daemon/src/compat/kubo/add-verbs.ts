/** `add`: files and folders in. */
import type { IpfsAdded, IpfsAddOptions } from '@tequio/api';
import { type ImportEntry, type ImportedEntry, importEntries } from '@tequio/ipfs';
import { collect } from './block-verbs.ts';
import { readImportProfile } from './import-profile.ts';
import { values } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { type Cid, cidWriter } from './kubo-path.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';
import type { MultipartPart } from './multipart.ts';

const targetBytesMax = 64 << 10;
/** Between two lines that tell how far a file is. */
const progressBytes = 1 << 18;

export const addVerbs: KuboVerbs = {
  add: { scope: 'write', run: (call, deps) => values(add(call, deps)) },
  // Not kubo's: it reads any file that the node can read, so it is for whoever may do everything.
  'add/path': { scope: 'admin', run: (call, deps) => values(addPath(call, deps)) },
};

/** Options that change what is stored, and that are not there: better said than passed over. */
const unknownOptions = ['nocopy', 'fscache', 'inline', 'to-files'] as const;

async function* add(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  for (const name of unknownOptions)
    if (call.isGiven(name) && call.text(name) !== 'false')
      throw new KuboUsageError(`option "${name}" is not offered by this node`);
  const [profile, write] = [await readImportProfile(call, deps.config), cidWriter(call)];
  const [quiet, progress, onlyHash] = [call.flag('quieter'), call.flag('progress'), call.flag('only-hash')];
  const told: Told[] = [];
  const blocks = onlyHash ? { put: async () => undefined } : deps.repository.blocks;
  const hold = new Hold(deps, onlyHash);
  try {
    const importDeps = { hashes: deps.hashes, leafHasher: deps.leafHasher, blocks };
    const entries = importEntries(importDeps, profile, entriesOf(call), {
      wrapped: call.flag('wrap-with-directory'),
      signal: call.signal,
      ...(progress ? { onProgress: progressTeller(told) } : null),
    });
    const tops: Cid[] = [];
    for await (const entry of entries) {
      if (progress) yield* withEnd(told.splice(0), entry);
      await hold.keep(entry.root.cid);
      if (entry.isTop) tops.push(entry.root.cid);
      if (!quiet || entry.isTop) yield lineOf(entry, write);
    }
    if (!onlyHash && call.flag('pin', true))
      for (const cid of tops) await deps.repository.pin(cid, pinOptions(call));
  } finally {
    hold.release();
  }
}

function pinOptions(call: KuboCall): { readonly name?: string; readonly signal: AbortSignal } {
  const name = call.text('pin-name');
  return { signal: call.signal, ...(name === null ? null : { name }) };
}

/** From this machine's disk, with the options of our own command line. */
async function* addPath(call: KuboCall, { service }: KuboDeps): AsyncGenerator<unknown> {
  const added: IpfsAdded[] = [];
  let wake = (): void => {};
  const work = service.add(call.arg(0, 'path'), {
    ...pathOptions(call),
    onAdded: (one) => {
      call.signal.throwIfAborted();
      added.push(one);
      wake();
    },
  });
  let root: string | null = null;
  const ended = work.then((cid) => {
    root = cid;
  });
  while (root === null) {
    await Promise.race([ended, new Promise<void>((resolve) => (wake = resolve))]);
    for (const { path, cid, bytes } of added.splice(0)) yield { Name: path, Hash: cid, Size: String(bytes) };
  }
  yield { Root: root };
}

function pathOptions(call: KuboCall): IpfsAddOptions {
  const flags = ['rawLeaves', 'trickle', 'hidden', 'preserveMode', 'preserveTime', 'inPlace', 'pin'] as const;
  const given = flags.filter((name) => call.isGiven(name)).map((name) => [name, call.flag(name)]);
  const [profile, chunker, pinName] = [call.text('profile'), call.text('chunker'), call.text('pinName')];
  if (profile !== null && profile !== 'unixfs-v1-2025' && profile !== 'unixfs-v0-2015')
    throw new KuboUsageError(`there is no profile "${profile}"`);
  const version = call.count('cidVersion');
  if (version !== null && version !== 0 && version !== 1)
    throw new KuboUsageError('a CID has version 0 or 1');
  return {
    ...Object.fromEntries(given),
    ...(profile === null ? null : { profile }),
    ...(chunker === null ? null : { chunker }),
    ...(pinName === null ? null : { pinName }),
    ...(version === null ? null : { cidVersion: version }),
  };
}

type Told = { readonly Name: string; readonly Bytes: number };

/** No collection takes what is being added: `holding` for a generator. */
class Hold {
  keep: (cid: Cid) => Promise<void> = async () => {};
  release: () => void = () => {};

  constructor({ repository }: KuboDeps, isNeeded: boolean) {
    if (isNeeded) return;
    void repository.holding(
      (keep) =>
        new Promise<void>((resolve) => {
          this.keep = keep;
          this.release = resolve;
        }),
    );
  }
}

function progressTeller(told: Told[]): (path: string, bytes: number) => void {
  let last = { path: '', bytes: 0 };
  return (path, bytes) => {
    if (path === last.path && bytes - last.bytes < progressBytes) return;
    last = { path, bytes };
    told.push({ Name: path, Bytes: bytes });
  };
}

/** The last line of a file's progress says that all of it is there; of an empty file it is the only one. */
function withEnd(told: Told[], { path, kind, root }: ImportedEntry): readonly Told[] {
  const last = told.at(-1);
  if (kind !== 'file' || (last?.Name === path && last.Bytes === root.fileBytes)) return told;
  return [...told, { Name: path, Bytes: root.fileBytes }];
}

function lineOf({ path, kind, root, metadata }: ImportedEntry, write: (cid: Cid) => string): unknown {
  const hash = write(root.cid);
  const { mode, modified } = metadata;
  return {
    Name: path === '' && kind === 'file' ? hash : path,
    Hash: hash,
    Size: String(root.dagBytes),
    ...(mode === null ? {} : { Mode: mode.toString(8).padStart(4, '0') }),
    ...(modified === null
      ? {}
      : {
          Mtime: modified.seconds,
          ...(modified.nanoseconds > 0 ? { MtimeNsecs: modified.nanoseconds } : {}),
        }),
  };
}

async function* entriesOf(call: KuboCall): AsyncGenerator<ImportEntry> {
  let count = 0;
  for await (const part of call.parts()) {
    count++;
    const path = decodeName(part.fileName ?? '').replace(/^\/+/, '');
    const metadata = metadataOf(call, part);
    const type = part.headers['content-type'] ?? '';
    if (/^application\/x-directory\b/i.test(type)) yield { kind: 'folder', path, metadata };
    else if (/^application\/symlink\b/i.test(type)) {
      const tooLong = `the target of the symbolic link is longer than ${targetBytesMax} bytes`;
      const target = new TextDecoder().decode(await collect(part.body, targetBytesMax, tooLong));
      yield { kind: 'link', path, target, metadata };
    } else yield { kind: 'file', path, content: part.body, metadata };
  }
  if (count === 0) throw new KuboUsageError('file argument "path" is required');
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    throw new KuboUsageError(`"${name}" is no encoded name`);
  }
}

/**
 * Of the call, for all alike; of each part, behind its field's name or in its headers, only when that is asked for:
 * kubo's own client sends them always.
 */
function metadataOf(call: KuboCall, part: MultipartPart): NonNullable<ImportEntry['metadata']> {
  const inName = new URLSearchParams(part.name.split('?')[1] ?? '');
  const ofPart = (name: string, option: string): string | null =>
    call.flag(option) ? (inName.get(name) ?? part.headers[name] ?? null) : null;
  const partMode = ofPart('mode', 'preserve-mode');
  const mode = call.text('mode') ?? (partMode === null ? null : permissionsOf(partMode));
  const time = (name: string): string | null => call.text(name) ?? ofPart(name, 'preserve-mtime');
  const seconds = time('mtime');
  return {
    mode: mode === null ? null : readMode(mode),
    modified:
      seconds === null
        ? null
        : {
            seconds: readInteger(seconds, 'mtime'),
            nanoseconds: readInteger(time('mtime-nsecs') ?? '0', 'mtime-nsecs'),
          },
  };
}

/** Go writes what kind of file it is above the permissions. */
function permissionsOf(goMode: string): string {
  return /^[0-7]{1,12}$/.test(goMode) ? goMode.slice(-3) : goMode;
}

export function readMode(text: string): number {
  if (!/^0?[0-7]{1,4}$/.test(text)) throw new KuboUsageError(`a mode is octal, such as 0644, not "${text}"`);
  return Number.parseInt(text, 8);
}

function readInteger(text: string, name: string): number {
  const number = Number(text);
  if (!/^-?\d{1,15}$/.test(text) || (name === 'mtime-nsecs' && (number < 0 || number >= 1e9)))
    throw new KuboUsageError(`"${name}" is not "${text}"`);
  return number;
}
