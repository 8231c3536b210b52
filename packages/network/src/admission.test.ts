import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { Database, Endpoint, Fault, IpAddress } from '@tequio/kernel';
import { createDatabases } from '@tequio/runtime';
import { Admission } from './admission.ts';
import { defaultConnectionLimits } from './connection-budget.ts';

const at = (address: string, port = 1000): Endpoint => ({ address: address as IpAddress, port });
const fault: Fault = { code: 'LIED', message: 'It lied.', blame: 'peer', penalty: 60 };
let nowMs = 1e12;
const clock = { nowMs: () => 0, wallMs: () => nowMs, setTimer: () => ({ cancel: () => {} }) };
function open(database: Database): Admission {
  const admission = new Admission({ limits: defaultConnectionLimits, clock });
  admission.open(database);
  return admission;
}

test('faults add up to a ban, told once, that also the next run knows, until it ends', () => {
  const database = createDatabases().open(':memory:');
  const admission = open(database);
  equal(admission.handleFault(at('20.0.0.1'), fault), null);
  ok(admission.isWelcome(at('20.0.0.1')));
  const ban = admission.handleFault(at('20.0.0.1', 2000), fault)!;
  equal(admission.handleFault(at('20.0.0.1'), fault), null, 'no news');
  deepEqual([ban.key, ban.code, admission.isWelcome(at('20.0.0.1', 3))], ['20.0.0.1', 'LIED', false]);
  ok(admission.isSamePeer(ban, at('20.0.0.1', 9)) && !admission.isSamePeer(ban, at('20.0.0.2')));
  deepEqual(open(database).bans(), [ban]);
  nowMs += 25 * 3600 * 1000;
  deepEqual(open(database).bans(), []);
  ok(admission.isWelcome(at('20.0.0.1')));
  database.close();
});

test('a ban on loopback names a program, and is not kept', () => {
  const database = createDatabases().open(':memory:');
  const admission = open(database);
  ok(admission.handleFault(at('127.0.0.1', 5), { ...fault, penalty: 100 }) !== null);
  deepEqual(
    [admission.isWelcome(at('127.0.0.1', 5)), admission.isWelcome(at('127.0.0.1', 6))],
    [false, true],
  );
  equal(open(database).bans().length, 0);
  database.close();
});

test('the filter counts too', () => {
  const allowAddress = (address: IpAddress): boolean => !address.startsWith('20.');
  const admission = new Admission({ limits: defaultConnectionLimits, clock, allowAddress });
  deepEqual([admission.isWelcome(at('20.0.0.1')), admission.isWelcome(at('21.0.0.1'))], [false, true]);
});

test('a ban by the user lasts over runs until it is taken back, by address or as it is listed', () => {
  const database = createDatabases().open(':memory:');
  const admission = open(database);
  const reason = { code: 'USER', message: 'Not this one.' };
  const ban = admission.ban(at('20.0.0.9'), reason);
  const network = admission.ban(at('2a00:1::5'), reason);
  nowMs += 1000 * 24 * 3600 * 1000;
  const next = open(database);
  deepEqual(
    next
      .bans()
      .map(({ key }) => key)
      .sort(),
    [ban.key, network.key].sort(),
  );
  deepEqual([next.unban('20.0.0.8'), next.unban('20.0.0.9'), next.unban(network.key)], [false, true, true]);
  ok(next.isWelcome(at('20.0.0.9')));
  deepEqual(open(database).bans(), []);
  database.close();
});
