import { deepEqual, equal, notEqual, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { type IpAddress, Prng } from '@tequio/kernel';
import { ConnectionBudget, type ConnectionSlot } from './connection-budget.ts';

const limits = {
  total: 20,
  perGroup: 5,
  halfOpen: 3,
  pendingIncoming: 4,
  pendingPerAddress: 2,
  perAddress: 3,
  perAddressInGroup: 2,
};
const at = (n: number): IpAddress => `20.0.${n >> 8}.${n & 255}` as IpAddress;

test('each limit refuses with its own reason, and releasing makes room', () => {
  const budget = new ConnectionBudget(limits);
  const dials = [1, 2, 3].map((n) => budget.tryDial('a', at(n))!);
  equal(budget.refusalOfDial('a', at(4)), 'half-open');
  equal(budget.tryDial('a', at(4)), null);
  for (const slot of dials) slot.markOpen();
  notEqual(budget.tryDial('a', at(1)), null);
  equal(budget.refusalOfDial('a', at(1)), 'address', 'in this group');
  equal(budget.refusalOfDial('b', at(1)), null);
  notEqual(budget.tryDial('a', at(5)), null);
  equal(budget.refusalOfDial('a', at(6)), 'group');
  equal(budget.refusalOfDial('b', at(6)), null);
  dials[0]!.release();
  equal(budget.refusalOfDial('a', at(6)), null);
  deepEqual([budget.totalCount, budget.diallingCount, budget.groupCount('a')], [4, 2, 4]);
});

test('accepted connections wait for their handshake in a small room', () => {
  const budget = new ConnectionBudget(limits);
  const slots = [1, 2, 3, 4].map((n) => budget.tryAccept(at(n))!);
  equal(budget.refusalOfAccept(at(5)), 'pending');
  ok(slots[0]!.tryJoin('a'));
  equal(budget.refusalOfAccept(at(5)), null);
  deepEqual([budget.pendingCount, budget.groupCount('a')], [3, 1]);
  slots[0]!.release();
  slots[0]!.release();
  deepEqual([budget.totalCount, budget.groupCount('a')], [3, 0]);
  throws(() => slots[0]!.tryJoin('a'), /broken promise/);
});

test('a full group refuses who has just said what it wants', () => {
  const budget = new ConnectionBudget(limits);
  for (let n = 0; n < 5; n++) ok(budget.tryAccept(at(n))!.tryJoin('a'));
  const late = budget.tryAccept(at(9))!;
  equal(late.tryJoin('a'), false);
  ok(late.tryJoin('b'));
});

test('one address has few places in a group, more in all, and loopback is not counted', () => {
  const budget = new ConnectionBudget({ ...limits, pendingIncoming: 20 });
  const accept = (address: IpAddress, group: string): boolean =>
    budget.tryAccept(address)?.tryJoin(group) ?? false;
  deepEqual([accept(at(1), 'a'), accept(at(1), 'a')], [true, true]);
  const third = budget.tryAccept(at(1))!;
  equal(third.tryJoin('a'), false, 'two of this address are in the group');
  ok(third.tryJoin('b'));
  equal(budget.refusalOfAccept(at(1)), 'address');
  equal(budget.refusalOfDial('c', at(1)), 'address');
  third.release();
  equal(budget.refusalOfDial('c', at(1)), null);
  const here = '127.0.0.1' as IpAddress;
  for (let n = 0; n < 5; n++) ok(accept(here, 'd'));
  for (let n = 0; n < 3; n++) notEqual(budget.tryAccept(here), null);
  budget.tryAccept(at(2));
  budget.tryAccept(at(2));
  equal(budget.refusalOfAccept(at(2)), 'pending');
});

test('a tenth of the total is kept for our own dials', () => {
  const budget = new ConnectionBudget({ ...limits, pendingIncoming: 100 });
  for (let n = 0; n < 18; n++) notEqual(budget.tryAccept(at(n)), null);
  equal(budget.refusalOfAccept(at(30)), 'total');
  notEqual(budget.tryDial('a', at(30)), null);
  notEqual(budget.tryDial('a', at(31)), null);
  equal(budget.refusalOfDial('a', at(32)), 'total');
});

test('an IPv6 subscriber is one address', () => {
  const budget = new ConnectionBudget(limits);
  notEqual(budget.tryAccept('2001:db8:0:1::1' as IpAddress), null);
  notEqual(budget.tryAccept('2001:db8:0:1:ffff::2' as IpAddress), null);
  equal(budget.refusalOfAccept('2001:db8:0:1::3' as IpAddress), 'pending');
  equal(budget.refusalOfAccept('2001:db8:0:2::3' as IpAddress), null);
});

test('after any sequence the counts are those of the slots that are held', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = new Prng(seed);
    const budget = new ConnectionBudget(limits);
    const addresses = new Map<ConnectionSlot, IpAddress>();
    const held = new Map<ConnectionSlot, 'dialling' | 'pending' | 'open'>();
    for (let i = 0; i < 500; i++) {
      const action = prng.below(4);
      const address = at(prng.below(30));
      if (action === 0) {
        const slot = budget.tryDial(`${prng.below(3)}`, address);
        if (slot !== null) {
          held.set(slot, 'dialling');
          addresses.set(slot, address);
        }
      } else if (action === 1) {
        const slot = budget.tryAccept(address);
        if (slot !== null) {
          held.set(slot, 'pending');
          addresses.set(slot, address);
        }
      } else if (held.size > 0) {
        const [slot, state] = prng.pick([...held]);
        if (action === 2 && state === 'dialling') {
          slot.markOpen();
          held.set(slot, 'open');
        } else if (action === 2 && state === 'pending' && slot.tryJoin(`${prng.below(3)}`))
          held.set(slot, 'open');
        else if (action === 3) {
          slot.release();
          held.delete(slot);
        }
      }
      const count = (wanted: string): number => [...held.values()].filter((state) => state === wanted).length;
      const groups = ['0', '1', '2'].map((group) => budget.groupCount(group));
      deepEqual(
        [budget.totalCount, budget.diallingCount, budget.pendingCount, groups.reduce((a, b) => a + b)],
        [held.size, count('dialling'), count('pending'), held.size - count('pending')],
        `seed ${seed}`,
      );
      const ofAddress = [...held.keys()].filter((slot) => addresses.get(slot) === address).length;
      ok(ofAddress <= limits.perAddress, `seed ${seed}`);
      ok(budget.totalCount <= limits.total && groups.every((one) => one <= limits.perGroup), `seed ${seed}`);
    }
  }
});
