/** A web seed over real HTTP on loopback. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HttpServerRequest, type HttpServerResponse, type IpAddress, Prng } from '@tequio/kernel';
import { createClock, createHttpClient, createHttpServer, createResolver } from '@tequio/runtime';
import { WebSeed, type WebSeedEffect } from '../core/web-seed.ts';
import type { WebSeedInfo } from '../core/web-seed-map.ts';
import { WebSeedDriver } from './web-seed-driver.ts';

const content = new Prng(1).bytes(3_000_000);
const info: WebSeedInfo = {
  files: [
    {
      index: 0,
      path: 'top/a b.bin',
      bytes: content.length,
      offset: 0,
      pad: false,
      executable: false,
      hidden: false,
      symlink: null,
      piecesRoot: null,
    },
  ],
  pieceBytes: 65536,
  pieceCount: Math.ceil(content.length / 65536),
  totalBytes: content.length,
  nameChanges: [],
};

type Notice = Exclude<WebSeedEffect, { type: 'open' | 'abort' }> | null;

/** Ranges of `content`, after one redirect. */
function serve(request: HttpServerRequest): HttpServerResponse {
  const body = new Uint8Array(0);
  if (request.target === '/old/top/a%20b.bin')
    return { status: 302, headers: { location: '/new/top/a%20b.bin' }, body };
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers['range'] ?? '');
  if (request.target !== '/new/top/a%20b.bin' || range === null) return { status: 404, headers: {}, body };
  const [from, to] = [Number(range[1]), Number(range[2]) + 1];
  return {
    status: 206,
    headers: { 'content-range': `bytes ${from}-${to - 1}/${content.length}` },
    body: content.slice(from, to),
  };
}

async function fetchAll(path: string, pauses: boolean): Promise<{ got: Uint8Array; notice: Notice }> {
  const http = createHttpClient(createResolver());
  const listener = await createHttpServer().listen({ address: '127.0.0.1' as IpAddress, port: 0 }, serve);
  const clock = createClock();
  const got = new Uint8Array(content.length);
  const url = `http://127.0.0.1:${listener.local.port}${path}`;
  try {
    const notice = await new Promise<Notice>((resolve) => {
      let isPaused = false;
      const driver = new WebSeedDriver(
        {
          seed: new WebSeed({ url, info, userAgent: 'Test/1' }),
          sink: (piece, offset, bytes) => {
            assert.equal(isPaused && pauses, false, 'nothing comes while paused');
            got.set(bytes, piece * info.pieceBytes + offset);
          },
          notify: (effect) => {
            if (effect?.type !== 'lost') resolve(effect);
          },
        },
        { http, clock },
      );
      driver.start({ piece: 0, offset: 0, bytes: content.length });
      if (!pauses) return;
      driver.pause();
      isPaused = true;
      setImmediate(() => {
        isPaused = false;
        driver.resume();
      });
    });
    return { got, notice };
  } finally {
    http.close();
    await listener.close();
  }
}

test('a whole file over a redirect, byte for byte, also with back-pressure', async () => {
  for (const pauses of [false, true]) {
    const { got, notice } = await fetchAll('/old', pauses);
    assert.equal(notice?.type, 'done');
    assert.deepEqual(got, content);
  }
});

test('a missing file ends the seed with the reason', async () => {
  const { notice } = await fetchAll('/nowhere', false);
  assert.ok(notice?.type === 'failed');
  assert.equal(notice.retryAtMs, null);
  assert.match(notice.fault.message, /HTTP status 404/);
});

test('a local address with a query is not asked', async () => {
  const { notice } = await fetchAll('/old?reboot=1', false);
  assert.ok(notice?.type === 'failed');
  assert.equal(notice.fault.code, 'BITTORRENT_URL_LOCAL');
});
