import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskFault, DiskFaultCode, FileId } from '@tequio/kernel';
import { type StorageEffect, StorageTrouble } from './storage-state.ts';

const file = 3 as FileId;
const faultOf = (code: DiskFaultCode): DiskFault => ({ code, message: `It is ${code}.`, file });

function drained(machine: StorageTrouble): string[] {
  const effects: StorageEffect[] = [];
  machine.drain(effects);
  return effects.map((effect) => (effect.kind === 'probe' ? `probe ${effect.by}` : effect.kind));
}

test('a full disk is a state with a sentence, probed less and less often, until it works again', () => {
  const machine = new StorageTrouble();
  equal(machine.nextTimeoutMs(), null);
  machine.handle({ kind: 'fault', fault: faultOf('full') }, 1000);
  deepEqual(drained(machine), ['failed']);
  deepEqual(machine.state, {
    kind: 'trouble',
    code: 'BITTORRENT_DISK_FULL',
    message: 'It is full. Free some space: the torrent then goes on by itself.',
    file,
    sinceMs: 1000,
  });
  let nowMs = 1000;
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    const atMs = machine.nextTimeoutMs()!;
    waits.push(atMs - nowMs);
    nowMs = atMs;
    machine.handleTimeout(nowMs - 1);
    deepEqual(drained(machine), []);
    machine.handleTimeout(nowMs);
    deepEqual(drained(machine), ['probe write']);
    equal(machine.nextTimeoutMs(), null);
    machine.handle({ kind: 'fault', fault: faultOf('full') }, nowMs);
    deepEqual(drained(machine), []);
  }
  deepEqual(waits, [2000, 4000, 8000, 16_000, 30_000, 30_000]);
  machine.handleTimeout(machine.nextTimeoutMs()!);
  machine.handle({ kind: 'good' }, nowMs);
  deepEqual(drained(machine), ['probe write', 'recovered']);
  deepEqual(machine.state, { kind: 'fine' });
});

test('jobs that were on their way neither end the trouble nor lengthen the wait', () => {
  const machine = new StorageTrouble();
  machine.handle({ kind: 'fault', fault: faultOf('full') }, 0);
  machine.handle({ kind: 'good' }, 1);
  machine.handle({ kind: 'fault', fault: faultOf('full') }, 2);
  equal(machine.state.kind, 'trouble');
  equal(machine.nextTimeoutMs(), 2000);
  deepEqual(drained(machine), ['failed']);
});

test('another kind of trouble is told, and its sentence is the one that stands', () => {
  const machine = new StorageTrouble();
  machine.handle({ kind: 'fault', fault: faultOf('full') }, 0);
  machine.handle({ kind: 'fault', fault: faultOf('denied') }, 5);
  deepEqual(drained(machine), ['failed', 'failed']);
  equal(machine.state.kind === 'trouble' && machine.state.code, 'BITTORRENT_DISK_DENIED');
  equal(machine.state.kind === 'trouble' && machine.state.sinceMs, 0);
});

test('a missing file is looked for, never made, and rechecked when it is back', () => {
  for (const code of ['missing', 'not-a-file'] as const) {
    const machine = new StorageTrouble();
    machine.handle({ kind: 'fault', fault: faultOf(code) }, 0);
    machine.handleTimeout(2000);
    machine.handle({ kind: 'good' }, 2001);
    deepEqual(drained(machine), ['failed', 'probe look', 'recheck', 'recovered']);
  }
});

test('a reset ends the trouble at once', () => {
  const machine = new StorageTrouble();
  machine.handle({ kind: 'reset' }, 0);
  deepEqual(drained(machine), []);
  machine.handle({ kind: 'fault', fault: faultOf('missing') }, 0);
  machine.handle({ kind: 'reset' }, 1);
  deepEqual(drained(machine), ['failed', 'recovered']);
  equal(machine.nextTimeoutMs(), null);
});
