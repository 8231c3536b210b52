import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { dhtLimits } from './dht-limits.ts';
import { FloodGate } from './reply-budget.ts';

const { floodCountMax, floodWindowMs, floodBlockMs } = dhtLimits;

function compactOf(sender: number): Uint8Array {
  return Uint8Array.of(8, sender >> 16, (sender >> 8) & 255, sender & 255, 0x1a, 0xe1);
}

test('who sends too much is not heard for five minutes, however many others come and go meanwhile', () => {
  const gate = new FloodGate();
  const flooder = compactOf(0);
  for (let i = 0; i < floodCountMax; i++) ok(gate.admits(flooder, false, i));
  ok(!gate.admits(flooder, false, 100), 'one too many');
  let others = 1;
  // A new one each 10 ms: those of more than ten seconds ago are forgotten, the flooder is not.
  for (let nowMs = 110; nowMs < 100 + floodBlockMs; nowMs += 10)
    ok(gate.admits(compactOf(others++), false, nowMs));
  ok(!gate.admits(flooder, false, 99 + floodBlockMs));
  ok(gate.admits(flooder, false, 101 + floodBlockMs));
});

test('memory follows those who write now', () => {
  const gate = new FloodGate();
  let sender = 0;
  for (; sender < 3000; sender++) gate.admits(compactOf(sender), false, 0);
  equal(gate.senderCount, 3000);
  for (let i = 0; i < 2000; i++) gate.admits(compactOf(sender++), false, floodWindowMs + i);
  equal(gate.senderCount, 2000);
});
