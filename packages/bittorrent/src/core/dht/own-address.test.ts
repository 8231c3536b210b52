import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress } from '@tequio/kernel';
import { dhtLimits } from './dht-limits.ts';
import { OwnAddress } from './own-address.ts';

const at = (address: string, port = 6881) => ({ address: address as IpAddress, port });

test('an address wins with four votes and more than half, one a network; a local one never', () => {
  const own = new OwnAddress();
  const wins = ['a', 'a', 'b', 'c'].map((block) => own.vote(block, at('5.1.0.2')));
  deepEqual(wins, [false, false, false, false], 'three networks');
  equal(own.vote('d', at('5.1.0.2')), true);
  for (const block of 'efghij') own.vote(block, at('192.168.1.2'));
  equal(own.address, '5.1.0.2');
  for (const block of 'wxyz') equal(own.vote(block, at('6.6.6.6')), false, 'not more than half');
  equal(own.vote('v', at('6.6.6.6')), true);
});

test('ports are those that the latest voters saw', () => {
  const own = new OwnAddress();
  for (let i = 0; i < 100; i++) own.vote(`block ${i}`, at('5.1.0.2', 1000 + i));
  equal(own.ports.length, dhtLimits.voteCountMax);
  deepEqual([own.ports[0], own.ports.at(-1)], [1100 - dhtLimits.voteCountMax, 1099]);
});
