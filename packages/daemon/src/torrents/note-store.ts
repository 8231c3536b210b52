import type { TorrentId } from '@tequio/api';
import type { Database } from '@tequio/kernel';
import { decodeNote, encodeNote, type TorrentNote } from './torrent-note.ts';

/** Notes of torrents in the node's database. */
export class NoteStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  load(): ReadonlyMap<TorrentId, TorrentNote> {
    const notes = new Map<TorrentId, TorrentNote>();
    for (const row of this.#database.all('SELECT id, note FROM node_torrents')) {
      notes.set(String(row['id']), decodeNote(String(row['note'])));
    }
    return notes;
  }

  /** All of them, or throws and keeps none; committed when it returns. Null: forgotten. */
  save(notes: ReadonlyMap<TorrentId, TorrentNote | null>): void {
    if (notes.size === 0) return;
    this.#database.transaction(() => {
      for (const [id, note] of notes) {
        if (note === null) this.#database.run('DELETE FROM node_torrents WHERE id = ?', id);
        else {
          this.#database.run(
            'INSERT INTO node_torrents VALUES (?, ?) ON CONFLICT DO UPDATE SET note = excluded.note',
            id,
            encodeNote(note),
          );
        }
      }
    });
  }
}
