/**
 * One test a cell of the table "what works with whom". A cell whose program is missing is skipped with a line that
 * says so, or fails when TEQUIO_REQUIRE_PEERS=1; then the outcomes are also written down in e2e/results, from which
 * the README's table is made (`node tools/docs.ts interop`).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeContent, mixedFiles } from '../lab/content.ts';
import { canOpenLab, type Host, Lab } from '../lab/lab.ts';
import { LibtorrentTool, type ReadTorrent } from '../lab/libtorrent.ts';
import type { LabPeer } from '../lab/peer.ts';
import { type TorrentVersion, versionOf } from '../lab/programs.ts';

const resultsFolder = fileURLToPath(new URL('../results/', import.meta.url));
const areRequired = env['TEQUIO_REQUIRE_PEERS'] === '1';

export type Cell = {
  /** As the table calls the program of this row. */
  readonly program: string;
  /** The table's column: see tools/docs-interop.ts. */
  readonly what: string;
  readonly variant: string;
  readonly title: string;
  /** Programs besides `program`, by the names of e2e/lab/programs.ts. */
  readonly needs?: readonly string[];
  readonly run: (stage: Stage) => Promise<void>;
};

/** What all cells of a file share: a network, content, and its torrents. */
export class Stage {
  readonly lab: Lab;
  readonly tool: LibtorrentTool;
  /** Holds the folder `mixed`. */
  readonly sourceFolder: string;
  readonly #torrents = new Map<string, Promise<MadeTorrent>>();
  readonly #started: { stop(): Promise<void> }[] = [];
  #hosts: Host[] = [];
  #counter = 0;

  constructor() {
    this.lab = Lab.open();
    this.tool = new LibtorrentTool();
    this.sourceFolder = join(this.lab.folder, 'source');
    makeContent(join(this.sourceFolder, 'mixed'), mixedFiles, 1);
  }

  /** A torrent of `mixed`, made by libtorrent: the same one for the same request. */
  torrent(version: TorrentVersion, trackers: readonly string[] = []): Promise<MadeTorrent> {
    const key = `${version} ${trackers.join(' ')}`;
    const known = this.#torrents.get(key);
    if (known !== undefined) return known;
    const file = join(this.lab.folder, `mixed-${this.#torrents.size}.torrent`);
    const path = join(this.sourceFolder, 'mixed');
    const made = this.tool
      .create({ path, out: file, version, trackers, pieceBytes: 32_768 })
      .then((read) => ({ ...read, file }));
    this.#torrents.set(key, made);
    return made;
  }

  /** A host that lives as long as the cell. */
  host(name: string): Host {
    const host = this.lab.addHost(name);
    this.#hosts.push(host);
    return host;
  }

  /** Ends the program with the cell, if not earlier. */
  use<Program extends LabPeer | { stop(): Promise<void> }>(program: Program): Program {
    this.#started.push(program);
    return program;
  }

  newFolder(): string {
    const folder = join(this.lab.folder, `got-${++this.#counter}`);
    mkdirSync(folder);
    return folder;
  }

  /** Between two cells. */
  async clear(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((program) => program.stop()));
    for (const host of this.#hosts.splice(0)) this.lab.removeHost(host);
  }

  async close(): Promise<void> {
    await this.clear();
    await this.tool.stop();
    this.lab.close();
  }
}

export type MadeTorrent = ReadTorrent & { readonly file: string };

/** Defines a test a cell, in sequence. @param fileName of the results */
export function testCells(fileName: string, cells: readonly Cell[]): void {
  const missingHere = whatIsMissing(['libtorrent']);
  const outcomes = new Map<Cell, boolean>();
  let stage: Stage | null = null;
  before(() => {
    if (missingHere === null) stage = new Stage();
  });
  after(async () => {
    await stage?.close();
    if (areRequired) writeResults(fileName, cells, outcomes);
  });
  for (const cell of cells) {
    const missing = missingHere ?? whatIsMissing([cell.program, ...(cell.needs ?? [])]);
    test(cell.title, { skip: missing !== null && !areRequired ? missing : false }, async () => {
      outcomes.set(cell, false);
      if (missing !== null) throw new Error(missing);
      try {
        await cell.run(stage!);
        outcomes.set(cell, true);
      } finally {
        await stage!.clear();
      }
    });
  }
}

/** One plain sentence, or null. */
function whatIsMissing(programs: readonly string[]): string | null {
  const missing = programs.filter((name) => name !== 'Tequio' && versionOf(name) === null);
  if (missing.length > 0) return `not installed here: ${missing.join(', ')} (.ci/peers installs it)`;
  return canOpenLab() ? null : 'network namespaces need Linux and root';
}

function writeResults(fileName: string, cells: readonly Cell[], outcomes: ReadonlyMap<Cell, boolean>): void {
  const names = [...new Set(cells.map(({ program }) => program))].filter((name) => name !== 'Tequio');
  if (names.length === 0) return;
  const results = {
    programs: Object.fromEntries(names.map((name) => [name, versionOf(name) ?? ''])),
    cells: cells
      .filter(({ program }) => program !== 'Tequio')
      .map((cell) => ({
        program: cell.program,
        what: cell.what,
        variant: cell.variant,
        passed: outcomes.get(cell) ?? false,
      })),
  };
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(join(resultsFolder, `${fileName}.json`), `${JSON.stringify(results, null, 2)}\n`);
}
