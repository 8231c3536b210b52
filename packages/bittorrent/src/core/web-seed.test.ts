import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IpAddress, Prng } from '@tequio/kernel';
import type { TorrentFile } from '../wire/torrent-info.ts';
import { checkUrl } from './url-rules.ts';
import {
  WebSeed,
  type WebSeedEffect,
  type WebSeedHead,
  type WebSeedRequest,
  webSeedLimits,
} from './web-seed.ts';
import { type WebSeedInfo, WebSeedMap } from './web-seed-map.ts';

const remote = '192.0.2.80' as IpAddress;
const folder = 'http://seed.example/files/';

function infoOf(
  pieceBytes: number,
  files: readonly { path: string; bytes: number; pad?: boolean }[],
): WebSeedInfo {
  let offset = 0;
  const laidOut = files.map((file, index): TorrentFile => {
    const start = offset;
    offset += file.bytes;
    return {
      index,
      path: file.path,
      bytes: file.bytes,
      offset: start,
      pad: file.pad === true,
      executable: false,
      hidden: false,
      symlink: null,
      piecesRoot: null,
    };
  });
  return {
    files: laidOut,
    pieceBytes,
    pieceCount: Math.ceil(offset / pieceBytes),
    totalBytes: offset,
    nameChanges: [],
  };
}

/** Byte at a linear place: zeros in pads. */
function contentOf(info: WebSeedInfo): Uint8Array {
  const content = new Prng(info.totalBytes).bytes(info.totalBytes);
  for (const file of info.files) if (file.pad) content.fill(0, file.offset, file.offset + file.bytes);
  return content;
}

type Answer = { head: (Partial<WebSeedHead> & { status: number }) | null; body?: Uint8Array; error?: string };

/** A web seed with its server, in no time. */
class World {
  readonly info: WebSeedInfo;
  readonly content: Uint8Array;
  readonly seed: WebSeed;
  readonly got: Uint8Array;
  readonly gotAt: Uint8Array;
  readonly events: Exclude<WebSeedEffect, { type: 'open' | 'abort' }>[] = [];
  readonly asked: string[] = [];
  nowMs = 0;
  chunkBytes = 1000;
  answer: (request: WebSeedRequest) => Answer;

  constructor(info: WebSeedInfo, url = folder) {
    this.info = info;
    this.content = contentOf(info);
    this.seed = new WebSeed({ url, info, userAgent: 'Test/1' });
    this.got = new Uint8Array(info.totalBytes);
    this.gotAt = new Uint8Array(info.totalBytes);
    this.answer = (request) => this.serve(request);
  }

  readonly sink = (piece: number, offset: number, bytes: Uint8Array): void => {
    assert.ok(offset + bytes.length <= this.info.pieceBytes, 'a part never crosses a piece');
    const at = piece * this.info.pieceBytes + offset;
    this.got.set(bytes, at);
    for (let i = 0; i < bytes.length; i++) this.gotAt[at + i]!++;
  };

  fileOf(request: WebSeedRequest): TorrentFile {
    const path = decodeURIComponent(request.url.href.replace(folder, '').replace(/\?.*$/, ''));
    const file = this.info.files.find((candidate) => candidate.path === path) ?? this.info.files[0];
    assert.ok(file !== undefined);
    return file;
  }

  rangeOf(request: WebSeedRequest): [number, number] {
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers['range'] ?? '');
    assert.ok(match !== null);
    return [Number(match[1]), Number(match[2]) + 1];
  }

  /** An honest answer. */
  serve(request: WebSeedRequest): Answer {
    const file = this.fileOf(request);
    const [from, to] = this.rangeOf(request);
    const body = this.content.subarray(file.offset + from, file.offset + to);
    return {
      head: { status: 206, headers: { 'content-range': `bytes ${from}-${to - 1}/${file.bytes}` } },
      body,
    };
  }

  run(piece: number, offset: number, bytes: number): void {
    this.seed.start({ piece, offset, bytes }, this.sink, this.nowMs);
    this.settle();
  }

  settle(): void {
    const out: WebSeedEffect[] = [];
    for (let rounds = 0; rounds < 1000; rounds++) {
      this.seed.drain(out);
      const effect = out.shift();
      if (effect === undefined) return;
      if (effect.type === 'open') this.#carryOut(effect.request);
      else if (effect.type !== 'abort') this.events.push(effect);
    }
    assert.fail('the seed never comes to rest');
  }

  #carryOut(request: WebSeedRequest): void {
    this.asked.push(`${request.url.href} ${request.headers['range']}`);
    const { head, body = new Uint8Array(0), error } = this.answer(request);
    if (head !== null) this.seed.handleHead(request.id, { headers: {}, remote, ...head }, this.nowMs);
    for (let at = 0; at < body.length; at += this.chunkBytes)
      this.seed.handleBytes(request.id, body.slice(at, at + this.chunkBytes), this.sink, this.nowMs);
    const failure = error === undefined ? null : { code: error, message: 'test' };
    this.seed.handleEnd(request.id, failure, this.sink, this.nowMs);
  }

  /** Exactly these linear bytes were handed on, once each, and right. */
  assertGot(from: number, to: number): void {
    for (let at = 0; at < this.info.totalBytes; at++) {
      assert.equal(this.gotAt[at], at >= from && at < to ? 1 : 0, `byte ${at}`);
      if (this.gotAt[at] === 1) assert.equal(this.got[at], this.content[at], `byte ${at}`);
    }
  }

  lastEvent(): { type: string; code?: string; retryAtMs?: number | null } {
    const event = this.events.at(-1);
    assert.ok(event !== undefined);
    if (event.type !== 'failed') return { type: event.type };
    return { type: event.type, code: event.fault.code, retryAtMs: event.retryAtMs };
  }
}

