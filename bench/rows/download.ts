/**
 * Several programs download the same content from the same seeder, one after the other: rows `download`, `pieces` and
 * `formats`. What is measured, and how the programs are set: bench/README.md.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { treeOf } from '../../e2e/lab/content.ts';
import type { Host } from '../../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../../e2e/lab/libtorrent.ts';
import { until } from '../../e2e/lab/until.ts';
import { type Content, type ContentWish, gibibyte, makeContent, mebibyte } from '../content.ts';
import { allDownloaders, allFormatDownloaders, type Downloader, limitName } from '../downloaders.ts';
import { libtorrentSettings, newestLibtorrent } from '../libtorrents.ts';
import { dropFileCache, settleDisk } from '../machine.ts';
import { usageOf } from '../processes.ts';
import type { Bench, Case, RowRunner, Values } from '../row.ts';

/** The transfer has begun when this much has left the seeder: more than handshakes, less than a piece. */
const begunBytes = 64 * 1024;
/** A recheck of everything, at the slowest. */
const seedTimeoutMs = 120_000;

type Cache = 'warm' | 'cold';

/** A torrent that is being served, and what it must come to. */
type Served = {
  readonly bench: Bench;
  readonly seeder: LibtorrentPeer;
  readonly content: Content;
  /** Path to bytes and hash. */
  readonly expected: ReadonlyMap<string, string>;
};

export const download: RowRunner = {
  plan: async (bench) => {
    const wish = { bytes: (bench.quick ? 256 : 1024) * mebibyte, pieceBytes: mebibyte };
    const served = await serve(bench, 'source', wish);
    const programs = allDownloaders(bench.lab.folder);
    const caseOf = (cache: Cache): Case => ({
      name: `${cache} cache`,
      open: async () => ({ contenders: contendersOf(served, programs, cache) }),
    });
    return {
      setting: { ...wish, seeder: newestLibtorrent().version },
      cases: [caseOf('warm'), caseOf('cold')],
    };
  },
};

export const pieces: RowRunner = {
  plan: async (bench) => {
    const pieceBytes = 64 * 1024;
    const counts = bench.quick ? [512, 2048] : [1024, 2048, 4096, 8192, 16_384];
    const programs = allFormatDownloaders(bench.lab.folder);
    return {
      setting: { pieceBytes, seeder: newestLibtorrent().version },
      cases: counts.map((count) => ({
        ...servedCase(bench, `${count.toLocaleString('en')} pieces`, programs, {
          bytes: count * pieceBytes,
          pieceBytes,
        }),
        size: count,
      })),
    };
  },
};

export const formats: RowRunner = {
  plan: async (bench) => {
    const bytes = bench.quick ? 128 * mebibyte : gibibyte;
    const programs = allFormatDownloaders(bench.lab.folder);
    const small = bench.quick ? 5000 : 50_000;
    const wishes: Readonly<Record<string, ContentWish>> = {
      // In several files: libtorrent takes a folder with one file for the file when there is no v1 to say otherwise.
      'version 2': { bytes, pieceBytes: mebibyte, version: 'v2', fileCount: 16 },
      hybrid: { bytes, pieceBytes: mebibyte, version: 'hybrid', fileCount: 16 },
      'pieces of 16 KiB': { bytes, pieceBytes: 16 * 1024 },
      'pieces of 16 MiB': { bytes, pieceBytes: 16 * mebibyte },
      [`${small.toLocaleString('en')} files`]: { bytes, pieceBytes: mebibyte, fileCount: small },
    };
    return {
      setting: { bytes, seeder: newestLibtorrent().version },
      cases: Object.entries(wishes).map(([name, wish]) => servedCase(bench, name, programs, wish)),
    };
  },
};

/** Content of its own, which is gone when the case is over. */
function servedCase(bench: Bench, name: string, programs: readonly Downloader[], wish: ContentWish): Case {
  return {
    name,
    open: async () => {
      const served = await serve(bench, name.replaceAll(/[^a-z0-9]+/gi, '-'), wish);
      return {
        contenders: contendersOf(served, programs, 'warm'),
        close: async () => {
          await served.seeder.stop();
          bench.lab.removeHost(served.seeder.host);
          rmSync(served.content.folder, { recursive: true });
        },
      };
    },
  };
}

/** Content, its torrent, and a seeder that has checked it: the cache is warm for everybody. */
async function serve(bench: Bench, name: string, wish: ContentWish): Promise<Served> {
  const content = await makeContent(bench.lab.folder, name, wish);
  const { python } = newestLibtorrent();
  const seeder = await LibtorrentPeer.start(bench.lab.addHost('seeder'), libtorrentSettings, null, python);
  await seeder.seed(content.torrentFile, content.folder, [], seedTimeoutMs);
  return { bench, seeder, content, expected: treeOf(content.folder) };
}

function contendersOf(served: Served, programs: readonly Downloader[], cache: Cache) {
  return programs.map((program) => ({
    program: program.name,
    version: program.version,
    measure: () => measure(served, program, cache),
  }));
}

async function measure(served: Served, program: Downloader, cache: Cache): Promise<Values> {
  const { bench, content } = served;
  // What earlier downloads have left to be written must not slow this one.
  if (cache === 'cold') dropFileCache();
  else settleDisk();
  const host = bench.lab.addHost(program.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'));
  const folder = `${host.folder}/got`;
  mkdirSync(folder);
  try {
    return await measureOn(host, folder, served, program, content);
  } finally {
    bench.lab.removeHost(host);
    rmSync(host.folder, { recursive: true, force: true });
  }
}

async function measureOn(
  host: Host,
  folder: string,
  { seeder, expected }: Served,
  program: Downloader,
  { torrentFile, infoHash, bytes }: Content,
): Promise<Values> {
  const sentBefore = seeder.host.sentBytes();
  const startMs = performance.now();
  const download = await program.start(host, { torrentFile, infoHash, folder, seeder: seeder.endpoint });
  try {
    const hasBegun = (): boolean => seeder.host.sentBytes() - sentBefore >= begunBytes;
    const begun = until('the transfer begins', 60_000, hasBegun, 2).then(() => performance.now());
    const [beginMs, endMs] = await Promise.all([begun, download.complete]);
    const { cpuSeconds, peakBytes } = usageOf(host.processIds());
    // Programs may still be writing what they hold in memory.
    await sleep(program.name === limitName ? 0 : 500);
    const got = treeOf(folder);
    for (const [path, what] of expected)
      if (got.get(path) !== what) throw new Error(`${path} is not what was seeded`);
    const seconds = (endMs - beginMs) / 1000;
    return {
      seconds,
      rate: bytes / seconds / 1e6,
      cpu: cpuSeconds,
      cpuPerGib: (cpuSeconds * gibibyte) / bytes,
      peak: peakBytes / 1e6,
      begin: (beginMs - startMs) / 1000,
    };
  } finally {
    await download.stop();
  }
}
