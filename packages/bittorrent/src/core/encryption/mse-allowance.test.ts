import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MseAllowance, mseAllowanceLimits } from './mse-allowance.ts';

const { all, ofAddress, addressCountMax } = mseAllowanceLimits;

function takenOf(allowance: MseAllowance, addresses: readonly string[], nowMs: number): number {
  return addresses.filter((address) => allowance.tryTake(address, nowMs)).length;
}

test('one address has its burst and then its rate, and takes nothing from others', () => {
  const allowance = new MseAllowance();
  const one = Array<string>(1000).fill('10.0.0.1');
  assert.equal(takenOf(allowance, one, 0), ofAddress.burst);
  assert.equal(takenOf(allowance, one, 10_000), (ofAddress.perMinute / 60) * 10);
  assert.ok(allowance.tryTake('10.0.0.2', 10_000));
});

test('all together have a burst and a rate too, however many addresses there are', () => {
  const allowance = new MseAllowance();
  const many = Array.from({ length: 5000 }, (_, i) => `host ${i}`);
  assert.equal(takenOf(allowance, many, 0), all.burst);
  assert.equal(takenOf(allowance, many, 1000), all.perMinute / 60);
  // Those who were forgotten for newer ones come as if new, and are within the ration of all even so.
  assert.ok(many.length > addressCountMax);
  assert.equal(takenOf(allowance, many, 2000), all.perMinute / 60);
});
