import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWorld, run } from '../testing/fake-world.ts';

/** Runs until the node is told of, then Ctrl-C. */
async function runUntilStarted(world: FakeWorld, line: string): Promise<number> {
  const code = run(world, line);
  while (world.daemonStarts.length === 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  world.signal();
  return code;
}

test('only what was said goes over the config file', async () => {
  const world = new FakeWorld();
  assert.equal(await runUntilStarted(world, 'run --http 127.0.0.1:8080 --no-dht --download films'), 130);
  assert.deepEqual(world.daemonStarts[0]?.flags, {
    bittorrent: { dht: false },
    folders: { download: world.resolvePath('films') },
    http: { address: '127.0.0.1:8080' },
  });
});

test('without a command the node is run, and its address is the only result', async () => {
  const world = new FakeWorld();
  await runUntilStarted(world, '--data /data');
  assert.equal(world.daemonStarts[0]?.dataFolder, '/data');
  assert.deepEqual(world.daemonStarts[0]?.flags, {});
  assert.match(world.out, /^Open http:\/\/127\.0\.0\.1:1\/#token=x\n$/);
});

test('config check says every mistake, and where', async () => {
  const world = new FakeWorld();
  assert.equal(await run(world, 'config check'), 0);
  world.configReport = { ...world.configReport, problems: [{ key: 'http.address', message: 'is wrong' }] };
  assert.equal(await run(world, 'config check'), 2);
  assert.match(world.out, /http\.address: is wrong/);
});
