import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SettingsPatch } from '@tequio/api';
import { createFiles } from '@tequio/runtime';
import { parse } from 'smol-toml';
import { migrateConfig } from './config-migrations.ts';
import { settingsOfEnvironment, variableOf } from './environment.ts';
import { SettingsBook } from './settings-book.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;
const mine = `# my node
version = 1

[bittorrent] # peers
port = 6881   # open in the router
limitUp = 1000

[[watch]]
path = "/in" # scanner

[http]
allowedHosts = [
  "a.example", # one
  "b.example",
]
`;

async function withBook(
  text: string,
  work: (book: SettingsBook, read: () => string) => Promise<void>,
  more: { env?: Record<string, string>; flags?: SettingsPatch } = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-config-'));
  const path = join(folder, 'config.toml');
  if (text !== '') writeFileSync(path, text);
  try {
    const book = await SettingsBook.open(
      { path, env: more.env ?? {}, flags: more.flags ?? {} },
      createFiles(),
    );
    await work(book, () => readFileSync(path, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('times of slow mode are written, changed and taken away, and the rest stays', () =>
  withBook(mine, async (book, read) => {
    const night = { days: [1, 2], fromMinute: 1350, toMinute: 360 };
    const noon = { days: [0], fromMinute: 720, toMinute: 780 };
    await book.patch({ altLimits: { schedule: [night] } });
    await book.patch({ altLimits: { limitUp: 1000 } });
    await book.patch({ altLimits: { schedule: [night, noon] } });
    assert.deepEqual((await book.get()).altLimits, {
      limitDown: null,
      limitUp: 1000,
      schedule: [night, noon],
    });
    assert.equal(read().match(/\[\[altLimits\.schedule\]\]/g)?.length, 2);
    await book.patch({ altLimits: { schedule: [] }, watch: [] });
    const { altLimits, watch } = await book.get();
    assert.deepEqual([altLimits.schedule, watch], [[], []]);
    assert.doesNotMatch(read(), /\[\[/);
    for (const comment of ['# my node', '# peers', '# open in the router', '# one'])
      assert.ok(read().includes(comment), comment);
  }));

test('a list in one line gives way to tables', () =>
  withBook('watch = [{ path = "/a" }]\n[http] # page\nbasePath = ""\n', async (book, read) => {
    await book.patch({ watch: [{ path: '/b' }] as never });
    assert.equal(Array.isArray(parse(read())['watch']), true);
    assert.deepEqual(
      (await book.get()).watch.map(({ path }) => path),
      ['/b'],
    );
    assert.match(read(), /# page/);
  }));

test('a list that has a usual content can be emptied', () =>
  withBook(mine, async (book, read) => {
    await book.patch({ bittorrent: { dhtBootstrap: [] }, http: { allowedHosts: [] } });
    const { bittorrent, http } = await book.get();
    assert.deepEqual([bittorrent.dhtBootstrap, http.allowedHosts], [[], []]);
    assert.match(read(), /# open in the router[\s\S]*dhtBootstrap = \[/);
    await book.patch({ bittorrent: { dhtBootstrap: ['a.example:1'] } });
    assert.deepEqual((await book.get()).bittorrent.dhtBootstrap, ['a.example:1']);
  }));

test('a change leaves what its owner has written around it', () =>
  withBook(mine, async (book, read) => {
    const heard: string[] = [];
    book.onChange((names) => heard.push(...names));
    const result = await book.patch({ bittorrent: { limitUp: 2000, limitDown: 50, port: null } });
    assert.deepEqual(result.changed, ['bittorrent.limitUp', 'bittorrent.limitDown', 'bittorrent.port']);
    assert.deepEqual(result.restartNeeded, ['bittorrent.port']);
    assert.deepEqual(heard, result.changed);
    assert.equal(
      read(),
      mine
        .replace('port = 6881   # open in the router\n', '')
        .replace('limitUp = 1000', 'limitUp = 2000\nlimitDown = 50'),
    );
    await book.patch({
      http: { allowedHosts: ['c.example'] },
      rss: { refreshMinutes: 5 },
      watch: [{ path: '/b' }] as never,
    });
    assert.match(read(), /# my node[\s\S]*\[rss\]\nrefreshMinutes = 5[\s\S]*\[\[watch\]\]\npath = "\/b"\n/);
    const { http, watch, rss } = await book.get();
    assert.deepEqual([http.allowedHosts, watch[0]?.path, rss.refreshMinutes], [['c.example'], '/b', 5]);
  }));

test('what is not there is made, what is not different is not written, what is wrong changes nothing', () =>
  withBook('', async (book, read) => {
    assert.deepEqual(await book.patch({ queue: { activeDownloads: 5 } }), { changed: [], restartNeeded: [] });
    assert.throws(read, /ENOENT/);
    await book.patch({ queue: { activeDownloads: 3 } });
    assert.equal(read(), '[queue]\nactiveDownloads = 3\n');
    await assert.rejects(book.patch({ queue: { activeDownloads: -1 } }), code('SETTINGS_VALUE'));
    await assert.rejects(book.patch({ queue: { nothing: 1 } as never }), code('SETTINGS_VALUE'));
    assert.equal(read(), '[queue]\nactiveDownloads = 3\n');
    assert.equal((await book.get()).queue.activeDownloads, 3);
    await book.patch({ queue: { activeDownloads: null } });
    assert.equal(read(), '[queue]\nactiveDownloads = 0\n', 'nothing would mean 5');
    assert.equal((await book.get()).queue.activeDownloads, null);
  }));

test('a file that is written in another way is written anew, with all that it says', () =>
  withBook('bittorrent.port = 6881\nqueue = { activeDownloads = 4 }\n', async (book) => {
    await book.patch({ bittorrent: { limitUp: 7 }, queue: { activeSeeds: 2 } });
    const { bittorrent, queue } = await book.get();
    assert.deepEqual(
      [bittorrent.port, bittorrent.limitUp, queue.activeDownloads, queue.activeSeeds],
      [6881, 7, 4, 2],
    );
  }));

test('file, then environment, then flags; what those say cannot be changed from here', () =>
  withBook(
    mine,
    async (book) => {
      const { bittorrent, http } = await book.get();
      assert.deepEqual([bittorrent.port, bittorrent.limitUp, http.address], [7000, 5, '127.0.0.1:1']);
      assert.equal((await book.origins())['bittorrent.port'], 'environment');
      assert.equal((await book.origins())['http.address'], 'flag');
      await assert.rejects(book.patch({ bittorrent: { port: 1 } }), code('SETTINGS_FIXED'));
    },
    {
      env: {
        TEQUIO_BITTORRENT_PORT: '7000',
        TEQUIO_BITTORRENT_LIMIT_UP: '5',
        TEQUIO_HTTP_ADDRESS: '127.0.0.1:2',
      },
      flags: { http: { address: '127.0.0.1:1' } },
    },
  ));

test('a password is not shown, and what is shown does not replace it', () =>
  withBook('[proxy]\nurl = "socks5://me:secret@host:1080"\n', async (book, read) => {
    const { proxy } = await book.get();
    assert.equal(proxy.url, 'socks5://me:***@host:1080');
    await book.patch({ proxy: { url: proxy.url!, peers: false } });
    assert.match(read(), /me:secret@host/);
    assert.equal(book.current.proxy.url, 'socks5://me:secret@host:1080');
  }));

test('variables are named after settings, and their values are of the kind that is needed', () => {
  assert.equal(variableOf('altLimits', 'limitDown'), 'TEQUIO_ALT_LIMITS_LIMIT_DOWN');
  const read = settingsOfEnvironment({
    PATH: '/bin',
    TEQUIO_DATA: '/x',
    TEQUIO_BITTORRENT_DHT: 'false',
    TEQUIO_BITTORRENT_BIND: 'wg0',
    TEQUIO_QUEUE_ACTIVE_DOWNLOADS: 'none',
    TEQUIO_COMPLETION_PROGRAM: '["/bin/echo", "{name}"]',
  });
  assert.deepEqual(read, {
    bittorrent: { dht: false, bind: 'wg0' },
    queue: { activeDownloads: null },
    completion: { program: ['/bin/echo', '{name}'] },
  });
  assert.throws(() => settingsOfEnvironment({ TEQUIO_BITTORENT_PORT: '1' }), code('CONFIG_ENVIRONMENT'));
  assert.throws(() => settingsOfEnvironment({ TEQUIO_COMPLETION_PROGRAM: '[' }), code('CONFIG_ENVIRONMENT'));
});

test('older files are brought up to date: golden files', () => {
  for (const version of [0]) {
    const read = (name: string): string =>
      readFileSync(new URL(`./golden/config-v${version}${name}.toml`, import.meta.url), 'utf8');
    const migrated = migrateConfig(parse(read('')) as Record<string, unknown>);
    assert.deepEqual(
      structuredClone(migrated),
      structuredClone({ ...parse(read('-migrated')) }),
      `version ${version}`,
    );
  }
});
