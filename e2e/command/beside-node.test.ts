/** Every command that speaks to a node that runs, or must go on beside one, each against a real one. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, suite, test } from 'node:test';
import { LabDaemon } from '../lab/daemon.ts';
import { cleanEnvironment, Running } from '../lab/running.ts';
import { programArguments, runTequio, type TequioRun } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';

type Json = Record<string, unknown>;

suite('commands beside a node that runs', () => {
  let root: string;
  let daemon: LabDaemon;
  const at = (...parts: string[]): string => join(root, ...parts);
  const ask = (...args: string[]): Promise<TequioRun> => runTequio(['--data', at('data'), ...args], root);
  /** All lines of `--json`, of a command that ends well. */
  const json = async (...args: string[]): Promise<Json[]> => {
    const { code, stdout, stderr } = await ask(...args, '--json');
    assert.equal(code, 0, stderr);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Json);
  };

  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'tequio-beside-'));
    mkdirSync(at('data'));
    daemon = new LabDaemon(at('data'));
    await daemon.start();
  });
  after(async () => {
    await daemon?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  test('status: where it listens, and who can reach it', { timeout: 120_000 }, async () => {
    const [status] = await json('status');
    assert.equal(status?.['port'], await daemon.port());
    assert.ok(Array.isArray(status?.['reachability']));
  });

  test('bans: of the node itself, which keeps them', { timeout: 120_000 }, async () => {
    assert.equal((await ask('bans', 'add', '192.0.2.7', '--reason', 'rude')).code, 0);
    const [{ bans } = { bans: [] }] = await json('bans');
    assert.deepEqual(
      (bans as Json[]).map(({ address, message }) => [address, message]),
      [['192.0.2.7', 'rude']],
    );
    const seen = await daemon.ask<{ address: string }[]>('GET', 'bans');
    assert.deepEqual(
      seen.map(({ address }) => address),
      ['192.0.2.7'],
    );
    assert.equal((await ask('bans', 'remove', '192.0.2.7')).code, 0);
    assert.equal((await ask('bans', 'remove', '192.0.2.7')).code, 66);
  });

  test('users, keys and passwords: who comes in, and how far', { timeout: 120_000 }, async () => {
    assert.equal((await ask('users', 'add', 'ana', '--quota', '1M', '--scope', 'write')).code, 0);
    const [user] = await json('users');
    assert.deepEqual([user?.['name'], user?.['quotaBytes']], ['ana', 1 << 20]);
    const { stdout } = await ask('keys', 'add', 'script', '--user', 'ana');
    const headers = { authorization: `Bearer ${stdout.trim()}` };
    const of = async (path: string): Promise<number> =>
      (await fetch(`${daemon.origin}/api/v1/${path}`, { headers })).status;
    assert.deepEqual([await of('torrents'), await of('users')], [200, 403]);
    assert.equal((await ask('users', 'change', 'ana', '--quota', 'none')).code, 0);
    assert.equal((await json('users'))[0]?.['quotaBytes'], null);
    assert.equal((await ask('users', 'remove', 'ana')).code, 0);
    assert.equal(await of('torrents'), 401, 'her keys went with her');
  });

  test('twin: two torrents of one file, both shared', { timeout: 120_000 }, async () => {
    writeFileSync(at('film.bin'), Buffer.alloc(300_000, 3));
    assert.equal((await ask('create', at('film.bin'), '--v1', '-o', at('film.torrent'))).code, 0);
    const [made] = await json('show', at('film.torrent'));
    const id = String(made?.['infoHashV1']);
    await daemon.ask('POST', 'torrents', {
      source: { magnet: String(made?.['magnet']) },
      folder: root,
      paused: true,
    });
    assert.equal((await ask('twin', id)).code === 0, false, 'what is not there has none');
    assert.equal((await ask('remove', id)).code, 0);
    assert.equal((await ask('add', at('film.torrent'), '--to', root)).code, 0);
    await until('it is shared', 60_000, async () =>
      (await daemon.torrents()).every(({ state }) => state === 'seeding'),
    );
    const [twin] = await json('twin', id);
    await until('both are shared', 60_000, async () => {
      const states = (await daemon.torrents()).map(({ state }) => state);
      return states.length === 2 && states.every((state) => state === 'seeding');
    });
    assert.notEqual(twin?.['id'], id);
  });

  test('tracker: one of its own, beside the node', { timeout: 120_000 }, async () => {
    const tracker = new Running(
      execPath,
      [...programArguments, '--data', at('data'), 'tracker', '--json', '--http', '0', '--bind', '127.0.0.1'],
      { env: cleanEnvironment(root) },
    );
    try {
      const url = await until(
        'it tracks',
        60_000,
        () => /"http":"([^"]+)"/.exec(tracker.stdout)?.[1] ?? null,
      );
      const answer = await fetch(
        `${url}?info_hash=${'%AB'.repeat(20)}&peer_id=${'-'.repeat(20)}&port=1&left=0&compact=1`,
      );
      assert.match(await answer.text(), /^d8:completei1e/);
    } finally {
      await tracker.stop('SIGINT');
    }
  });

  test('nat: asks the routers while the node runs', { timeout: 120_000 }, async () => {
    const { code, stderr } = await ask('nat', '--json');
    assert.notEqual(code, 70, stderr);
    assert.doesNotMatch(stderr, /mistake in Tequio|is running with the data folder/);
  });

  test('dht: serves and asks beside the node, on ports of its own', { timeout: 120_000 }, async () => {
    const server = new Running(
      execPath,
      [
        ...programArguments,
        '--data',
        at('data'),
        'dht',
        'serve',
        '--json',
        '--port',
        '0',
        '--bind',
        '127.0.0.1',
      ],
      { env: cleanEnvironment(root) },
    );
    try {
      const port = await until(
        'it serves',
        60_000,
        () => /"port":(\d+)/.exec(server.stdout)?.[1] ?? server.exit,
      );
      assert.equal(typeof port, 'string', server.stderr);
      const here = ['--bind', '127.0.0.1', '--dht-bootstrap', `127.0.0.1:${port}`];
      const [pong] = await json('dht', 'ping', `127.0.0.1:${port}`, ...here);
      assert.equal(typeof pong?.['id'], 'string');
    } finally {
      await server.stop('SIGINT');
    }
  });
});
