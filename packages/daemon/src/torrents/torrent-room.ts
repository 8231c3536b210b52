/** Everything about torrents in a node, put together. */
import type { BittorrentApi, Identity, ManagementEvent, Settings } from '@tequio/api';
import type { Clock, Database, Log } from '@tequio/kernel';
import { finalFolderOf } from '../completion/completion.ts';
import { Caretaker } from './caretaker.ts';
import { NoteStore } from './note-store.ts';
import { Places } from './places.ts';
import { type Allowance, TorrentAdder } from './torrent-adder.ts';
import { type BookEntry, TorrentBook } from './torrent-book.ts';
import { TorrentsService } from './torrents-service.ts';

export type TorrentRoomDeps = {
  readonly engine: BittorrentApi;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** See `BookDeps`. */
  readonly firstVersion: number;
  settings(): Settings;
  downloadFolder(): string;
  isPaused(): boolean;
  allowanceOf(who: Identity): Allowance;
  finish(entry: BookEntry, places: Places): Promise<void>;
  emit(event: ManagementEvent): void;
  countriesOf(endpoints: readonly string[]): Promise<readonly (string | null)[]>;
};

export class TorrentRoom {
  readonly places: Places;
  readonly book: TorrentBook;
  readonly caretaker: Caretaker;
  readonly #adder: TorrentAdder;
  readonly #deps: TorrentRoomDeps;

  constructor(deps: TorrentRoomDeps) {
    this.#deps = deps;
    const { engine, database, clock } = deps;
    const places = new Places(database, engine);
    this.places = places;
    this.book = new TorrentBook({
      engine,
      store: new NoteStore(database),
      clock,
      firstVersion: deps.firstVersion,
    });
    const { book } = this;
    this.caretaker = new Caretaker({
      ...deps,
      book,
      goalsFor: ({ note, row }) => places.goalsFor(note.category, row.trackerHost),
      limitClassOf: ({ note, row }) => places.limitClassOf(note.category, row.trackerHost),
      filesFolderOf: (entry) => {
        const settings = deps.settings();
        return settings.completion.eachFile ? finalFolderOf(entry, places, settings) : null;
      },
      finish: (entry) => deps.finish(entry, places),
    });
    this.#adder = new TorrentAdder({ ...deps, book, places, caretaker: this.caretaker });
  }

  as(who: Identity): TorrentsService {
    const { book, places, caretaker } = this;
    const { engine, clock, countriesOf } = this.#deps;
    const parts = { engine, clock, countriesOf, book, places, caretaker, adder: this.#adder };
    return new TorrentsService(parts, who);
  }
}
