import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressToBytes,
  concatBytes,
  encodeUtf8,
  formatEndpoint,
  fromLatin1,
  type IpAddress,
  Prng,
  tryFromHex,
} from '@tequio/kernel';
import { encodeBencode } from './bencode.ts';
import {
  decodeHttpAnnounceQuery,
  decodeHttpScrapeQuery,
  encodeHttpAnnounceUrl,
  encodeHttpScrapeUrl,
  encodeQueryBytes,
  type HttpAnnounceRequest,
  httpTrackerLimits,
  tryDecodeQueryBytes,
} from './tracker-http.ts';
import {
  decodeHttpAnnounceResponse,
  decodeHttpScrapeResponse,
  encodeHttpAnnounceReply,
  encodeHttpFailure,
  encodeHttpScrapeReply,
  httpAnswerLimits,
  type TrackerAnswer,
} from './tracker-http-response.ts';

const hash = tryFromHex('123456789abcdef123456789abcdef123456789a')!;
const request: HttpAnnounceRequest = {
  infoHash: hash,
  peerId: encodeUtf8('-TQ0100-0123456789ab'),
  port: 6881,
  uploadedBytes: 1,
  downloadedBytes: 2,
  leftBytes: 3,
  event: 'started',
  key: 0xabc,
  numWant: 50,
  trackerId: null,
};

function answerOf(bytes: Uint8Array): TrackerAnswer {
  const response = decodeHttpAnnounceResponse(bytes);
  assert.ok(response.ok && response.value.type === 'answer');
  return response.value.answer;
}

test('BEP 3: the info-hash is percent-encoded byte by byte', () => {
  assert.equal(encodeQueryBytes(hash), '%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A');
  const url = encodeHttpAnnounceUrl('http://t.example/announce', request);
  assert.equal(
    url,
    'http://t.example/announce?info_hash=%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A' +
      '&peer_id=-TQ0100-0123456789ab&port=6881&uploaded=1&downloaded=2&left=3&compact=1&no_peer_id=1' +
      '&key=00000abc&numwant=50&event=started',
  );
  assert.match(encodeHttpAnnounceUrl('http://t.example/a?pass=1', request), /a\?pass=1&info_hash=/);
  const plain = encodeHttpAnnounceUrl('http://t.example/a', {
    ...request,
    event: 'none',
    numWant: -1,
    trackerId: Uint8Array.of(0, 38),
  });
  assert.match(plain, /&key=00000abc&trackerid=%00%26$/);
});

test('BEP 48: the scrape URL is made of the announce URL, or there is none', () => {
  const scrape = (url: string): string | null => encodeHttpScrapeUrl(url, [])?.replace(/\?$/, '') ?? null;
  assert.equal(scrape('http://example.com/announce'), 'http://example.com/scrape');
  assert.equal(scrape('http://example.com/x/announce'), 'http://example.com/x/scrape');
  assert.equal(scrape('http://example.com/announce.php'), 'http://example.com/scrape.php');
  assert.equal(scrape('http://example.com/announce?x2%0644'), 'http://example.com/scrape?x2%0644&');
  assert.equal(scrape('http://example.com/a'), null);
  assert.equal(scrape('http://example.com/announce?x=2/4'), 'http://example.com/scrape?x=2/4&');
  assert.equal(scrape('http://example.com/x%064announce'), null);
});

test('what a client writes a server reads', () => {
  const prng = new Prng(3);
  for (let round = 0; round < 300; round++) {
    const sent: HttpAnnounceRequest = {
      infoHash: prng.bytes(20),
      peerId: prng.bytes(20),
      port: prng.below(65536),
      uploadedBytes: prng.below(2 ** 31) * 1000,
      downloadedBytes: prng.below(2 ** 31),
      leftBytes: prng.below(3),
      event: prng.pick(['none', 'started', 'stopped', 'completed'] as const),
      key: prng.nextUint32(),
      numWant: prng.between(-1, 200),
      trackerId: prng.chance(0.5) ? prng.bytes(prng.between(1, 20)) : null,
    };
    const url = encodeHttpAnnounceUrl('http://t.example/announce', sent);
    const read = decodeHttpAnnounceQuery(url.slice(url.indexOf('?') + 1));
    assert.deepEqual(read, { ok: true, value: { ...sent, compact: true, claimedAddresses: [] } });
  }
  const scrape = encodeHttpScrapeUrl('http://t.example/announce', [hash, request.peerId])!;
  assert.deepEqual(decodeHttpScrapeQuery(scrape.slice(scrape.indexOf('?') + 1)), {
    ok: true,
    value: [hash, request.peerId],
  });
});

