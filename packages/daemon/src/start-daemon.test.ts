import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningDaemon, SettingsPatch } from '@tequio/api';
import { encodeUtf8 } from '@tequio/kernel';
import { startDaemon } from './start-daemon.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;
const quiet: SettingsPatch = {
  bittorrent: { port: 0, dht: false, portMapping: false, lsd: false },
  http: { address: '127.0.0.1:0' },
};

function start(folder: string, flags: SettingsPatch = {}, env = {}): Promise<RunningDaemon> {
  const sections = { ...quiet, ...flags };
  return startDaemon({
    dataFolder: join(folder, 'data'),
    configPath: null,
    env,
    flags: sections,
    version: '9',
    pageFolder: null,
    countryFile: null,
  });
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-daemon-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A torrent whose content lies in a folder. */
async function makeTorrent(daemon: RunningDaemon, folder: string): Promise<Uint8Array> {
  writeFileSync(join(folder, 'content.bin'), encodeUtf8('content '.repeat(5000)));
  return daemon.bittorrent.create({ path: join(folder, 'content.bin'), version: 'v1' });
}

test('what people say of a torrent is there after a restart, and so is the torrent', () =>
  inFolder(async (folder) => {
    const first = await start(folder, { folders: { download: folder } });
    const { torrents, users, status } = first.management;
    const none = { down: null, up: null };
    await torrents.putCategory({
      name: 'films',
      folder,
      finishedFolder: null,
      limits: none,
      shareGoal: null,
    });
    const torrent = await makeTorrent(first, folder);
    const { id } = await torrents.add({ source: { torrent }, category: 'films', tags: ['a'], seed: true });
    const other = await torrents.add({
      source: { magnet: `magnet:?xt=urn:btih:${'ab'.repeat(20)}` },
      paused: true,
    });
    await users.putUser({
      name: 'ana',
      scope: 'write',
      folder: null,
      quotaBytes: null,
      torrentCountMax: null,
    });
    const before = (await status.status()).allTime;
    await first.close();
    const second = await start(folder, { folders: { download: folder } });
    const row = await second.management.torrents.get(id);
    assert.deepEqual([row?.category, row?.tags, row?.folder], ['films', ['a'], folder]);
    assert.equal((await second.management.torrents.get(other.id))?.state, 'paused');
    assert.deepEqual(
      (await second.management.users.users()).map(({ name }) => name),
      ['ana'],
    );
    assert.equal((await second.management.status.status()).allTime.runCount, before.runCount + 1);
    await second.close();
  }));

test('a second node in the same folder says who is there, and does no harm', () =>
  inFolder(async (folder) => {
    const first = await start(folder);
    await assert.rejects(start(folder), (error: Error) => {
      assert.ok(code('DATA_IN_USE')(error));
      assert.match(
        error.message,
        new RegExp(`process ${process.pid}\\).*It answers at http://127\\.0\\.0\\.1:\\d+/`),
      );
      return true;
    });
    assert.equal((await first.management.torrents.list()).totalCount, 0, 'the first one works on');
    await first.close();
    const later = await start(folder);
    await later.close();
  }));

test('what is secret is for its owner alone', () =>
  inFolder(async (folder) => {
    const daemon = await start(folder);
    await daemon.management.settings.patch({ node: { name: 'Home' } });
    const modeOf = (name: string): number => statSync(join(folder, 'data', name)).mode & 0o777;
    const files = readdirSync(join(folder, 'data'));
    const rights = files.map((name) => [name, modeOf(name)]);
    await daemon.close();
    assert.equal(modeOf(''), 0o700);
    for (const name of [
      'token',
      'config.toml',
      'content-link.key',
      'lock',
      'tequio.sqlite',
      'tequio.sqlite-wal',
    ])
      assert.ok(files.includes(name), name);
    assert.deepEqual(
      rights.filter(([, mode]) => mode !== 0o600),
      [],
    );
  }));

test('a data folder that others could look into is closed to them, with a word in the log', () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, 'data'), { mode: 0o755 });
    chmodSync(join(folder, 'data'), 0o755);
    const daemon = await start(folder);
    const lines = (await daemon.management.log.lines()).filter(({ name }) => name === 'data-folder.mode');
    const told = lines.map(({ fields }) => String(fields['message']));
    const running = JSON.parse(readFileSync(join(folder, 'data', 'running.json'), 'utf8'));
    await daemon.close();
    assert.equal(told.length, 1);
    assert.match(told[0]!, /only its owner can \(mode 0700\)/);
    assert.deepEqual([running.pid, running.url], [process.pid, daemon.url?.split('#')[0]]);
    assert.equal(statSync(join(folder, 'data')).mode & 0o777, 0o700);
    assert.ok(!existsSync(join(folder, 'data', 'running.json')));
  }));

