import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BanSnapshot } from '@tequio/api';
import './bans.ts';
import { FakeWorld, run } from '../testing/fake-world.ts';

const bans: readonly BanSnapshot[] = [
  {
    address: '192.0.2.7',
    code: 'BITTORRENT_HASH',
    message: 'It sent a \u001b[31mbad piece.',
    untilMs: 1_800_000_000_000,
  },
  { address: '2001:db8::/64', code: 'USER', message: 'Banned by hand.', untilMs: null },
];

/** A node with these bans, that remembers what it was told. */
function worldWith(known: readonly BanSnapshot[]): { world: FakeWorld; told: string[] } {
  const world = new FakeWorld();
  const told: string[] = [];
  Object.assign(world.node.bittorrent, {
    bans: () => known,
    ban: (address: string, message: string) => void told.push(`ban ${address} ${message}`),
    unban: (address: string) => {
      told.push(`unban ${address}`);
      return known.some((ban) => ban.address === address);
    },
  });
  return { world, told };
}

test('bans lists who, until when and why; without a running node by one that talks to nobody', async () => {
  const { world } = worldWith(bans);
  assert.equal(await run(world, 'bans'), 0);
  assert.match(
    world.out,
    /^192\.0\.2\.7 {6}until 2027-01-1\d \d\d:\d\d {2}It sent a \ufffd\[31mbad piece\.$/m,
  );
  assert.match(world.out, /^2001:db8::\/64 {2}until removed {2}Banned by hand\.$/m);
  const { bind, port, dht, lsd, pex, portMapping, offline } = world.settings[0]!;
  assert.deepEqual(
    [bind, port, dht, lsd, pex, portMapping, offline],
    ['127.0.0.1', 0, null, false, false, false, false],
  );
  assert.equal(world.node.closeCount, 1);
  const empty = worldWith([]).world;
  assert.equal(await run(empty, 'bans list'), 0);
  assert.match(empty.err, /Nobody is banned/);
  const json = worldWith(bans).world;
  assert.equal(await run(json, '--json bans'), 0);
  assert.deepEqual(json.json, [{ type: 'bans', bans }]);
});

test('bans add and remove; who is not banned cannot be forgiven', async () => {
  const { world, told } = worldWith(bans);
  assert.equal(await run(world, 'bans add 198.51.100.1 --reason nonsense'), 0);
  assert.equal(await run(world, 'bans add 198.51.100.2'), 0);
  assert.equal(await run(world, 'bans remove 192.0.2.7'), 0);
  assert.equal(await run(world, 'bans remove 192.0.2.8'), 66);
  assert.deepEqual(told, [
    'ban 198.51.100.1 nonsense',
    'ban 198.51.100.2 Banned by hand.',
    'unban 192.0.2.7',
    'unban 192.0.2.8',
  ]);
  assert.match(world.out, /Forgiven: 192\.0\.2\.7\n/);
  assert.match(world.err, /“192\.0\.2\.8” is not banned/);
});