test('queries that miss something are refused with the reason', () => {
  const good = encodeHttpAnnounceUrl('', request).slice(1);
  assert.equal(decodeHttpAnnounceQuery(good).ok, true);
  for (const bad of [
    '',
    good.replace(/info_hash=[^&]*/, 'info_hash=abc'),
    good.replace('peer_id=', 'x='),
    good.replace('port=6881', 'port=65536'),
    `${good}&x=${'y'.repeat(httpTrackerLimits.queryCharsMax)}`,
  ]) {
    const result = decodeHttpAnnounceQuery(bad);
    assert.ok(!result.ok);
    assert.match(result.fault.message, /^The request /);
  }
  const claims = decodeHttpAnnounceQuery(
    `${good.replace('compact=1', 'compact=0')}&ip=10.0.0.1&ipv6=%5B2001%3Adb8%3A%3A1%5D%3A5`,
  );
  assert.ok(claims.ok);
  assert.deepEqual(claims.value.claimedAddresses, ['10.0.0.1', '[2001:db8::1]:5']);
  assert.equal(claims.value.compact, false);
  assert.equal(tryDecodeQueryBytes('%zz'), null);
  assert.equal(tryDecodeQueryBytes('%1'), null);
  assert.deepEqual(tryDecodeQueryBytes('a+b%2B'), encodeUtf8('a b+'));
});

test('BEP 3, 7, 23, 24: every field of an answer', () => {
  const answer = answerOf(
    concatBytes([
      encodeUtf8('d8:completei5e10:downloadedi9e11:external ip4:'),
      Uint8Array.of(203, 0, 113, 7),
      encodeUtf8('10:incompletei6e8:intervali1800e12:min intervali900e5:peers12:'),
      tryFromHex('c00002011ae1c000020200 00'.replace(' ', ''))!,
      encodeUtf8('6:peers618:'),
      tryFromHex('20010db80000000000000000000000010050')!,
      encodeUtf8('10:tracker id3:xyz15:warning message4:slowe\n'),
    ]),
  );
  assert.deepEqual(
    { ...answer, peers: answer.peers.map(formatEndpoint) },
    {
      intervalMs: 1_800_000,
      minIntervalMs: 900_000,
      seedCount: 5,
      leechCount: 6,
      completedCount: 9,
      peers: ['192.0.2.1:6881', '[2001:db8::1]:80'],
      externalAddress: '203.0.113.7',
      trackerId: encodeUtf8('xyz'),
      warning: 'slow',
    },
  );
});

test('peers as dictionaries: addresses only, of both families', () => {
  const peers = [
    { ip: '192.0.2.1', port: 1, 'peer id': 'aaaaaaaaaaaaaaaaaaaa' },
    { ip: '2001:db8::2', port: 2 },
    { ip: 'host.example', port: 3 },
    { ip: '192.0.2.4', port: 0 },
    { ip: '192.0.2.5', port: 70000 },
    { port: 6 },
  ];
  const answer = answerOf(encodeBencode({ interval: 0, peers }));
  assert.deepEqual(answer.peers.map(formatEndpoint), ['192.0.2.1:1', '[2001:db8::2]:2']);
  assert.equal(answer.intervalMs, null);
});

test('BEP 31: a refusal says when to come back', () => {
  const refusal = (bytes: Uint8Array): unknown => {
    const response = decodeHttpAnnounceResponse(bytes);
    return response.ok && response.value.type === 'refusal' ? response.value.refusal : response;
  };
  assert.deepEqual(refusal(encodeHttpFailure('full', 5)), { message: 'full', retryInMs: 300_000 });
  assert.deepEqual(refusal(encodeHttpFailure('gone', 'never')), { message: 'gone', retryInMs: 'never' });
  assert.deepEqual(refusal(encodeHttpFailure('no')), { message: 'no', retryInMs: null });
  assert.deepEqual(refusal(encodeUtf8('d14:failure reasoni1e8:retry ini-4ee')), {
    message: 'no reason given',
    retryInMs: null,
  });
});