const multi = infoOf(1024, [
  { path: 'top/a b.txt', bytes: 1500 },
  { path: 'top/empty', bytes: 0 },
  { path: '.pad/548', bytes: 548, pad: true },
  { path: 'top/sub/ü#?.bin', bytes: 3000 },
]);

test('a run over files and pads: one range a file, zeros for pads, every byte once', () => {
  const world = new World(multi);
  world.run(1, 100, 3000);
  world.assertGot(1124, 4124);
  assert.deepEqual(world.asked, [
    'http://seed.example/files/top/a%20b.txt bytes=1124-1499',
    'http://seed.example/files/top/sub/%C3%BC%23%3F.bin bytes=0-2075',
  ]);
  assert.deepEqual([world.events.map((event) => event.type), world.seed.state], [['done'], 'idle']);
});

test('URLs: folders with and without slash, single files, queries, original names, no climbing', () => {
  const urlOf = (url: string, info: WebSeedInfo, file = 0): string | null => {
    const checked = checkUrl(url, 'web-seed');
    assert.ok(checked.ok);
    return new WebSeedMap(checked.value, info).tryUrlOf(info.files[file]!);
  };
  const single = infoOf(1024, [{ path: 'x y.iso', bytes: 10 }]);
  assert.equal(urlOf('http://a.example/get/file', single), 'http://a.example/get/file');
  assert.equal(urlOf('http://a.example/dir/', single), 'http://a.example/dir/x%20y.iso');
  assert.equal(urlOf('http://a.example/dir', multi), 'http://a.example/dir/top/a%20b.txt');
  assert.equal(urlOf('http://a.example', multi), 'http://a.example/top/a%20b.txt');
  assert.equal(urlOf('http://a.example/d?k=1', multi), 'http://a.example/d/top/a%20b.txt?k=1');
  const renamed = (was: string): WebSeedInfo => ({
    ...multi,
    nameChanges: [{ was, is: 'top/a b.txt', reason: '' }],
  });
  assert.equal(urlOf(folder, renamed('top/a:b.txt')), 'http://seed.example/files/top/a%3Ab.txt');
  for (const was of ['top/../../etc/passwd', '/etc', 'top/.', 'top/\ud800'])
    assert.equal(urlOf(folder, renamed(was)), null, was);
});

test('long runs are asked for in pieces of a request, and a short range is followed by the rest', () => {
  const info = infoOf(1 << 20, [
    { path: 'top/big', bytes: 20 << 20 },
    { path: 'top/b', bytes: 1 },
  ]);
  const world = new World(info);
  world.chunkBytes = 100_000;
  world.answer = (request) => {
    const [from, to] = world.rangeOf(request);
    const end = Math.min(to, from + 3_000_000);
    return {
      head: { status: 206, headers: { 'content-range': `Bytes ${from}-${end - 1}/*` } },
      body: world.content.subarray(from, end),
    };
  };
  world.run(0, 0, 17 << 20);
  assert.equal(world.lastEvent().type, 'done');
  assert.ok(world.asked.length >= 6);
  assert.deepEqual(world.got.subarray(0, 17 << 20), world.content.subarray(0, 17 << 20));
  assert.match(world.asked[0]!, new RegExp(`bytes=0-${webSeedLimits.requestBytesMax - 1}$`));
});

