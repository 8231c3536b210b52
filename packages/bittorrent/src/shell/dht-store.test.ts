import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng, tryParseAddress } from '@tequio/kernel';
import { createDatabases } from '@tequio/runtime';
import { nodeInfo } from '../wire/dht-node-info.ts';
import { createDhtStore } from './dht-store.ts';

const prng = new Prng(1);
const nodeAt = (address: string) =>
  nodeInfo(prng.bytes(20), { address: tryParseAddress(address)!, port: 6881 });

test('ids and contacts of both families come back; a later save takes the place of the one before', () => {
  const database = createDatabases().open(':memory:');
  const store = createDhtStore(database);
  assert.deepEqual(store.load(), { ids: {}, contacts: [] });
  const ids = { 4: prng.bytes(20), 6: prng.bytes(20) };
  store.save({ ids, contacts: [nodeAt('192.0.2.1'), nodeAt('192.0.2.2')] });
  const contacts = [nodeAt('192.0.2.3'), nodeAt('2001:db8::3')];
  store.save({ ids, contacts });
  const loaded = createDhtStore(database).load();
  assert.deepEqual(loaded.ids, ids);
  const placesOf = (nodes: typeof contacts) => nodes.map(({ endpoint }) => endpoint.address).sort();
  assert.deepEqual(placesOf([...loaded.contacts]), placesOf(contacts));
  database.close();
});