test('answers of our own tracker, compact and not, and scrapes', () => {
  const reply = {
    intervalS: 1800,
    minIntervalS: 60,
    seedCount: 1,
    leechCount: 2,
    completedCount: 3,
    peers4: tryFromHex('c00002011ae1')!,
    peers6: tryFromHex('20010db80000000000000000000000010050')!,
    externalAddress: '198.51.100.1' as IpAddress,
  };
  for (const compact of [true, false]) {
    const answer = answerOf(encodeHttpAnnounceReply({ ...reply, compact }));
    assert.deepEqual(answer.peers.map(formatEndpoint), ['192.0.2.1:6881', '[2001:db8::1]:80']);
    assert.equal(answer.externalAddress, '198.51.100.1');
    assert.deepEqual([answer.seedCount, answer.leechCount, answer.completedCount], [1, 2, 3]);
  }
  // The usual answer is written without the writer of bencode, and is what that one would write.
  for (const [externalAddress, peers6] of [
    ['198.51.100.1', new Uint8Array(0)],
    ['198.51.100.1', reply.peers6],
    ['2001:db8::2', new Uint8Array(0)],
  ] as const)
    assert.deepEqual(
      encodeHttpAnnounceReply({
        ...reply,
        externalAddress: externalAddress as IpAddress,
        peers6,
        compact: true,
      }),
      encodeBencode({
        complete: 1,
        downloaded: 3,
        'external ip': addressToBytes(externalAddress as IpAddress),
        incomplete: 2,
        interval: 1800,
        'min interval': 60,
        peers: reply.peers4,
        peers6: peers6.length > 0 || externalAddress.includes(':') ? peers6 : undefined,
      }),
    );
  const counts = { seedCount: 4, completedCount: 5, leechCount: 6 };
  const scrape = decodeHttpScrapeResponse(
    encodeHttpScrapeReply([
      [hash, counts],
      [hash, counts],
    ]),
  );
  assert.ok(scrape.ok && scrape.value.type === 'swarms');
  assert.deepEqual([...scrape.value.swarms.values()], [counts]);
});

test('decoders are total on broken answers and queries, and keep their limits', () => {
  const prng = new Prng(48);
  const seeds = [
    encodeUtf8('d8:intervali1800e5:peers6:abcdef6:peers618:abcdefghabcdefgh12e'),
    encodeBencode({ interval: 9, peers: [{ ip: '192.0.2.1', port: 5 }], 'retry in': 'never' }),
    encodeHttpScrapeReply([[hash, { seedCount: 1, completedCount: 1, leechCount: 1 }]]),
    encodeHttpFailure('x', 3),
  ];
  let accepted = 0;
  for (let round = 0; round < 15_000; round++) {
    const bytes = prng.chance(0.8) ? new Uint8Array(prng.pick(seeds)) : prng.bytes(prng.below(80));
    for (let n = prng.below(4); n > 0 && bytes.length > 0; n--)
      bytes[prng.below(bytes.length)] = prng.below(256);
    const cut = prng.chance(0.7) ? bytes : bytes.subarray(0, prng.below(bytes.length + 1));
    for (const result of [decodeHttpAnnounceResponse(cut), decodeHttpScrapeResponse(cut)])
      if (result.ok) accepted++;
      else assert.match(result.fault.code, /^BITTORRENT_/);
    const text = String.fromCharCode(...cut, prng.below(0x500));
    decodeHttpAnnounceQuery(text);
    decodeHttpScrapeQuery(`info_hash=${text}`);
  }
  assert.ok(accepted > 1000);
  const many = new Uint8Array(6 * (httpAnswerLimits.peerCountMax + 50)).fill(1);
  assert.equal(
    answerOf(encodeBencode({ peers: many, peers6: many })).peers.length,
    httpAnswerLimits.peerCountMax,
  );
  assert.equal(decodeHttpAnnounceResponse(fromLatin1('d1:al'.padEnd(3000, 'l'))).ok, false);
});
