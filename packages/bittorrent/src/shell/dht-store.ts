/** The DHT between two runs, in the node's database: our ids, and contacts to come back by. */
import type { Database } from '@tequio/kernel';
import { dhtLimits } from '../core/dht/dht-limits.ts';
import type { AddressFamily } from '../wire/compact-peers.ts';
import { nodeIdBytes } from '../wire/dht-node-id.ts';
import { NodeInfo } from '../wire/dht-node-info.ts';

export type SavedDht = {
  readonly ids: Partial<Record<AddressFamily, Uint8Array>>;
  readonly contacts: readonly NodeInfo[];
};

export interface DhtStore {
  load(): SavedDht;
  /** In place of all that was saved. */
  save(saved: SavedDht): void;
}

export function createDhtStore(database: Database): DhtStore {
  database.exec(
    `CREATE TABLE IF NOT EXISTS bittorrent_dht_ids (family INTEGER PRIMARY KEY, id BLOB NOT NULL) STRICT;
     CREATE TABLE IF NOT EXISTS bittorrent_dht_contacts (node BLOB PRIMARY KEY) STRICT, WITHOUT ROWID`,
  );
  return {
    load() {
      const ids: Partial<Record<AddressFamily, Uint8Array>> = {};
      for (const row of database.all('SELECT family, id FROM bittorrent_dht_ids')) {
        const [family, id] = [Number(row['family']), row['id']];
        if ((family === 4 || family === 6) && id instanceof Uint8Array && id.length === nodeIdBytes)
          ids[family] = new Uint8Array(id);
      }
      const rows = database.all(
        'SELECT node FROM bittorrent_dht_contacts LIMIT ?',
        2 * dhtLimits.savedContactCountMax,
      );
      const contacts = rows
        .map((row) => row['node'])
        .filter((node) => node instanceof Uint8Array && (node.length === 26 || node.length === 38))
        .map((node) => new NodeInfo(new Uint8Array(node as Uint8Array)));
      return { ids, contacts };
    },
    save({ ids, contacts }) {
      database.transaction(() => {
        for (const [family, id] of Object.entries(ids))
          database.run('INSERT OR REPLACE INTO bittorrent_dht_ids VALUES (?, ?)', Number(family), id);
        database.run('DELETE FROM bittorrent_dht_contacts');
        for (const { compact } of contacts)
          database.run('INSERT OR REPLACE INTO bittorrent_dht_contacts VALUES (?)', compact);
      });
    },
  };
}