test('a server without ranges: whole files, a short skip, and no long one', () => {
  const world = new World(multi);
  world.answer = (request) => {
    const file = world.fileOf(request);
    const body = world.content.subarray(file.offset, file.offset + file.bytes);
    return { head: { status: 200, headers: { 'content-length': String(file.bytes) } }, body };
  };
  world.run(1, 10, 2500);
  world.assertGot(1034, 3534);
  assert.equal(world.seed.state, 'idle');
  const big = new World(
    infoOf(1 << 20, [
      { path: 'top/big', bytes: 9 << 20 },
      { path: 'top/b', bytes: 1 << 20 },
    ]),
  );
  big.answer = () => ({ head: { status: 200 } });
  big.run(8, 0, 1000);
  assert.deepEqual(
    big.events.map((event) => event.type),
    ['lost', 'failed'],
  );
  assert.equal(big.seed.pieces.has(8), false);
  assert.equal(big.seed.pieces.has(9), true);
  assert.equal(big.seed.state, 'idle');
});

test('a missing file or one of another length is lost alone; the last one ends the seed', () => {
  const world = new World(multi);
  world.answer = () => ({ head: { status: 404 }, body: new Uint8Array(50) });
  world.run(0, 0, 100);
  assert.deepEqual(world.lastEvent(), { type: 'failed', code: 'BITTORRENT_WEB_SEED_FILE', retryAtMs: 0 });
  assert.deepEqual(
    [0, 1, 2].map((piece) => world.seed.pieces.has(piece)),
    [false, false, true],
  );
  world.answer = () => ({ head: { status: 206, headers: { 'content-range': 'bytes 0-9/77' } } });
  world.run(2, 0, 10);
  assert.deepEqual([world.lastEvent().retryAtMs, world.seed.state], [null, 'dead']);
  assert.match(world.seed.fault?.message ?? '', /77 bytes there, not 3000/);
  world.assertGot(0, 0);
  world.run(0, 0, 10);
  assert.equal(world.asked.length, 2);
});

test('wrong ranges, short and long bodies and breaks are failures with doubling back-off', () => {
  const bad: [string, (world: World, request: WebSeedRequest) => Answer][] = [
    ['RANGE', () => ({ head: { status: 206 } })],
    ['RANGE', () => ({ head: { status: 206, headers: { 'content-range': 'bytes 5-9/1500' } } })],
    ['RANGE', () => ({ head: { status: 206, headers: { 'content-range': 'bytes 0-1499/1500' } } })],
    ['TOO_SHORT', (world, request) => ({ ...world.serve(request), body: new Uint8Array(3) })],
    ['TOO_LONG', (world, request) => ({ ...world.serve(request), body: new Uint8Array(300) })],
    [
      'BROKEN',
      (world, request) => ({ ...world.serve(request), body: new Uint8Array(3), error: 'HTTP_BROKEN' }),
    ],
    ['STATUS', () => ({ head: { status: 500 } })],
  ];
  for (const [code, answer] of bad) {
    const world = new World(multi);
    world.answer = (request) => answer(world, request);
    for (let i = 0; i < 3; i++) {
      world.run(0, 0, 100);
      const retryAtMs = world.nowMs + webSeedLimits.retryMsMin * 2 ** i;
      assert.deepEqual(world.lastEvent(), { type: 'failed', code: `BITTORRENT_WEB_SEED_${code}`, retryAtMs });
      assert.equal(world.seed.state, 'waiting');
      world.seed.handleTimeout(retryAtMs - 1);
      assert.equal(world.seed.state, 'waiting');
      world.nowMs = world.seed.nextTimeoutMs()!;
      world.seed.handleTimeout(world.nowMs);
      assert.equal(world.seed.state, 'idle');
    }
    world.answer = (request) => world.serve(request);
    world.run(0, 100, 100);
    assert.equal(world.lastEvent().type, 'done');
    world.answer = (request) => answer(world, request);
    world.run(0, 0, 100);
    assert.equal(world.lastEvent().retryAtMs, world.nowMs + webSeedLimits.retryMsMin, 'success forgives');
  }
});

