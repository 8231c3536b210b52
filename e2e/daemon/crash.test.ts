/**
 * `kill -9` of the daemon in the middle of fifty downloads, again and again: no torrent, tag or piece that it has
 * told of is ever lost, and no piece that it claims is ever wrong. `TEQUIO_CRASH_ROUNDS` says how often (20 when it
 * does not).
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { until } from '../lab/until.ts';

const roundCount = Number(process.env['TEQUIO_CRASH_ROUNDS'] ?? 20);
const torrentCount = 50;
const pieceBytes = 16 * 1024;
const contentBytes = 40 * pieceBytes;
/** All downloads together take some seconds of running, so that most rounds end in the middle of them. */
const uploadRate = 1_500_000;

type Made = { readonly name: string; readonly content: Buffer; readonly torrent: string };

/** The same in every run, and not compressible. */
function makeOne(index: number): Made {
  const blocks = Array.from({ length: contentBytes / 32 }, (_, at) =>
    createHash('sha256').update(`${index} ${at}`).digest(),
  );
  const content = Buffer.concat(blocks);
  const name = `content ${index}.bin`;
  return { name, content, torrent: makeTorrentFile(name, content, pieceBytes).toString('base64') };
}

test(`${roundCount} times kill -9 in ${torrentCount} downloads: nothing lost, nothing wrong`, {
  timeout: Math.max(1_200_000, 20_000 * roundCount),
}, async () => {
  const root = mkdtempSync(join(tmpdir(), 'tequio-crash-'));
  const at = (...parts: string[]): string => join(root, ...parts);
  const seeder = new LabDaemon(at('seeder'), ['--limit-up', String(uploadRate)]);
  const leech = new LabDaemon(at('leech'));
  const made = Array.from({ length: torrentCount }, (_, index) => makeOne(index));
  try {
    mkdirSync(at('seeds'));
    mkdirSync(at('downloads'));
    mkdirSync(at('seeder'));
    mkdirSync(at('leech'));
    writeFileSync(at('seeder', 'config.toml'), '[queue]\n');
    for (const { name, content } of made) writeFileSync(at('seeds', name), content);
    await seeder.start();
    for (const { torrent } of made)
      await seeder.ask('POST', 'torrents', { source: { torrent }, folder: at('seeds'), seed: true });
    await until('all are shared', 120_000, async () =>
      (await seeder.torrents()).every(({ state }) => state === 'seeding'),
    );
    const peer = `127.0.0.1:${await seeder.port()}`;
    await leech.start();
    await leech.ask('PATCH', 'settings', { queue: { activeDownloads: null } });
    const rounds = new Rounds(leech, made, peer, at('downloads'));
    await rounds.addAll();
    for (let round = 1; round <= roundCount; round++) {
      await rounds.run(round);
      if (round % 50 === 0) process.stdout.write(`crash: ${JSON.stringify(rounds.figures)}\n`);
    }
    process.stdout.write(`crash: ${JSON.stringify(rounds.figures)}\n`);
    assert.ok(
      rounds.figures.piecesChecked > 0 && rounds.figures.killedInDownload > roundCount / 3,
      JSON.stringify(rounds.figures),
    );
  } finally {
    await leech.kill().catch(() => {});
    await seeder.stop();
    rmSync(root, { recursive: true, force: true });
  }
});

class Rounds {
  readonly figures = { rounds: 0, killedInDownload: 0, piecesChecked: 0, longestStartMs: 0, begunAnew: 0 };
  readonly #leech: LabDaemon;
  readonly #made: readonly Made[];
  readonly #peer: string;
  readonly #folder: string;
  readonly #idOf = new Map<string, Made>();
  /** Done bytes that the daemon has told of before it was killed. */
  #told = new Map<string, number>();

  constructor(leech: LabDaemon, made: readonly Made[], peer: string, folder: string) {
    this.#leech = leech;
    this.#made = made;
    this.#peer = peer;
    this.#folder = folder;
  }

  async addAll(): Promise<void> {
    for (const [index, one] of this.#made.entries()) {
      const { id } = await this.#leech.ask<{ id: string }>('POST', 'torrents', {
        source: { torrent: one.torrent },
        folder: this.#folder,
        tags: [`t${index}`],
        peers: [this.#peer],
      });
      this.#idOf.set(id, one);
    }
  }

  async run(round: number): Promise<void> {
    // Not by chance: every time from "just started" to "well under way" comes, in every run.
    const lifeMs = 100 + ((round * 379) % 1300);
    const endMs = Date.now() + lifeMs;
    let isDownloading = false;
    while (Date.now() < endMs) {
      const torrents = await this.#leech.torrents();
      for (const { id, doneBytes } of torrents) this.#told.set(id, doneBytes);
      isDownloading = torrents.some(({ doneBytes }) => doneBytes > 0 && doneBytes < contentBytes);
      await sleep(30);
    }
    await this.#leech.kill();
    if (isDownloading) this.figures.killedInDownload++;
    const startedMs = Date.now();
    await this.#leech.start();
    this.figures.longestStartMs = Math.max(this.figures.longestStartMs, Date.now() - startedMs);
    await this.#check(round);
    this.figures.rounds++;
  }

  async #check(round: number): Promise<void> {
    const torrents = await until('nothing is being checked', 120_000, async () => {
      const all = await this.#leech.torrents();
      return all.some(({ state }) => state === 'checking') ? null : all;
    });
    assert.equal(torrents.length, torrentCount, `round ${round}: torrents`);
    for (const { id, doneBytes, tags, state, error } of torrents) {
      const one = this.#idOf.get(id)!;
      assert.deepEqual(tags, [`t${this.#made.indexOf(one)}`], `round ${round}: tags of ${one.name}`);
      assert.equal(error, null, `round ${round}: ${one.name} is ${state}`);
      const told = this.#told.get(id) ?? 0;
      assert.ok(doneBytes >= told, `round ${round}: ${one.name} had ${told} bytes and has ${doneBytes}`);
    }
    for (const [id, one] of this.#idOf) await this.#checkPieces(id, one, round);
    if (torrents.every(({ doneBytes }) => doneBytes === contentBytes)) await this.#beginAnew();
    else
      for (const { id } of torrents)
        await this.#leech.ask('POST', 'torrents/peers', { ids: [id], peers: [this.#peer] });
  }

  async #checkPieces(id: string, { name, content }: Made, round: number): Promise<void> {
    const { have } = await this.#leech.ask<{ have: string }>('GET', `torrents/${id}/pieces`);
    const bits = Buffer.from(have, 'base64');
    const claimed: number[] = [];
    for (let piece = 0; piece < contentBytes / pieceBytes; piece++)
      if (((bits[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0) claimed.push(piece);
    if (claimed.length === 0) return;
    const written = readFileSync(join(this.#folder, name));
    for (const piece of claimed) {
      const [from, to] = [piece * pieceBytes, (piece + 1) * pieceBytes];
      assert.ok(
        written.subarray(from, to).equals(content.subarray(from, to)),
        `round ${round}: ${name}, piece ${piece}`,
      );
    }
    this.figures.piecesChecked += claimed.length;
  }

  async #beginAnew(): Promise<void> {
    this.figures.begunAnew++;
    const ids = [...this.#idOf.keys()];
    await this.#leech.ask('POST', 'torrents/remove', { ids, removeContent: true });
    this.#idOf.clear();
    this.#told = new Map();
    await this.addAll();
  }
}
