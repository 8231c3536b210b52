import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideQueue, type QueueItem, type QueueLimits } from './torrent-queue.ts';

const noLimits: QueueLimits = {
  activeDownloads: null,
  activeSeeds: null,
  activeTotal: null,
  isPaused: false,
};

function item(id: string, fields: Partial<QueueItem> = {}): QueueItem {
  return {
    id,
    complete: false,
    rank: Number(id),
    sinceMs: 0,
    forced: false,
    running: false,
    slow: false,
    ...fields,
  };
}

test('as many run as there are places, in their order', () => {
  const verdict = decideQueue([item('3'), item('1'), item('2')], { ...noLimits, activeDownloads: 2 });
  assert.deepEqual(verdict, { run: ['1', '2'], wait: [] });
});

test('one that comes to the front takes the place of the last that runs', () => {
  const items = [item('1'), item('2', { running: true }), item('3', { running: true })];
  assert.deepEqual(decideQueue(items, { ...noLimits, activeDownloads: 2 }), { run: ['1'], wait: ['3'] });
});

test('one that is slow keeps running and takes no place', () => {
  const items = [item('1', { running: true, slow: true }), item('2'), item('3')];
  assert.deepEqual(decideQueue(items, { ...noLimits, activeDownloads: 1 }), { run: ['2'], wait: [] });
});

test('forced ones run, and take the places of others', () => {
  const items = [item('1', { running: true }), item('2', { forced: true })];
  assert.deepEqual(decideQueue(items, { ...noLimits, activeDownloads: 1 }), { run: ['2'], wait: ['1'] });
});

test('downloads and seeds have places of their own, and some together', () => {
  const items = [
    item('1'),
    item('2', { complete: true, sinceMs: 2 }),
    item('3', { complete: true, sinceMs: 1 }),
  ];
  assert.deepEqual(decideQueue(items, { ...noLimits, activeSeeds: 1 }).run, ['1', '3']);
  assert.deepEqual(decideQueue(items, { ...noLimits, activeTotal: 2 }).run, ['1', '3']);
});

test('a pause of everything holds forced ones too', () => {
  const items = [item('1', { running: true, forced: true }), item('2', { running: true, slow: true })];
  assert.deepEqual(decideQueue(items, { ...noLimits, isPaused: true }), { run: [], wait: ['1', '2'] });
});
