import type { BittorrentEvent, NodeApi, TorrentSnapshot } from '@tequio/api';
import { progressToJson } from './json-output.ts';
import { printable } from './printable.ts';
import { describeTorrent, renderTorrent } from './progress-bar.ts';
import { Pause, type Session } from './session.ts';
import { fitText } from './text-width.ts';

/**
 * Watches the torrents of one command: shows them (a live picture, lines, or JSON), passes events on, and says when
 * a wished state is reached. It reads snapshots; it steers nothing.
 */

const liveTickMs = 250;
const plainTickMs = 500;
const lineEveryMs = 5000;
const firstLineMs = 1000;
const jsonEveryMs = 500;
/** Bans that are told in sentences; a swarm of liars must not fill the screen. */
const toldBansMax = 20;

export type WatchEnd = 'done' | 'interrupted' | 'unreachable';

/** Events after which it is worth looking at once. */
const wakingEvents: ReadonlySet<BittorrentEvent['type']> = new Set([
  'bittorrent.torrent.finished',
  'bittorrent.torrent.failed',
  'bittorrent.torrent.recovered',
  'bittorrent.torrent.checked',
  'bittorrent.torrent.metadata',
]);

export class TorrentWatch {
  readonly #session: Session;
  readonly #node: NodeApi;
  readonly #pause: Pause;
  readonly #unsubscribe: () => void;
  #ids: string[] = [];
  #toldBanCount = 0;
  #wasReached = false;
  #silentMs = 0;
  #lineDueMs: number;
  #jsonDueMs: number;

  /** Listens from here on, so that the events of `add` are not lost. */
  constructor(session: Session, node: NodeApi) {
    this.#session = session;
    this.#node = node;
    this.#pause = new Pause(session);
    this.#lineDueMs = session.world.nowMs() + firstLineMs;
    this.#jsonDueMs = session.world.nowMs();
    this.#unsubscribe = node.bittorrent.subscribe((event) => this.#handleEvent(event));
  }

  /** The same torrent twice is watched once; true when it is new. */
  add(id: string): boolean {
    if (this.#ids.includes(id)) return false;
    this.#ids.push(id);
    return true;
  }

  remove(id: string): void {
    this.#ids = this.#ids.filter((other) => other !== id);
  }

  snapshots(): TorrentSnapshot[] {
    return this.#ids.flatMap((id) => this.#node.bittorrent.torrent(id) ?? []);
  }

  /**
   * Shows until `isDone` says true of the snapshots, or the user asks to stop, or for `silenceMs` (null: for ever) no
   * peer and no tracker could be reached at all. Time spent checking files does not count as silence.
   */
  async until(
    isDone: (snapshots: readonly TorrentSnapshot[]) => boolean,
    silenceMs: number | null = null,
  ): Promise<WatchEnd> {
    const { world, output, interrupt } = this.#session;
    const tickMs = output.isLive ? liveTickMs : plainTickMs;
    for (let lastMs = world.nowMs(); ; ) {
      const snapshots = this.snapshots();
      if (isDone(snapshots)) return 'done';
      if (interrupt.isSet) return 'interrupted';
      const nowMs = world.nowMs();
      if (!snapshots.some((snapshot) => snapshot.state === 'checking')) this.#silentMs += nowMs - lastMs;
      lastMs = nowMs;
      this.#wasReached ||= snapshots.some(hasReachedSomebody);
      const restMs = silenceMs === null || this.#wasReached ? null : silenceMs - this.#silentMs;
      if (restMs !== null && restMs <= 0) return 'unreachable';
      this.#show(snapshots, nowMs);
      await this.#pause.wait(Math.min(tickMs, restMs ?? tickMs));
    }
  }

  /** With `--json`: the state now, before a line that ends something. */
  report(): void {
    for (const snapshot of this.snapshots()) this.#session.output.json(progressToJson(snapshot));
  }

  close(): void {
    this.#unsubscribe();
    this.#session.output.endLive();
  }

  #handleEvent(event: BittorrentEvent): void {
    const { output, messages } = this.#session;
    output.json(event);
    if (event.type === 'bittorrent.peer.connected' || event.type === 'bittorrent.tracker.answered')
      this.#wasReached = true;
    if (event.type === 'bittorrent.torrent.failed')
      output.note(
        messages.events.failed(
          this.#nameOf(event.torrent),
          printable(messages.ofCode(event.code, event.message)),
        ),
      );
    if (event.type === 'bittorrent.torrent.recovered')
      output.note(messages.events.recovered(this.#nameOf(event.torrent)));
    if (event.type === 'bittorrent.torrent.metadata')
      output.note(messages.events.metadata(printable(event.name)));
    if (event.type === 'bittorrent.peer.banned')
      this.#tellBan(event.endpoint, messages.ofCode(event.code, event.message));
    if (wakingEvents.has(event.type)) this.#pause.wake();
  }

  #tellBan(endpoint: string, message: string): void {
    const { output, messages } = this.#session;
    this.#toldBanCount++;
    if (this.#toldBanCount <= toldBansMax) output.note(messages.events.banned(endpoint, printable(message)));
    else if (this.#toldBanCount === toldBansMax + 1) output.note(messages.events.moreBans);
  }

  #nameOf(id: string): string {
    return printable(this.#node.bittorrent.torrent(id)?.name ?? id);
  }

  #show(snapshots: readonly TorrentSnapshot[], nowMs: number): void {
    const { output, messages } = this.#session;
    if (output.isJson) {
      if (nowMs < this.#jsonDueMs) return;
      this.#jsonDueMs = nowMs + jsonEveryMs;
      this.report();
    } else if (output.isLive) {
      output.draw(this.#picture(snapshots));
    } else if (nowMs >= this.#lineDueMs) {
      this.#lineDueMs = nowMs + lineEveryMs;
      for (const snapshot of snapshots) output.note(describeTorrent(snapshot, messages));
    }
  }

  /** As many torrents as fit on the screen, the busiest kinds first. */
  #picture(snapshots: readonly TorrentSnapshot[]): string[] {
    const { output, messages } = this.#session;
    const { columns, colors, rows } = output;
    const lines: string[] = [];
    const sorted = snapshots.toSorted((a, b) => urgencyOf(b) - urgencyOf(a));
    for (const [index, snapshot] of sorted.entries()) {
      const more = renderTorrent(snapshot, { columns, colors, messages });
      const isLast = index === sorted.length - 1;
      if (lines.length + more.length + (isLast ? 0 : 1) > rows) {
        lines.push(fitText(messages.progress.more(sorted.length - index), columns));
        break;
      }
      lines.push(...more);
    }
    return lines;
  }
}

/** A peer spoke to us, a tracker answered, or bytes came from a web seed. */
function hasReachedSomebody(snapshot: TorrentSnapshot): boolean {
  return (
    snapshot.peerCount > 0 ||
    snapshot.downloadedBytes > 0 ||
    snapshot.trackers.some((tracker) => tracker.state === 'working')
  );
}

function urgencyOf(snapshot: TorrentSnapshot): number {
  return ['paused', 'seeding', 'metadata', 'checking', 'downloading', 'error'].indexOf(snapshot.state);
}