test('a mistake in the config file is a sentence with its place, and nothing is started', () =>
  inFolder(async (folder) => {
    const daemon = await start(folder);
    await daemon.close();
    const path = join(folder, 'data', 'config.toml');
    for (const [text, expected, message] of [
      ['[http\n', 'CONFIG_SYNTAX', /config\.toml, line 1/],
      ['[bittorrent]\nprot = 1\n', 'SETTINGS_VALUE', /bittorrent\.prot is no setting of this program/],
      ['[queue]\nactiveDownloads = "many"\n', 'SETTINGS_VALUE', /queue\.activeDownloads/],
      ['version = 99\n', 'CONFIG_VERSION', /newer program/],
    ] as const) {
      writeFileSync(path, text);
      await assert.rejects(start(folder), (error: Error) => {
        assert.ok(code(expected)(error), String(error));
        assert.match(error.message, message);
        return true;
      });
    }
    writeFileSync(path, '# mine\n[bittorrent]\nlimitUp = 5000 # slow line\n');
    const later = await start(folder);
    assert.equal((await later.management.settings.get()).bittorrent.limitUp, 5000);
    await later.close();
    await assert.rejects(start(folder, {}, { TEQUIO_BITORRENT_PORT: '1' }), code('CONFIG_ENVIRONMENT'));
  }));

test('shutdown over the API ends the node, and a pause of everything outlives it', () =>
  inFolder(async (folder) => {
    const daemon = await start(folder, { folders: { download: folder } });
    const torrent = await makeTorrent(daemon, folder);
    const { id } = await daemon.management.torrents.add({ source: { torrent }, seed: true });
    await daemon.management.status.pauseAll(null);
    await daemon.management.status.shutdown();
    await daemon.ended;
    await daemon.close();
    const later = await start(folder);
    assert.equal((await later.management.torrents.get(id))?.state, 'paused');
    assert.deepEqual((await later.management.status.status()).paused, { untilMs: null });
    await later.management.status.resumeAll();
    assert.equal((await later.management.torrents.get(id))?.queued, false);
    await later.close();
  }));

test('files of the node are made into a torrent and held against it, over HTTP too', () =>
  inFolder(async (folder) => {
    const daemon = await start(folder);
    const file = join(folder, 'content.bin');
    writeFileSync(file, encodeUtf8('content '.repeat(5000)));
    const token = readFileSync(join(folder, 'data', 'token'), 'utf8').trim();
    const ask = async (call: string, body: object): Promise<[number, Record<string, unknown>]> => {
      const answer = await fetch(new URL(`/api/v1/torrents/${call}`, daemon.url!), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return [answer.status, (await answer.json()) as Record<string, unknown>];
    };
    const [, made] = await ask('create', { path: file, version: 'v1', pieceBytes: 16_384 });
    const question = { torrent: made['torrent'], path: file };
    const [status, good] = await ask('verify', question);
    assert.deepEqual([status, good['ok'], good['goodPieceCount']], [200, true, 3]);
    const bytes = readFileSync(file);
    bytes[20_000]! ^= 1;
    writeFileSync(file, bytes);
    const [, bad] = await ask('verify', question);
    const [found] = bad['files'] as { state: string; badPieces: number[] }[];
    assert.deepEqual(
      [bad['ok'], bad['goodPieceCount'], found?.state, found?.badPieces],
      [false, 2, 'wrong', [1]],
    );
    rmSync(file);
    const [none, gone] = await ask('verify', question);
    assert.deepEqual([none, typeof gone['detail']], [404, 'string'], JSON.stringify(gone));
    const [refused, problem] = await ask('verify', { torrent: 'ZGU=', path: file });
    assert.deepEqual([refused, problem['code']], [422, 'BITTORRENT_METAINFO_INFO'], JSON.stringify(problem));
    await daemon.close();
  }));