test('retry-after as seconds and as a date by the server its own clock; silence for ever is hopeless', () => {
  const world = new World(multi);
  const retry = (headers: Record<string, string>): number | null | undefined => {
    world.answer = () => ({ head: { status: 503, headers } });
    world.run(0, 0, 10);
    const at = world.lastEvent().retryAtMs;
    const waitMs = typeof at === 'number' ? at - world.nowMs : at;
    world.nowMs = world.seed.nextTimeoutMs() ?? world.nowMs;
    world.seed.handleTimeout(world.nowMs);
    return waitMs;
  };
  assert.equal(retry({ 'retry-after': '120' }), 120_000);
  const dates = { date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2015 07:33:00 GMT' };
  assert.equal(retry(dates), 300_000);
  assert.equal(retry({ 'retry-after': '999999999' }), webSeedLimits.retryMsMax);
  assert.equal(retry({ 'retry-after': 'soon' }), 80_000);
  for (let i = 0; i < 3; i++) retry({});
  assert.equal(retry({}), null);
  assert.equal(world.seed.state, 'dead');
});

test('redirects are followed under the rules, and remember that a public server sent us', () => {
  const world = new World(multi);
  const asked: WebSeedRequest[] = [];
  world.answer = (request) => {
    asked.push(request);
    if (asked.length === 1)
      return {
        head: { status: 302, headers: { location: 'http://mirror.example/x' } },
        body: new Uint8Array(9),
      };
    return world.serve({ ...request, url: asked[0]!.url });
  };
  world.run(0, 0, 100);
  world.assertGot(0, 100);
  assert.deepEqual(
    asked.map((request) => [request.url.href, request.localAllowed]),
    [
      ['http://seed.example/files/top/a%20b.txt', true],
      ['http://mirror.example/x', false],
    ],
  );
  const loop = new World(multi);
  loop.answer = () => ({ head: { status: 301, headers: { location: '/again' } } });
  loop.run(0, 0, 100);
  assert.equal(loop.asked.length, 6);
  assert.equal(loop.lastEvent().code, 'BITTORRENT_URL_REFUSED');
  const local = new World(multi);
  local.answer = () => ({ head: null, error: 'HTTP_ADDRESS_REFUSED' });
  local.run(0, 0, 100);
  assert.deepEqual(local.lastEvent(), { type: 'failed', code: 'BITTORRENT_URL_LOCAL', retryAtMs: null });
  const refused = new WebSeed({ url: 'file:///etc', info: multi, userAgent: '' });
  assert.equal(refused.state, 'dead');
});

test('stop and ban in the middle, also from inside the sink, hand on nothing more', () => {
  for (const end of ['stop', 'ban'] as const) {
    const world = new World(multi);
    world.chunkBytes = 100;
    let count = 0;
    const sink = world.sink;
    Object.assign(world, {
      sink: (piece: number, offset: number, bytes: Uint8Array) => {
        sink(piece, offset, bytes);
        if (++count < 3) return;
        if (end === 'stop') world.seed.stop();
        else
          world.seed.handleBan({
            code: 'BITTORRENT_TEST',
            message: 'wrong bytes',
            blame: 'web-seed',
            penalty: 100,
          });
      },
    });
    world.run(0, 0, 4000);
    world.assertGot(0, 300);
    assert.equal(world.seed.state, end === 'stop' ? 'idle' : 'dead');
    assert.deepEqual(world.events, []);
  }
});

test('whatever a server does: no byte outside the run, none twice, no throw, and it comes to rest', () => {
  for (let seed = 0; seed < 500; seed++) {
    const prng = new Prng(seed);
    const files = Array.from({ length: prng.between(1, 6) }, (_, i) => ({
      path: prng.chance(0.8) ? `top/f${i}` : `pad${i}`,
      bytes: prng.chance(0.2) ? 0 : prng.between(1, 3000),
    })).map((file) => ({ ...file, pad: file.path.startsWith('pad') }));
    const info = infoOf(prng.pick([256, 1000, 1024]), files);
    if (info.totalBytes === 0) continue;
    const world = new World(info);
    world.chunkBytes = prng.between(1, 2000);
    world.answer = (request) => {
      const good = world.serve(request);
      const roll = prng.below(12);
      if (roll === 0)
        return {
          head: { status: prng.pick([200, 206, 301, 404, 416, 429, 500, 503, 999]) },
          body: prng.bytes(prng.below(4000)),
        };
      if (roll === 1) return { ...good, body: prng.bytes(prng.below(5000)) };
      if (roll === 2) return { ...good, error: 'HTTP_X' };
      if (roll === 3)
        return {
          head: {
            status: 206,
            headers: { 'content-range': `bytes ${prng.below(3000)}-${prng.below(3000)}/${prng.below(3000)}` },
          },
          body: prng.bytes(2000),
        };
      if (roll === 4)
        return {
          head: { status: 302, headers: { location: prng.pick(['/x', 'http://[', 'udp://x:1', '']) } },
        };
      return good;
    };
    for (let runs = 0; runs < 6 && world.seed.state !== 'dead'; runs++) {
      const from = prng.below(info.totalBytes);
      const bytes = prng.between(1, info.totalBytes - from);
      world.gotAt.fill(0);
      const piece = Math.floor(from / info.pieceBytes);
      world.run(piece, from - piece * info.pieceBytes, bytes);
      for (let at = 0; at < info.totalBytes; at++)
        assert.ok(world.gotAt[at]! <= (at >= from && at < from + bytes ? 1 : 0), `seed ${seed}, byte ${at}`);
      if (world.lastEvent().type === 'done')
        assert.equal(
          world.gotAt.reduce((sum, n) => sum + n, 0),
          bytes,
          `seed ${seed}`,
        );
      assert.notEqual(world.seed.state, 'busy', `seed ${seed}`);
      world.nowMs = world.seed.nextTimeoutMs() ?? world.nowMs;
      world.seed.handleTimeout(world.nowMs);
    }
  }
});
