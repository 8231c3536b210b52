import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng, toHex } from '@tequio/kernel';
import { LocalAnnouncer, localAnnouncerLimits } from './local-announcer.ts';

const { intervalMs, jitterMs, betweenMs, heard } = localAnnouncerLimits;
const hashes = Array.from({ length: 60 }, (_, i) => new Uint8Array(20).fill(i));

function create(): LocalAnnouncer {
  return new LocalAnnouncer('mine', new Prng(1));
}

/** One text a datagram: first bytes of its info-hashes. */
function due(announcer: LocalAnnouncer, nowMs: number): string[] {
  return announcer
    .takeDue(6881, nowMs)
    .map(({ infoHashes }) => infoHashes.map((hash) => toHex(hash).slice(0, 2)).join());
}

test('at the start, then every five minutes', () => {
  const announcer = create();
  announcer.add('a', hashes[1]!, 1000);
  assert.equal(announcer.nextTimeoutMs(), 1000);
  assert.deepEqual(announcer.takeDue(6881, 1000), [{ port: 6881, infoHashes: [hashes[1]], cookie: 'mine' }]);
  assert.deepEqual(due(announcer, 1000), []);
  const next = announcer.nextTimeoutMs()!;
  assert.ok(next >= 1000 + intervalMs && next < 1000 + intervalMs + jitterMs);
  assert.deepEqual(due(announcer, next - 1), []);
  assert.deepEqual(due(announcer, next), ['01']);
});

test('stopped and started again: once a minute at most', () => {
  const announcer = create();
  announcer.add('a', hashes[1]!, 0);
  due(announcer, 0);
  announcer.remove('a', 5000);
  assert.equal(announcer.nextTimeoutMs(), null);
  announcer.add('a', hashes[1]!, 6000);
  const next = announcer.nextTimeoutMs()!;
  assert.ok(next >= betweenMs && next < betweenMs + jitterMs, `${next}`);
  due(announcer, next);
  announcer.remove('a', next + betweenMs + jitterMs);
  announcer.add('a', hashes[1]!, next + 2 * betweenMs);
  assert.deepEqual(due(announcer, next + 2 * betweenMs), ['01']);
});

test('few torrents have a datagram each, many share them', () => {
  const announcer = create();
  for (let i = 0; i < 5; i++) announcer.add(`${i}`, hashes[i]!, i * 100);
  assert.deepEqual(due(announcer, 0), ['00', '01', '02', '03', '04'], 'due within a second');
  const many = create();
  for (let i = 0; i < 60; i++) many.add(`${i}`, hashes[i]!, 0);
  assert.deepEqual(
    due(many, 0).map((names) => names.split(',').length),
    [24, 24, 12],
  );
});

test('added twice is added once', () => {
  const announcer = create();
  announcer.add('a', hashes[1]!, 0);
  due(announcer, 0);
  announcer.add('a', hashes[1]!, 1);
  assert.deepEqual(due(announcer, 1), []);
  announcer.remove('b', 1);
});

test('our own announces are not believed, nor those of a flood', () => {
  const announcer = create();
  const announce = { port: 1, infoHashes: [hashes[0]!] };
  assert.equal(announcer.accepts({ ...announce, cookie: 'mine' }, 0), false);
  let count = 0;
  for (let atMs = 0; atMs < 60_000; atMs += 10)
    if (announcer.accepts({ ...announce, cookie: atMs % 20 === 0 ? null : 'x' }, atMs)) count++;
  assert.ok(count <= heard.burst + heard.perMinute && count >= heard.perMinute, `${count}`);
});

test('however torrents come and go, none is announced twice within a minute', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const prng = new Prng(seed);
    const announcer = create();
    const last = new Map<string, number>();
    let nowMs = 0;
    for (let i = 0; i < 500; i++) {
      nowMs += prng.below(20_000);
      const index = prng.below(8);
      const doing = prng.below(10);
      if (doing < 4) announcer.add(`${index}`, hashes[index]!, nowMs);
      else if (doing < 7) announcer.remove(`${index}`, nowMs);
      for (const { infoHashes } of announcer.takeDue(1, nowMs)) {
        for (const name of infoHashes.map(toHex)) {
          assert.ok(nowMs - (last.get(name) ?? -Infinity) >= 60_000, `seed ${seed}`);
          last.set(name, nowMs);
        }
      }
    }
    assert.equal(last.size, 8);
  }
});
