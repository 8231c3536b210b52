import type { Database } from '@tequio/kernel';
import type { Ban } from './ban-list.ts';

/** Bans between two runs, in the node's database. Times are those of the wall. */
export function createBanStore(database: Database): {
  load(nowMs: number): readonly Ban[];
  save(ban: Ban): void;
  remove(key: string): void;
} {
  database.exec(
    `CREATE TABLE IF NOT EXISTS network_bans (
       key TEXT PRIMARY KEY, code TEXT NOT NULL, message TEXT NOT NULL, until_ms REAL NOT NULL) STRICT`,
  );
  return {
    load(nowMs) {
      database.run('DELETE FROM network_bans WHERE until_ms <= ?', nowMs);
      return database.all('SELECT * FROM network_bans').map((row) => ({
        key: String(row['key']),
        code: String(row['code']),
        message: String(row['message']),
        untilMs: Number(row['until_ms']),
      }));
    },
    save({ key, code, message, untilMs }) {
      database.run('INSERT OR REPLACE INTO network_bans VALUES (?, ?, ?, ?)', key, code, message, untilMs);
    },
    remove(key) {
      database.run('DELETE FROM network_bans WHERE key = ?', key);
    },
  };
}
