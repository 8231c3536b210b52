import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IpAddress, Prng } from '@tequio/kernel';
import { ExternalAddress, externalAddressLimits } from './external-address.ts';

const [a, b, lie] = ['198.51.100.1', '198.51.100.2', '203.0.113.66'] as IpAddress[] as [
  IpAddress,
  IpAddress,
  IpAddress,
];

function voter(i: number): IpAddress {
  return `9.${i >> 8}.${i & 255}.1` as IpAddress;
}

test('two voters of different networks are believed, one is not', () => {
  const external = new ExternalAddress();
  assert.equal(external.handleVote(a, voter(1), 0), false);
  assert.equal(external.of(4), null);
  assert.equal(external.handleVote(a, '9.0.1.77' as IpAddress, 0), false, 'the same network');
  assert.equal(external.handleVote(a, voter(2), 0), true);
  assert.equal(external.of(4), a);
  assert.deepEqual(external.votesFor(4), { voteCount: 2, voterCount: 2 });
  assert.equal(external.handleVote(a, voter(3), 0), false, 'nothing new');
});

test('a tracker is one voter by its name', () => {
  const external = new ExternalAddress();
  external.handleVote(a, 'tracker.example', 0);
  external.handleVote(a, 'Tracker.Example', 0);
  assert.equal(external.of(4), null);
  external.handleVote(a, voter(1), 0);
  assert.equal(external.of(4), a);
});

test('families are apart, and a voter may be of the other one', () => {
  const external = new ExternalAddress();
  const v6 = '2001:db8::5' as IpAddress;
  external.handleVote(a, '2001:db8:1::1' as IpAddress, 0);
  external.handleVote(a, '2001:db8:2::1' as IpAddress, 0);
  external.handleVote(v6, '2001:db8:1:9::1' as IpAddress, 0);
  external.handleVote(v6, '2001:db8:1:8::1' as IpAddress, 0);
  assert.equal(external.of(4), a);
  assert.equal(external.of(6), null, 'one /48');
});

test('local addresses are not voted for, local voters are not heard', () => {
  const external = new ExternalAddress();
  for (let i = 1; i < 9; i++) {
    external.handleVote('192.168.1.7' as IpAddress, voter(i), 0);
    external.handleVote(a, `10.0.${i}.1` as IpAddress, 0);
  }
  assert.equal(external.of(4), null);
  assert.deepEqual(external.votesFor(4), { voteCount: 0, voterCount: 0 });
});

test('a minority of liars changes nothing; a new address is believed when more see it than the old one', () => {
  const external = new ExternalAddress();
  for (let i = 0; i < 10; i++) external.handleVote(a, voter(i), 0);
  for (let i = 20; i < 30; i++) external.handleVote(lie, voter(i), 1000);
  assert.equal(external.of(4), a, 'as many are not more');
  // The line has a new address: the same voters say so, one by one.
  let changedAt = -1;
  for (let i = 0; i < 10; i++)
    if (external.handleVote(b, voter(i), 2000) && external.of(4) === b) changedAt = i;
  assert.notEqual(external.of(4), a);
  for (let i = 40; i < 45; i++) external.handleVote(b, voter(i), 3000);
  assert.equal(external.of(4), b);
  assert.ok(changedAt < 10);
});

test('old votes end, and memory is bounded', () => {
  const external = new ExternalAddress();
  for (let i = 0; i < 500; i++) external.handleVote(lie, voter(i), 0);
  assert.equal(external.votesFor(4).voterCount, externalAddressLimits.voterCountMax);
  const laterMs = externalAddressLimits.voteLifeMs + 1;
  external.handleVote(a, voter(1000), laterMs);
  external.handleVote(a, voter(1001), laterMs);
  assert.equal(external.of(4), a);
  assert.deepEqual(external.votesFor(4), { voteCount: 2, voterCount: 2 });
});

test('liars in fewer networks than honest voters lose, in any order', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const prng = new Prng(seed);
    const external = new ExternalAddress();
    const ballots = Array.from({ length: 50 }, (_, i) => ({ voter: voter(i), address: i < 20 ? lie : a }));
    for (const vote of prng.shuffle(ballots)) external.handleVote(vote.address, vote.voter, seed);
    // Liars repeat themselves: it is still one voice each.
    for (let i = 0; i < 20; i++) external.handleVote(lie, voter(i), seed + 1);
    assert.equal(external.of(4), a, `seed ${seed}`);
  }
});
