import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@tequio/kernel';
import { type DhtItem, targetOf } from '../../wire/dht-item.ts';
import { testHashes, testSignatures } from './dht.fixture.ts';
import { dhtLimits } from './dht-limits.ts';
import { ItemStore } from './item-store.ts';

const { storedItemCountMax, storedItemsPerBlockMax, storedItemMs } = dhtLimits;

function itemOf(number: number): DhtItem {
  const text = `item ${number}`;
  return { type: 'immutable', value: encodeUtf8(`${text.length}:${text}`) };
}

const newStore = (): ItemStore => new ItemStore(testHashes, testSignatures);

test('one owner of addresses has so many items, and may put its own again', () => {
  const store = newStore();
  for (let i = 0; i < storedItemsPerBlockMax; i++) equal(store.put(itemOf(i), null, 'one', 0), null);
  const refusal = store.put(itemOf(storedItemsPerBlockMax), null, 'one', 0);
  equal(refusal?.text, 'too many items of one address');
  equal(store.put(itemOf(0), null, 'one', 0), null);
  equal(store.put(itemOf(storedItemsPerBlockMax), null, 'other', 0), null);
});

test('when it is full the item that was put least recently gives way', () => {
  const store = newStore();
  for (let i = 0; i < storedItemCountMax; i++) equal(store.put(itemOf(i), null, `owner ${i}`, i), null);
  equal(store.put(itemOf(0), null, 'owner 0', storedItemCountMax), null, 'put again');
  equal(store.put(itemOf(-1), null, 'newcomer', storedItemCountMax), null);
  equal(store.count, storedItemCountMax);
  const has = (number: number): boolean =>
    store.get(targetOf(itemOf(number), testHashes), storedItemCountMax) !== null;
  equal(has(0), true);
  equal(has(1), false);
  equal(has(-1), true);
});

test('an item is kept for two hours after it was put last', () => {
  const store = newStore();
  const target = targetOf(itemOf(1), testHashes);
  store.put(itemOf(1), null, 'one', 0);
  store.put(itemOf(1), null, 'one', 1000);
  equal(store.get(target, storedItemMs) === null, false);
  equal(store.get(target, storedItemMs + 1000), null);
  store.expire(storedItemMs + 1000);
  equal(store.count, 0);
});
