/** Files into a repository: whole commands, no node running. What is measured: bench/README.md. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { contentFile, gibibyte, mebibyte, writeContent } from '../content.ts';
import { cidProfile, type IpfsNode, ipfsPrograms, kuboName, kuboVersion, openKubo } from '../ipfs-nodes.ts';
import { settleDisk } from '../machine.ts';
import { type Bench, type Case, type Contender, ours, type RowRunner, type Values } from '../row.ts';
import { type Command, timeCommand } from '../time-command.ts';

const timeoutMs = 600_000;
const meanFileBytes = 4096;

type Adder = {
  readonly program: string;
  readonly version: string | null;
  readonly open: (folder: string) => Promise<IpfsNode>;
  /** What is on the device at the end: nothing more than the system has written by itself, or all of it. */
  readonly isDurable: boolean;
};

/** Kubo asks for nothing to be on the device, Tequio for all that is pinned: so kubo is measured both ways. */
const adders = (): readonly Adder[] => {
  const own = ipfsPrograms().find(({ program }) => program === ours)!;
  const kubo = (program: string, isDurable: boolean, ...profiles: string[]): Adder => ({
    program,
    version: kuboVersion(),
    open: (folder) => openKubo(folder, { profiles }),
    isDurable,
  });
  return [
    { ...own, isDurable: false },
    kubo(`${kuboName}, and all on the device`, true),
    kubo(kuboName, false),
    kubo(`${kuboName} with pebble`, true, 'pebbleds'),
  ];
};

export const ipfsAdd: RowRunner = {
  plan: async (bench) => {
    const largeBytes = bench.quick ? 256 * mebibyte : gibibyte;
    const fileCount = bench.quick ? 5_000 : 100_000;
    return {
      setting: { cidProfile, largeBytes, fileCount, meanFileBytes },
      cases: [
        caseOf(bench, `${largeBytes / gibibyte} GiB in one file`, largeBytes, 1),
        caseOf(bench, `${fileCount.toLocaleString('en')} small files`, fileCount * meanFileBytes, fileCount),
      ],
    };
  },
};

function caseOf(bench: Bench, name: string, wantedBytes: number, fileCount: number): Case {
  return {
    name,
    open: async () => {
      const folder = join(bench.lab.folder, 'content');
      const bytes = writeContent(folder, wantedBytes, fileCount);
      const subject = { path: fileCount === 1 ? join(folder, contentFile) : folder, bytes, cid: '' };
      return {
        contenders: adders().map(
          (one): Contender => ({
            program: one.program,
            version: one.version,
            measure: () => measure(bench, one, subject),
          }),
        ),
        close: async () => rmSync(folder, { recursive: true }),
      };
    },
  };
}

async function measure(
  { lab }: Bench,
  adder: Adder,
  subject: { readonly path: string; readonly bytes: number; cid: string },
): Promise<Values> {
  const host = lab.addHost('adder');
  try {
    const node = await adder.open(host.folder);
    const add = node.addCommand(subject.path);
    // All of the file system, which nobody else writes to.
    const durably: Command = ['bash', '-c', '"$@" && sync --file-system .', 'bash', ...add];
    settleDisk();
    const { seconds, cpuSeconds, stdout } = await timeCommand(
      host,
      adder.isDurable ? durably : add,
      timeoutMs,
    );
    const cid = stdout.trim();
    if (subject.cid === '') subject.cid = cid;
    if (cid !== subject.cid) throw new Error(`it made ${cid}, and not ${subject.cid} as the one before`);
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
