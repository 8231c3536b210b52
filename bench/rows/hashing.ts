/** Making torrents, and checking content against them: whole commands. What is measured: bench/README.md. */
import { readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { execPath, stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { versionOf } from '../../e2e/lab/programs.ts';
import { programArguments } from '../../e2e/lab/tequio.ts';
import { contentName, gibibyte, makeContent, mebibyte } from '../content.ts';
import { ownVersion } from '../downloaders.ts';
import { libtorrents } from '../libtorrents.ts';
import { dropFileCache } from '../machine.ts';
import { type Bench, type Case, type Contender, ours, type RowRunner, type Values } from '../row.ts';
import { type Command, timeCommand } from '../time-command.ts';

const pieceBytes = mebibyte;
const largeBytes = 20 * gibibyte;
/** Of 20 MiB on average. */
const largeFileCount = 1024;
const timeoutMs = 900_000;
const libtorrentScript = fileURLToPath(new URL('../programs/libtorrent-work.py', import.meta.url));

type Work = 'create' | 'check';
/** What is to be hashed: `path` is the torrent's own folder. */
type Subject = {
  readonly path: string;
  readonly parent: string;
  readonly torrentFile: string;
  readonly bytes: number;
};

type Program = {
  readonly program: string;
  readonly version: string | null;
  readonly create: (subject: Subject, out: string) => Command;
  /** Null: it cannot check. */
  readonly check: ((subject: Subject) => Command) | null;
};

function programs(): readonly Program[] {
  const own = (...args: string[]): Command => [execPath, ...programArguments, ...args];
  return [
    {
      program: ours,
      version: ownVersion(),
      create: ({ path }, out) =>
        own('create', path, '--v1', '--piece-size', String(pieceBytes), '-o', out, '-q'),
      check: ({ path, torrentFile }) => own('verify', torrentFile, path, '-q'),
    },
    {
      program: 'mktorrent',
      version: versionOf('mktorrent'),
      create: ({ path }, out) => [
        'mktorrent',
        '-t',
        '2',
        '-l',
        String(Math.log2(pieceBytes)),
        '-o',
        out,
        path,
      ],
      check: null,
    },
    ...libtorrents().map(
      ({ program, version, python }): Program => ({
        program,
        version,
        create: ({ path }, out) => [python, libtorrentScript, 'create', path, String(pieceBytes), out],
        check: ({ parent, torrentFile }) => [python, libtorrentScript, 'check', torrentFile, parent],
      }),
    ),
  ];
}

export const hashing: RowRunner = {
  plan: async (bench) => {
    const wanted = bench.quick ? gibibyte : largeBytes;
    const large = Math.min(wanted, Math.floor(freeBytesAt(bench.lab.folder) / 2 / gibibyte) * gibibyte);
    if (large < wanted)
      stderr.write(`bench: there is room for ${large / gibibyte} GiB of files, not ${wanted / gibibyte}.\n`);
    const small = bench.quick ? 256 * mebibyte : gibibyte;
    const setting = { pieceBytes, smallBytes: small, largeBytes: large, largeFileCount };
    return {
      setting,
      cases: [
        ...casesOf(bench, `${small / gibibyte} GiB in memory`, small, 1),
        ...casesOf(bench, `${large / gibibyte} GiB of files on disk`, large, largeFileCount),
      ],
    };
  },
};

/** Creating and checking the same content, which is made once for both. */
function casesOf(bench: Bench, name: string, bytes: number, fileCount: number): readonly Case[] {
  let subject: Subject | null = null;
  const make = async (): Promise<Subject> => {
    const parent = name.replaceAll(/[^a-z0-9]+/gi, '-');
    const {
      folder,
      torrentFile,
      bytes: made,
    } = await makeContent(bench.lab.folder, parent, {
      bytes,
      pieceBytes,
      fileCount,
    });
    return { path: join(folder, contentName), parent: folder, torrentFile, bytes: made };
  };
  return (['create', 'check'] as const).map((work) => ({
    name: `${name}, ${work}`,
    open: async () => {
      const what = (subject ??= await make());
      const isCold = fileCount > 1;
      return {
        contenders: programs()
          .filter((program) => work === 'create' || program.check !== null)
          .map(
            (program): Contender => ({
              program: program.program,
              version: program.version,
              measure: () => measure(bench, program, work, what, isCold),
            }),
          ),
        close: async () => {
          if (work === 'check') rmSync(what.parent, { recursive: true });
        },
      };
    },
  }));
}

async function measure(
  { lab }: Bench,
  program: Program,
  work: Work,
  subject: Subject,
  isCold: boolean,
): Promise<Values> {
  const host = lab.addHost(program.program.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'));
  const out = join(host.folder, 'made.torrent');
  const command = work === 'create' ? program.create(subject, out) : program.check!(subject);
  if (isCold) dropFileCache();
  try {
    const { seconds, cpuSeconds } = await timeCommand(host, command, timeoutMs);
    if (work === 'create') assertSamePieces(out, subject);
    return {
      seconds,
      rate: subject.bytes / seconds / 1e6,
      cpuPerGib: (cpuSeconds * gibibyte) / subject.bytes,
    };
  } finally {
    lab.removeHost(host);
    rmSync(host.folder, { recursive: true, force: true });
  }
}

/** Programs may order many files differently; then only the number of pieces must be the same. */
function assertSamePieces(madeFile: string, { torrentFile, path }: Subject): void {
  const [made, expected] = [piecesOf(madeFile), piecesOf(torrentFile)];
  const isOneFile = path.includes('memory');
  if (made.length !== expected.length || (isOneFile && !made.equals(expected)))
    throw new Error('the torrent has other pieces');
}

function piecesOf(torrentFile: string): Buffer {
  const bytes = readFileSync(torrentFile);
  const at = bytes.indexOf('6:pieces') + 8;
  const colon = bytes.indexOf(':', at);
  return bytes.subarray(colon + 1, colon + 1 + Number(bytes.subarray(at, colon).toString('latin1')));
}

function freeBytesAt(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
