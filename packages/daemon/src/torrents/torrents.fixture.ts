import type { Identity, ManagementEvent, Settings } from '@tequio/api';
import { settingsSchema } from '@tequio/api/settings';
import { type Database, silentLog } from '@tequio/kernel';
import { createDatabases } from '@tequio/runtime';
import { VirtualClock } from '@tequio/simulator';
import { openNodeTables } from '../store/node-tables.ts';
import { FakeEngine } from '../testing/fake-engine.ts';
import { nodeOwner } from '../users/rights.ts';
import type { Caretaker } from './caretaker.ts';
import type { Allowance } from './torrent-adder.ts';
import type { TorrentBook } from './torrent-book.ts';
import { TorrentRoom } from './torrent-room.ts';
import type { TorrentsService } from './torrents-service.ts';

/** Everything about torrents in a node, over an engine that does nothing and a clock that a test moves. */
export class TorrentsBench {
  readonly engine: FakeEngine;
  readonly clock = new VirtualClock();
  readonly database: Database;
  readonly room: TorrentRoom;
  readonly service: TorrentsService;
  readonly events: ManagementEvent[] = [];
  readonly finished: string[] = [];
  settings: Settings;
  isPaused = false;
  allowance: Allowance = { folder: null, quotaBytes: null, torrentCountMax: null };

  constructor(settings: unknown = {}, before: { engine?: FakeEngine; database?: Database } = {}) {
    this.settings = settingsSchema.parse(settings);
    this.engine = before.engine ?? new FakeEngine();
    this.database = before.database ?? createDatabases().open(':memory:');
    openNodeTables(this.database);
    const engine = this.engine.api;
    const { clock } = this;
    this.room = new TorrentRoom({
      engine,
      database: this.database,
      clock,
      log: silentLog,
      firstVersion: 5000,
      settings: () => this.settings,
      downloadFolder: () => '/home/downloads',
      isPaused: () => this.isPaused,
      allowanceOf: ({ scope }) =>
        scope === 'admin' ? { folder: null, quotaBytes: null, torrentCountMax: null } : this.allowance,
      finish: async ({ id }) => void this.finished.push(id),
      countriesOf: async (endpoints) => endpoints.map(() => null),
      emit: (event) => void this.events.push(event),
    });
    this.service = this.as(nodeOwner);
  }

  get book(): TorrentBook {
    return this.room.book;
  }

  get caretaker(): Caretaker {
    return this.room.caretaker;
  }

  as(who: Identity): TorrentsService {
    return this.room.as(who);
  }

  /** Time passes, and timers fire in it. */
  advance(ms: number): void {
    const untilMs = this.clock.nowMs() + ms;
    while ((this.clock.nextMs() ?? Number.POSITIVE_INFINITY) <= untilMs) this.clock.fireNext();
    this.clock.advanceTo(untilMs);
  }

  /** Seconds pass, and the caretaker looks once in each. */
  async pass(seconds: number): Promise<void> {
    for (let at = 0; at < seconds; at++) {
      this.advance(1000);
      this.caretaker.tick();
      await Promise.resolve();
    }
  }
}
