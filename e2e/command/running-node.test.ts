/** A node that runs, and the commands of other processes that find it by the same `--data`. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';
import { largeFiles, makeContent } from '../lab/content.ts';
import { cleanEnvironment, Running } from '../lab/running.ts';
import { programArguments, runTequio, type TequioRun } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';

const quiet = ['--no-dht', '--no-lsd', '--no-port-mapping', '--bind', '127.0.0.1', '--port', '0'];
const contentBytes = 24 << 20;

type Row = { readonly id: string; readonly doneBytes: number; readonly state: string; readonly type: string };

test('commands find the running node; what is played comes first; get waits for it', {
  timeout: 150_000,
}, async () => {
  const root = mkdtempSync(join(tmpdir(), 'tequio-node-'));
  const at = (...parts: string[]): string => join(root, ...parts);
  const running: Running[] = [];
  const start = (...args: string[]): Running => {
    const one = new Running(execPath, [...programArguments, ...args], { env: cleanEnvironment(root) });
    running.push(one);
    return one;
  };
  const ask = (...args: string[]): Promise<TequioRun> => runTequio(['--data', at('data'), ...args], root);
  const rows = async (): Promise<Row[]> => {
    const { stdout } = await ask('list', '--json');
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row);
  };
  try {
    makeContent(at('content'), [...largeFiles(contentBytes), { path: 'film.mp4', bytes: contentBytes }], 7);
    writeFileSync(at('other'), 'another torrent');
    for (const name of ['content', 'other'])
      assert.equal((await runTequio(['create', at(name), '-o', at(`${name}.torrent`)], root)).code, 0);
    const seed = start(
      ...['seed', at('content.torrent'), at('other.torrent'), '--from', root, '--json', '--data', at('seed')],
      ...['--limit-up', '3M', ...quiet],
    );
    const peer = await until('it seeds', 20_000, () => {
      const port = /"type":"seeding".*"port":(\d+)/.exec(seed.stdout)?.[1];
      return port === undefined ? null : `127.0.0.1:${port}`;
    });
    assert.equal((await ask('list')).code, 69, 'nothing runs yet');
    const node = start(
      '--data',
      at('data'),
      'run',
      '--json',
      '--http',
      '127.0.0.1:0',
      '--download',
      at('here'),
      ...quiet,
    );
    await until('it runs', 20_000, () => node.stdout.includes('"started"'));
    assert.equal(statSync(at('data', 'token')).mode & 0o777, 0o600);
    assert.equal(statSync(at('data', 'running.json')).mode & 0o777, 0o600);

    assert.equal((await ask('add', at('content.torrent'), '--tag', 'seen', '--paused')).code, 0);
    const [row] = await rows();
    assert.deepEqual([row?.state, row?.type], ['paused', 'torrent']);

    await seeTheEnd(at('data'), row!.id, peer, readFileSync(at('content', 'film.mp4')), () =>
      ask('resume', 'all'),
    );
    const [during] = await rows();
    assert.ok(
      during!.doneBytes < contentBytes,
      `${during!.doneBytes} bytes were there when the end of the film had been seen`,
    );

    // `get` gives its torrent to the node that runs, and stays until it is there.
    const got = await ask('get', at('other.torrent'), '--to', at('there'), '--peer', peer);
    assert.equal(got.code, 0, got.stderr);
    assert.match(got.stderr, /A node is running at http:/);
    assert.equal(readFileSync(at('there', 'other'), 'utf8'), 'another torrent');
    assert.equal((await rows()).length, 2);

    assert.equal((await ask('remove', 'other', '--delete')).code, 0);
    assert.throws(() => statSync(at('there', 'other')));
    assert.equal((await ask('stop')).code, 0);
    await node.wait(10_000);
    assert.equal((await ask('list')).code, 69);
  } finally {
    for (const one of running) await one.stop('SIGINT');
    rmSync(root, { recursive: true, force: true });
  }
});

/** Plays the end of the film at once: those pieces come before the other 48 MiB. */
async function seeTheEnd(
  dataFolder: string,
  id: string,
  peer: string,
  film: Uint8Array,
  resume: () => Promise<TequioRun>,
): Promise<void> {
  const { url } = JSON.parse(readFileSync(join(dataFolder, 'running.json'), 'utf8')) as { url: string };
  const token = readFileSync(join(dataFolder, 'token'), 'utf8').trim();
  const api = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}api/v1${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...init.headers },
    });
  const files = (await (await api(`/torrents/${id}/files`)).json()) as { index: number; path: string }[];
  const { index } = files.find(({ path }) => path.endsWith('film.mp4'))!;
  assert.equal((await resume()).code, 0);
  const body = JSON.stringify({ ids: [id], peers: [peer] });
  assert.equal((await api('/torrents/peers', { method: 'POST', body })).status, 204);
  const from = film.length - 100_000;
  const played = await api(`/torrents/${id}/files/${index}/content`, {
    headers: { range: `bytes=${from}-` },
  });
  assert.equal(played.status, 206);
  assert.ok(!played.url.startsWith(url), 'content has an origin of its own');
  assert.deepEqual(new Uint8Array(await played.arrayBuffer()), new Uint8Array(film.subarray(from)));
}
