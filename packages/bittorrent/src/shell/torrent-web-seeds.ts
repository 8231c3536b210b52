/** The web seeds of one torrent: each is given runs of blocks whenever it is idle and something is left to fetch. */
import type { Clock, HttpClient, IpAddress, Log } from '@tequio/kernel';
import type { WebSeedSnapshot } from '../contract.ts';
import type { BlockFeeder } from '../core/block-feeder.ts';
import { clientName } from '../core/conversation.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import type { Torrent } from '../core/torrent.ts';
import { WebSeed, type WebSeedEffect } from '../core/web-seed.ts';
import type { TorrentInfo } from '../wire/torrent-info.ts';
import { WebSeedDriver } from './web-seed-driver.ts';

export type TorrentWebSeedsDeps = {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly bind: IpAddress | null;
  /** Bytes have come: the download limit may want to pause the sender. */
  readonly received: (from: { pause(): void; resume(): void }, bytes: number) => void;
  /** Something has changed in the torrent: its effects are to be carried out. */
  readonly changed: () => void;
  readonly log: Log;
};

/** The user's own list, or all that are named. */
export function webSeedsOf(
  { webSeeds, hasOwnWebSeeds }: Pick<ResumeRecord, 'webSeeds' | 'hasOwnWebSeeds'>,
  named: readonly string[],
): string[] {
  return [...new Set(hasOwnWebSeeds ? webSeeds : named)];
}

type WebSeedFeeder = BlockFeeder<WebSeed>;
type Notice = Exclude<WebSeedEffect, { type: 'open' | 'abort' }> | null;

export class TorrentWebSeeds {
  readonly #feeders: readonly { readonly feeder: WebSeedFeeder; readonly driver: WebSeedDriver }[];
  readonly #deps: TorrentWebSeedsDeps;
  /** Why each failed last, by URL. */
  readonly #messages = new Map<string, string>();
  #isPolling = false;

  constructor(feeders: readonly WebSeedFeeder[], deps: TorrentWebSeedsDeps) {
    this.#deps = deps;
    this.#feeders = feeders.map((feeder) => ({ feeder, driver: this.#driverOf(feeder) }));
  }

  /** Gives idle seeds something to do. */
  poll(): void {
    if (this.#isPolling) return;
    this.#isPolling = true;
    for (const { feeder, driver } of this.#feeders) {
      const run = feeder.tryPlanRun(this.#deps.clock.nowMs());
      if (run !== null) driver.start(run);
    }
    this.#isPolling = false;
  }

  /** Breaks off what runs (the torrent pauses, or is in trouble). */
  stop(): void {
    for (const { feeder, driver } of this.#feeders) {
      driver.stop();
      feeder.release();
    }
  }

  /** They are no peers of the torrent any more. */
  leave(torrent: Torrent): void {
    this.stop();
    this.close();
    for (const { feeder } of this.#feeders) torrent.removeFeeder(feeder);
  }

  snapshot(nowMs: number): WebSeedSnapshot[] {
    return this.#feeders.map(({ feeder: { seed, down } }) => ({
      url: seed.url,
      state: seed.state === 'dead' ? 'failed' : seed.state === 'busy' ? 'working' : 'waiting',
      message: this.#messages.get(seed.url) ?? seed.fault?.message ?? null,
      downRate: Math.round(down.bytesPerSecond(nowMs)),
      downloadedBytes: down.totalBytes,
    }));
  }

  close(): void {
    for (const { driver } of this.#feeders) driver.close();
  }

  #driverOf(feeder: WebSeedFeeder): WebSeedDriver {
    const { http, clock, bind, received, changed } = this.#deps;
    const driver: WebSeedDriver = new WebSeedDriver(
      {
        seed: feeder.seed,
        bind,
        sink: (_piece, _offset, bytes) => {
          feeder.handleBytes(bytes, clock.nowMs());
          received(driver, bytes.length);
          changed();
        },
        notify: (notice) => this.#handleNotice(feeder, notice),
      },
      { http, clock },
    );
    return driver;
  }

  #handleNotice(feeder: WebSeedFeeder, notice: Notice): void {
    if (notice !== null) feeder.release();
    if (notice?.type === 'done') this.#messages.delete(feeder.seed.url);
    if (notice?.type === 'failed') this.#messages.set(feeder.seed.url, notice.fault.message);
    if (notice?.type === 'failed') {
      const { code } = notice.fault;
      this.#deps.log.debug('web-seed.failed', {
        url: feeder.seed.url,
        code,
        dead: notice.retryAtMs === null,
      });
    }
    this.#deps.changed();
  }
}

/** Makes the web seeds at `urls` peers of the torrent, whose content is known. */
export function joinWebSeeds(
  urls: readonly string[],
  torrent: Torrent,
  info: TorrentInfo,
  deps: TorrentWebSeedsDeps,
): TorrentWebSeeds {
  const userAgent = clientName.replace(' ', '/');
  const feeders = urls.map((url) => torrent.addFeeder(new WebSeed({ url, info, userAgent })));
  return new TorrentWebSeeds(feeders, deps);
}
