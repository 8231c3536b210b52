/**
 * Feeds one torrent from the files of other torrents of this node, one disk job at a time: a guess is hashed, or a run
 * of blocks is read and handed to the torrent, which verifies and writes it like a peer's.
 *
 *   poll ─ a probe is due ─> check job ─> source.handleProbe ─┐
 *        └ a run is due ──> load job ──> feeder.handleBytes ──┴─> poll
 */
import type { Clock, DiskPort, DiskResult, FileSpan, Timer } from '@tequio/kernel';
import type { TorrentId } from '../contract.ts';
import type { BlockFeeder, FeedRun } from '../core/block-feeder.ts';
import type { TorrentContent } from '../core/content.ts';
import type { LocalSlice, Probe } from '../core/local-source.ts';
import { LocalSource } from '../core/local-source.ts';
import type { TorrentSession } from './torrent-session.ts';
import type { TorrentStorage } from './torrent-storage.ts';

export type LocalContentDeps = {
  readonly disk: DiskPort;
  readonly clock: Clock;
  /** Awake, its files looked at. @throws NodeError when it is gone */
  readonly open: (torrent: TorrentId) => Promise<TorrentSession>;
  /** Whether content of that torrent may be taken; asked anew before each read. */
  readonly mayTake: (torrent: TorrentId) => boolean;
  /** False: the torrent that is fed was removed, or the node ends. */
  readonly isThere: (session: TorrentSession) => boolean;
};

/** How long it waits for memory, or for blocks that peers let go of. */
const pollMs = 1000;

export class LocalContent {
  readonly source: LocalSource;
  readonly #session: TorrentSession;
  readonly #content: TorrentContent;
  readonly #feeder: BlockFeeder<LocalSource>;
  readonly #deps: LocalContentDeps;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(session: TorrentSession, storage: TorrentStorage, deps: LocalContentDeps) {
    this.#session = session;
    this.#content = session.torrent.content!;
    this.source = new LocalSource(storage.info, storage.map, this.#content.picker.have);
    this.#feeder = session.torrent.addFeeder(this.source);
    this.#deps = deps;
  }

  /** Looks at what another torrent has. */
  async add(torrent: TorrentId): Promise<void> {
    if (this.source.knows(torrent)) return;
    try {
      const { storage } = await this.#deps.open(torrent);
      if (storage === null || this.#isClosed) return;
      this.source.addTorrent(torrent, storage.info, storage.have);
      this.poll();
    } catch {
      // It was removed meanwhile, or cannot be opened: there is nothing to take.
    }
  }

  /** Goes on when it stands still and there is something to take. */
  poll(): void {
    if (this.#isOver || this.source.state === 'busy') return;
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#content.isFinished) return;
    const probe = this.#content.mayRequest ? this.source.nextProbe() : null;
    if (probe !== null) {
      void this.#probe(probe);
      return;
    }
    // Whoever has nothing to give is not asked: to pick in vain costs a search.
    if (this.source.pieces.isEmpty) return;
    const run = this.#feeder.tryPlanRun(this.#deps.clock.nowMs());
    if (run !== null) void this.#feed(run);
    else this.#timer = this.#deps.clock.setTimer(pollMs, () => this.poll());
  }

  get #isOver(): boolean {
    return this.#isClosed || !this.#deps.isThere(this.#session);
  }

  close(): void {
    this.#timer?.cancel();
    const isOver = this.#isOver;
    this.#isClosed = true;
    if (isOver) return;
    this.#feeder.release();
    this.#session.torrent.removeFeeder(this.#feeder);
  }

  async #probe(probe: Probe): Promise<void> {
    const { layout } = this.#content;
    const { piece } = probe;
    this.source.state = 'busy';
    const bytes = layout.bytesOf(piece);
    const slices = this.source.trySlices(piece, 0, bytes, true);
    const spans = slices === null ? null : await this.#spansOf(slices);
    const sha1 = this.#content.sha1Of(piece);
    const root = this.#content.rootOf(piece);
    const merkle =
      root === null ? null : { leafCount: layout.leafCountOf(piece), bytes: layout.dataBytesOf(piece) };
    const digest = { sha1: sha1 !== null, merkle, stream: null, expect: { sha1, root } };
    const result = spans === null ? null : await this.#run({ kind: 'check', bytes, spans, digest });
    this.source.state = 'idle';
    if (this.#isOver) return;
    if (result?.ok === false && slices !== null) this.#dropAll(slices);
    else this.source.handleProbe(probe, result?.ok === true && result.digests?.matched === true);
    this.poll();
  }

  async #feed({ piece, offset, bytes }: FeedRun): Promise<void> {
    const { disk, clock } = this.#deps;
    this.source.state = 'busy';
    const slices = this.source.trySlices(piece, offset, bytes);
    const spans = slices === null ? null : await this.#spansOf(slices);
    const slab = disk.allocateSlab(bytes);
    const result =
      spans === null ? null : await this.#run({ kind: 'load', slab, slabOffset: 0, bytes, spans });
    this.source.state = 'idle';
    const isGood = !this.#isOver && result?.ok === true && spans !== null;
    if (isGood) {
      clearPads(slab.bytes, spans);
      this.#feeder.handleBytes(slab.bytes.subarray(0, bytes), clock.nowMs());
    }
    disk.freeSlab(slab);
    if (this.#isOver) return;
    this.#feeder.release();
    if (result?.ok === false && slices !== null) this.#dropAll(slices);
    this.#session.driver.drive();
    this.poll();
  }

  /** Where the bytes lie now; null: one of the torrents has gone, and is not asked again. */
  async #spansOf(slices: readonly LocalSlice[]): Promise<FileSpan[] | null> {
    const sessions = new Map<TorrentId, TorrentSession>();
    for (const { torrent } of slices) {
      if (torrent === null || sessions.has(torrent)) continue;
      if (!this.#deps.mayTake(torrent)) {
        this.source.dropTorrent(torrent);
        return null;
      }
      try {
        sessions.set(torrent, await this.#deps.open(torrent));
      } catch {
        this.source.dropTorrent(torrent);
        return null;
      }
    }
    const spans: FileSpan[] = [];
    for (const { torrent, piece, offset, bytes } of slices) {
      const storage = torrent === null ? null : sessions.get(torrent)!.storage;
      const found =
        torrent === null
          ? [{ file: null, offset: 0, bytes }]
          : storage?.have.has(piece) === true && storage.trySpansToLoad(piece, offset, bytes);
      if (!found) {
        this.source.dropTorrent(torrent!);
        return null;
      }
      spans.push(...found);
    }
    return spans;
  }

  #dropAll(slices: readonly LocalSlice[]): void {
    for (const { torrent } of slices) if (torrent !== null) this.source.dropTorrent(torrent);
  }

  #run(job: Parameters<DiskPort['submit']>[0]): Promise<DiskResult> {
    return new Promise((resolve) => {
      this.#deps.disk.submit(job, resolve);
      this.#deps.disk.flush();
    });
  }
}

/** A load leaves what a slab held before where padding is. */
function clearPads(bytes: Uint8Array, spans: readonly FileSpan[]): void {
  let at = 0;
  for (const span of spans) {
    if (span.file === null) bytes.fill(0, at, at + span.bytes);
    at += span.bytes;
  }
}
