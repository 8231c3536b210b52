import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { startFront } from './http-front.fixture.ts';
import { idOf } from './testing/fake-management.ts';

const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 251);

async function start(t: TestContext) {
  const front = await startFront(t);
  front.node.put(idOf(1));
  front.node.contents.set(idOf(1), [
    { path: 'a/film.mkv', bytes },
    { path: 'a/evil.html', bytes: new TextEncoder().encode('<script>alert(1)</script>') },
    { path: "a/so 'ng\n.mp3", bytes },
  ]);
  const linkOf = async (file: number): Promise<string> => {
    const { headers, status } = await front.ask(`/api/v1/torrents/${idOf(1)}/files/${file}/content`);
    equal(status, 307);
    return String(headers['location']);
  };
  return { ...front, linkOf };
}

const range = (text: string) => ({ headers: { range: text }, known: false });

test('a file, a part of it, its end, and its head alone', async (t) => {
  const { ask, linkOf, port } = await start(t);
  const link = await linkOf(0);
  ok(!link.includes(`:${port}/`), 'content has an origin of its own');
  const whole = await ask(link, { known: false });
  deepEqual([whole.status, whole.headers['content-length']], [200, '100000']);
  equal(whole.headers['content-type'], 'video/x-matroska');
  deepEqual(Buffer.from(whole.text, 'latin1'), Buffer.from(bytes));
  for (const [text, from, to] of [
    ['bytes=10-19', 10, 20],
    ['bytes=99990-', 99_990, 100_000],
    ['bytes=-5', 99_995, 100_000],
    ['bytes=0-999999', 0, 100_000],
  ] as const) {
    const part = await ask(link, range(text));
    equal(part.status, 206, text);
    equal(part.headers['content-range'], `bytes ${from}-${to - 1}/100000`);
    deepEqual(Buffer.from(part.text, 'latin1'), Buffer.from(bytes.subarray(from, to)));
  }
  const none = await ask(link, range('bytes=100000-'));
  deepEqual([none.status, none.headers['content-range']], [416, 'bytes */100000']);
  for (const text of ['bytes=5-2', 'bytes=1-2,5-6', 'pieces=1-2', 'bytes=-'])
    equal((await ask(link, range(text))).status, 200, text);
  const head = await ask(link, { method: 'HEAD', known: false });
  deepEqual([head.status, head.text, head.headers['content-length']], [200, '', '100000']);
  const other = { range: 'bytes=0-1', 'if-range': '"another"' };
  equal((await ask(link, { known: false, headers: other })).status, 200);
});

test('what strangers made never runs', async (t) => {
  const { ask, linkOf } = await start(t);
  const page = await ask(await linkOf(1), { known: false });
  equal(page.headers['content-type'], 'application/octet-stream');
  match(String(page.headers['content-disposition']), /^attachment; filename\*=UTF-8''evil\.html$/);
  match(String(page.headers['content-security-policy']), /^sandbox;/);
  equal(page.headers['x-content-type-options'], 'nosniff');
  const song = await ask(await linkOf(2), { known: false });
  equal(song.headers['content-disposition'], "inline; filename*=UTF-8''so%20%27ng%0A.mp3");
});

test('a link opens one file, and cannot be changed; a key opens nothing here', async (t) => {
  const { ask, linkOf } = await start(t);
  const link = await linkOf(0);
  const { origin, pathname } = new URL(link);
  const parts = pathname.split('/');
  for (const [index, value] of [
    [2, idOf(2)],
    [3, '1'],
    [4, 'zzzzzzzz'],
    [5, 'A'.repeat(32)],
  ] as const) {
    const changed = parts.with(index, value).join('/');
    equal((await ask(origin + changed, { known: false })).status, 404, changed);
  }
  equal((await ask(`${origin}/api/v1/status`)).status, 404);
  equal((await ask(`${origin}/stream/${idOf(1)}/0`)).status, 404);
  equal((await ask(link, { method: 'POST', known: false })).status, 405);
  equal((await ask(link, { known: false, headers: { host: 'evil.example' } })).status, 421);
});

test('bytes come as their pieces do, and the reading ends when the player goes', async (t) => {
  const { node, open, linkOf, ask } = await start(t);
  let openGate = (): void => {};
  node.gate = new Promise((resolve) => {
    openGate = resolve;
  });
  const incoming = await open(await linkOf(0), range('bytes=500-'));
  // The head is there before the first piece.
  equal(incoming.statusCode, 206);
  match((await ask('/metrics')).text, /^tequio_http_content_streams 1$/m);
  let first: Uint8Array | null = null;
  incoming.once('data', (part: Uint8Array) => {
    first = part;
  });
  openGate();
  await untilReal(() => first !== null);
  deepEqual(Buffer.from(first!.subarray(0, 10)), Buffer.from(bytes.subarray(500, 510)));

  node.gate = new Promise(() => {});
  const waiting = await open(await linkOf(0), { known: false });
  waiting.on('error', () => {});
  waiting.destroy();
  let text = '';
  incoming.resume();
  await untilReal(() => incoming.complete);
  for (let look = 0; look < 200 && !/content_streams 0/.test(text); look++)
    ({ text } = await ask('/metrics'));
  match(text, /^tequio_http_content_streams 0$/m);
});

test('behind a proxy content has a host name of its own', async (t) => {
  const front = await startFront(t, {
    prepare: (node) => {
      const http = {
        ...node.settings.http,
        streamOrigin: 'https://content.example',
        allowedHosts: ['node.example'],
        trustedProxies: ['127.0.0.1'],
      };
      node.settings = { ...node.settings, http };
    },
    pageFiles: { 'index.html': '' },
  });
  front.node.put(idOf(1));
  front.node.contents.set(idOf(1), [{ path: 'a.mp4', bytes }]);
  const { headers } = await front.ask(`/api/v1/torrents/${idOf(1)}/files/0/content`);
  match(String(headers['location']), /^https:\/\/content\.example\/stream\//);
  const page = await front.ask('/', { known: false });
  match(
    String(page.headers['content-security-policy']),
    /media-src 'self' blob: https:\/\/content\.example;/,
  );
  const { pathname } = new URL(String(headers['location']));
  const forwarded = { 'x-forwarded-host': 'content.example', origin: 'https://node.example' };
  const played = await front.ask(`http://127.0.0.1:${front.contentPort}${pathname}`, {
    known: false,
    headers: forwarded,
  });
  equal(played.status, 200);
  equal(played.headers['access-control-allow-origin'], 'https://node.example');
});

test('a playlist names what can be played', async (t) => {
  const { ask } = await start(t);
  const { text, headers } = await ask(`/api/v1/torrents/${idOf(1)}/playlist.m3u8`);
  equal(headers['content-type'], 'application/vnd.apple.mpegurl');
  const lines = text.trim().split('\n');
  deepEqual(lines.slice(0, 2), ['#EXTM3U', '#EXTINF:-1,film.mkv']);
  match(lines[2]!, /^http:\/\/127\.0\.0\.1:\d+\/stream\/\w{40}\/0\/\w+\/[\w-]{32}\/film\.mkv$/);
  deepEqual([lines.length, lines[3]], [5, "#EXTINF:-1,so 'ng .mp3"]);
  equal((await ask(lines[2]!, { known: false })).status, 200);
});
