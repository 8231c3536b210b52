/** Debian's `transmission-remote` (the older dialect), unchanged, against the compatible API. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { CompatStage } from '../testing/compat-stage.ts';
import { programOrSkip } from '../testing/program-or-skip.ts';

suite('transmission-remote', { skip: programOrSkip('transmission-remote') }, () => {
  const stage = CompatStage.inSuite('transmission-remote 3.00', 'transmission-remote');
  const remote = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      'transmission-remote',
      [`127.0.0.1:${stage.server.port}`, '--auth', 'admin:correct horse', ...args],
      { timeout: 10_000, env: { ...process.env, LC_ALL: 'C' } },
    );
    return stdout;
  };
  const add = (): Promise<string> => remote('-a', stage.sample.file, '--download-dir', '/in/here');

  test('a wrong password is refused', async () => {
    const reply = remote('--auth', 'admin:wrong', '-l');
    await assert.rejects(reply, ({ stderr }) => /401|[Uu]nauthorized/.test(stderr));
  });

  test('add, list, stop, start, remove', async () => {
    assert.match(await add(), /success/);
    assert.equal(stage.torrent.row.folder, '/in/here');
    const list = await remote('-l');
    assert.match(list, /^\s*1\s+0%\s+None\s+Unknown\s+0\.0\s+0\.0\s+None\s+Idle\s+sample$/m);
    await remote('-t', '1', '-S');
    assert.equal(stage.torrent.row.state, 'paused');
    assert.match(await remote('-t', 'all', '-l'), /Stopped\s+sample/);
    await remote('-t', stage.sample.infoHash, '-s');
    assert.equal(stage.torrent.row.state, 'downloading');
    assert.match(await remote('-t', '1', '--remove-and-delete'), /success/);
    assert.equal(stage.twin.torrents.book.size, 0);
    assert.deepEqual(stage.twin.torrents.contentRemoved.at(-1), stage.sample.infoHash);
  });

  test('all that it shows of a torrent', async () => {
    await add();
    const info = await remote('-t', stage.sample.infoHash, '-i');
    assert.match(info, new RegExp(`Hash: ${stage.sample.infoHash}`));
    assert.match(info, /Name: sample/);
    assert.match(info, /Comment: a comment/);
    assert.match(info, /Creator: tester/);
    assert.match(info, /Piece Count: 8/);
    assert.match(info, /Piece Size: 16\.00 KiB/);
    assert.match(info, /Location: \/in\/here/);
    const files = await remote('-t', stage.sample.infoHash, '-f');
    assert.match(files, /sample \(3 files\)/);
    assert.match(files, /0%\s+Normal\s+Yes\s+40\.0+ kB\s+sample\/a\.bin/);
    assert.match(await remote('-t', stage.sample.infoHash, '-it'), /Tracker 0: http:\/\/127\.0\.0\.1:9/);
    assert.match(await remote('-t', stage.sample.infoHash, '-ip'), /Address\s+Flags/);
    assert.match(await remote('-t', stage.sample.infoHash, '-ic'), /00000000/);
  });

  test('files, priorities, limits, labels, goals and place', async () => {
    await add();
    const set = (...args: string[]): Promise<string> => remote('-t', stage.sample.infoHash, ...args);
    await set('--no-get', '0');
    await set('--priority-high', '1');
    assert.deepEqual(
      stage.torrent.files.map(({ priority }) => priority),
      [0, 6, 4],
    );
    await set('--get', 'all');
    await set('-d', '100', '-u', '50');
    assert.deepEqual([stage.torrent.row.limitDown, stage.torrent.row.limitUp], [100_000, 50_000]);
    await set('-D');
    assert.equal(stage.torrent.row.limitDown, null);
    await set('-L', 'red,blue');
    assert.deepEqual(stage.torrent.row.tags, ['red', 'blue']);
    await set('--seedratio', '1.5');
    assert.equal(stage.torrent.row.shareGoal?.ratio, 1.5);
    await set('--seedratio-default');
    await set('--tracker-add', 'http://more.example/announce');
    assert.deepEqual(stage.torrent.tiers.at(-1), ['http://more.example/announce']);
    await set('--tracker-remove', '0');
    assert.equal(stage.torrent.tiers.length, 2);
    await set('--move', '/moved');
    assert.equal(stage.torrent.row.folder, '/moved');
    await set('--verify');
    await set('--reannounce');
    assert.deepEqual([stage.torrent.recheckedCount, stage.torrent.announcedCount], [1, 1]);
  });

  test('the session', async () => {
    const info = await remote('-si');
    assert.match(info, /Listenport: 27272/);
    assert.match(info, /Download directory: \/downloads/);
    assert.match(info, /Blocklist size: 7|Distributed hash table enabled: Yes/);
    assert.match(await remote('-st'), /CURRENT SESSION[\s\S]*TOTAL[\s\S]*Started 3 times/);
    await remote('-d', '800', '-u', '200', '--alt-speed', '--no-dht', '-w', '/elsewhere', '-gsr', '3');
    const { bittorrent, folders, sharing } = stage.twin.settings;
    assert.deepEqual([bittorrent.limitDown, bittorrent.limitUp, bittorrent.dht], [800_000, 200_000, false]);
    assert.deepEqual([folders.download, sharing.ratio, stage.twin.altLimits], ['/elsewhere', 3, true]);
    assert.match(await remote('--blocklist-update'), /success/);
    assert.match(await remote('-pt'), /Port is open: No/);
    await remote('--exit');
    assert.ok(stage.twin.shutdownCount > 0);
  });
});
