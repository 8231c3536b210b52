/** Every kind of SOURCE that `get` takes, from the program itself: address, magnet, info-hash; IPv4 and IPv6. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, test } from 'node:test';
import { assertSameTree, makeContent } from '../lab/content.ts';
import { skipWithout } from '../lab/missing.ts';
import { cleanEnvironment, Running } from '../lab/running.ts';
import { programArguments, runTequio } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';

const offline = ['--no-dht', '--no-port-mapping'];
let root = '';
let seeder: Running;
let server: Server;
let port = 0;
let shown: { infoHashV1: string; infoHashV2: string; magnet: string };
let runCount = 0;
/** Of the programs that are run. */
let environment: Readonly<Record<string, string>> = {};

const at = (...parts: string[]): string => join(root, ...parts);
const url = (path: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

/** Downloads into a folder of its own; the exit code and that folder. */
async function get(
  source: string,
  ...more: string[]
): Promise<{ code: number | null; folder: string; words: string }> {
  const folder = at(`got-${++runCount}`);
  const args = [
    'get',
    source,
    '--to',
    folder,
    '--port',
    '0',
    '--data',
    at(`data-${runCount}`),
    ...offline,
    ...more,
  ];
  const running = new Running(execPath, [...programArguments, ...args], {
    env: { ...cleanEnvironment(root), ...environment },
  });
  const { code } = await running.wait(30_000);
  return { code, folder, words: running.describe() };
}

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tequio-sources-'));
  makeContent(
    at('content'),
    [
      { path: 'a.bin', bytes: 150_000 },
      { path: 'notes/b.txt', bytes: 40_000 },
    ],
    4,
  );
  assert.equal((await runTequio(['create', at('content'), '-o', at('t.torrent'), '--hybrid'], root)).code, 0);
  shown = JSON.parse((await runTequio(['show', at('t.torrent'), '--json'], root)).stdout);
  const args = [
    'seed',
    at('t.torrent'),
    '--from',
    root,
    '--port',
    '0',
    '--json',
    '--data',
    at('seed-data'),
    ...offline,
  ];
  seeder = new Running(execPath, [...programArguments, ...args], { env: cleanEnvironment(root) });
  port = await until('it seeds', 15_000, () => {
    const line = seeder.stdout
      .split('\n')
      .find((text) => text.includes('"seeding"') && text.includes('"port"'));
    return line === undefined ? null : (JSON.parse(line) as { port: number }).port;
  });
  server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/t.torrent' }).end();
    else if (request.url === '/t.torrent') response.end(readFileSync(at('t.torrent')));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

after(async () => {
  await seeder?.stop('SIGINT');
  server?.close();
  rmSync(root, { recursive: true, force: true });
});

test('an http address, also one that redirects; one that is not there is 66', async () => {
  for (const path of ['/t.torrent', '/moved']) {
    const { code, folder, words } = await get(url(path), '--peer', `127.0.0.1:${port}`);
    assert.equal(code, 0, words);
    assertSameTree(join(folder, 'content'), at('content'));
  }
  assert.equal((await get(url('/nothing'))).code, 66);
});

test('an https address, whose certificate must be one that this machine trusts', async (t) => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    at('key.pem'),
  ];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...key,
    '-out',
    at('cert.pem'),
    '-days',
    '1',
    ...subject,
  ]);
  if (made.status !== 0) return skipWithout(t, 'openssl is not here, to make a certificate with');
  const pair = { key: readFileSync(at('key.pem')), cert: readFileSync(at('cert.pem')) };
  const tls = createTlsServer(pair, (_, response) => void response.end(readFileSync(at('t.torrent'))));
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  t.after(() => tls.close());
  const source = `https://127.0.0.1:${(tls.address() as AddressInfo).port}/t.torrent`;

  const stranger = await get(source, '--peer', `127.0.0.1:${port}`);
  assert.equal(stranger.code, 69, stranger.words);
  assert.match(stranger.words, /could not prove who it is/);
  environment = { NODE_EXTRA_CA_CERTS: at('cert.pem') };
  const { code, folder, words } = await get(source, '--peer', `127.0.0.1:${port}`);
  environment = {};
  assert.equal(code, 0, words);
  assertSameTree(join(folder, 'content'), at('content'));
});

test('a magnet link, and the bare info-hash of either version; IPv6 as well', async () => {
  for (const [source, peer] of [
    [shown.magnet, `127.0.0.1:${port}`],
    [shown.infoHashV1, `[::1]:${port}`],
    [shown.infoHashV2, `127.0.0.1:${port}`],
  ] as const) {
    const { code, folder, words } = await get(source, '--peer', peer);
    assert.equal(code, 0, words);
    assertSameTree(join(folder, 'content'), at('content'));
  }
});

test('--select takes only what matches, and nothing but the content lies in the user’s folder', async () => {
  const { code, folder, words } = await get(
    at('t.torrent'),
    '--select',
    '*.txt',
    '--sequential',
    '--peer',
    `127.0.0.1:${port}`,
  );
  assert.equal(code, 0, words);
  assert.deepEqual(readdirSync(folder), ['content']);
  assert.deepEqual(readdirSync(join(folder, 'content')), ['notes']);
  assert.ok(existsSync(join(folder, 'content/notes/b.txt')));
});
