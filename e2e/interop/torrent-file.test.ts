/** Torrent files across programs: what `tequio create` makes the others read with the same hashes, and in reverse. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { mixedFiles } from '../lab/content.ts';
import type { TorrentVersion } from '../lab/programs.ts';
import { QbittorrentPeer } from '../lab/qbittorrent.ts';
import { RtorrentPeer } from '../lab/rtorrent.ts';
import { cleanEnvironment } from '../lab/running.ts';
import { runTequio } from '../lab/tequio.ts';
import { type Cell, type Stage, testCells } from './cell.ts';

type Shown = {
  readonly name: string;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly pieceBytes: number;
  readonly pieceCount: number;
  readonly totalBytes: number;
  readonly private: boolean;
  readonly trackers: readonly string[];
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly pad: boolean }[];
};
type Hashes = { readonly v1: string | null; readonly v2: string | null };

/** Makes a torrent of `mixed` with our program; its hashes as our program says them. */
async function create(stage: Stage, version: TorrentVersion): Promise<{ file: string; hashes: Hashes }> {
  const file = join(stage.newFolder(), 'ours.torrent');
  const path = join(stage.sourceFolder, 'mixed');
  const args = ['create', path, '-o', file, `--${version}`, '--piece-size', '32KiB', '--json'];
  const run = await runTequio([...args, '--tracker', 'http://tracker.invalid/announce'], stage.lab.folder);
  assert.equal(run.code, 0, run.stderr);
  const shown = await show(stage, file);
  assert.equal(shown.infoHashV1 !== null, version !== 'v2');
  assert.equal(shown.infoHashV2 !== null, version !== 'v1');
  return { file, hashes: { v1: shown.infoHashV1, v2: shown.infoHashV2 } };
}

async function show(stage: Stage, file: string): Promise<Shown> {
  const run = await runTequio(['show', file, '--json'], stage.lab.folder);
  assert.equal(run.code, 0, run.stderr);
  return JSON.parse(run.stdout) as Shown;
}

/** What a program that ends by itself prints. */
function outputOf(program: string, ...args: string[]): string {
  const run = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000, env: cleanEnvironment('/tmp') });
  assert.equal(run.status, 0, `${program}: ${run.stderr}${run.stdout}`);
  return run.stdout;
}

/** How each program is asked for the info-hashes of a torrent file. A hash that it does not know is null. */
const readers: readonly {
  readonly program: string;
  readonly versions: readonly TorrentVersion[];
  readonly read: (stage: Stage, file: string) => Promise<Hashes>;
}[] = [
  {
    program: 'libtorrent',
    versions: ['v1', 'v2', 'hybrid'],
    read: async (stage, file) => {
      const { infoHashV1: v1, infoHashV2: v2, files } = await stage.tool.read(file);
      const paths = files.filter(({ pad }) => !pad).map(({ path }) => path);
      assert.deepEqual(paths.sort(), mixedFiles.map(({ path }) => `mixed/${path}`).sort());
      return { v1, v2 };
    },
  },
  {
    program: 'qBittorrent',
    versions: ['v1', 'v2', 'hybrid'],
    read: async (stage, file) => {
      const peer = stage.use(await QbittorrentPeer.start(stage.host('qbittorrent')));
      await peer.download(file, stage.newFolder(), {});
      const { infohash_v1, infohash_v2 } = await peer.torrent();
      return { v1: infohash_v1 || null, v2: infohash_v2 || null };
    },
  },
  {
    program: 'Transmission',
    // 3.00 refuses every hybrid, libtorrent's own too.
    versions: ['v1'],
    read: async (_stage, file) => {
      const text = outputOf('transmission-show', file);
      return { v1: /Hash: ([0-9a-f]{40})/.exec(text)?.[1] ?? null, v2: null };
    },
  },
  {
    program: 'aria2',
    // 1.36.0 says a wrong hash of every hybrid, libtorrent's own too.
    versions: ['v1'],
    read: async (_stage, file) => {
      const text = outputOf('aria2c', '--no-conf', '-S', file);
      return { v1: /Info Hash: ([0-9a-f]{40})/.exec(text)?.[1] ?? null, v2: null };
    },
  },
  {
    program: 'rTorrent',
    versions: ['v1', 'hybrid'],
    read: async (stage, file) => {
      const peer = stage.use(await RtorrentPeer.start(stage.host('rtorrent')));
      await peer.download(file, stage.newFolder(), {});
      return { v1: (await peer.infoHash()).toLowerCase(), v2: null };
    },
  },
];

const reading: Cell[] = readers.flatMap(({ program, versions, read }) =>
  versions.map((version) => ({
    program,
    what: 'reads-ours',
    variant: version,
    title: `${program} reads a ${version} torrent of tequio create`,
    run: async (stage: Stage) => {
      const { file, hashes } = await create(stage, version);
      const found = await read(stage, file);
      assert.equal(found.v1, hashes.v1);
      if (found.v2 !== null || version === 'v2') assert.equal(found.v2, hashes.v2);
    },
  })),
);

/** How each program makes a torrent file of a folder. */
const makers: readonly {
  readonly program: string;
  readonly variant: string;
  readonly make: (stage: Stage, folder: string, file: string) => Promise<unknown>;
}[] = [
  ...(['v1', 'v2', 'hybrid'] as const).map((version) => ({
    program: 'libtorrent',
    variant: version,
    make: (stage: Stage, folder: string, file: string) =>
      stage.tool.create({ path: folder, out: file, version, private: true }),
  })),
  {
    program: 'Transmission',
    variant: 'v1',
    make: async (_stage, folder, file) =>
      outputOf('transmission-create', '-p', '-t', 'http://tracker.invalid/announce', '-o', file, folder),
  },
  {
    program: 'mktorrent',
    variant: 'v1',
    make: async (_stage, folder, file) =>
      outputOf('mktorrent', '-p', '-l', '16', '-a', 'http://tracker.invalid/announce', '-o', file, folder),
  },
];

const making: Cell[] = makers.map(({ program, variant, make }) => ({
  program,
  what: 'ours-reads',
  variant,
  title: `tequio show reads a ${variant} torrent of ${program}`,
  run: async (stage: Stage) => {
    const file = join(stage.newFolder(), 'theirs.torrent');
    await make(stage, join(stage.sourceFolder, 'mixed'), file);
    const [ours, theirs] = [await show(stage, file), await stage.tool.read(file)];
    assert.equal(ours.name, theirs.name);
    assert.equal(ours.infoHashV1, theirs.infoHashV1);
    assert.equal(ours.infoHashV2, theirs.infoHashV2);
    assert.equal(ours.pieceBytes, theirs.pieceBytes);
    assert.equal(ours.private, true);
    const content = ours.files.filter(({ pad }) => !pad).map(({ path, bytes }) => `${path} ${bytes}`);
    const expected = theirs.files.filter(({ pad }) => !pad).map(({ path, bytes }) => `${path} ${bytes}`);
    const withoutName = (lines: string[]): string[] =>
      lines.map((line) => line.replace(/^mixed\//, '')).sort();
    assert.deepEqual(withoutName(content), withoutName(expected));
  },
}));

testCells('torrent-file', [...reading, ...making]);
