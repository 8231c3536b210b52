import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8, formatEndpoint, Prng, toHex, tryFromHex } from '@tequio/kernel';
import {
  announceEvents,
  decodeUdpTrackerRequest,
  decodeUdpTrackerResponse,
  decodeUrlData,
  encodeUdpAnnounce,
  encodeUdpConnect,
  encodeUdpScrape,
  type UdpAnnounceRequest,
  udpTrackerLimits,
} from './tracker-udp.ts';

const hash = tryFromHex('0102030405060708090a0b0c0d0e0f1011121314')!;
const peerId = encodeUtf8('-TQ0100-abcdefghijkl');

const announce: UdpAnnounceRequest = {
  connectionId: tryFromHex('1122334455667788')!,
  transaction: 0xcafebabe,
  infoHash: hash,
  peerId,
  downloadedBytes: 1,
  leftBytes: 2 ** 40 + 3,
  uploadedBytes: 5,
  event: 'started',
  key: 0x01020304,
  numWant: -1,
  port: 6881,
  urlData: '',
};

test('BEP 15: connect is the magic number, action 0 and the transaction', () => {
  assert.equal(toHex(encodeUdpConnect(0xdeadbeef)), '0000041727101980' + '00000000' + 'deadbeef');
});

test('BEP 15: the announce request has every field at its place', () => {
  assert.equal(
    toHex(encodeUdpAnnounce(announce)),
    '1122334455667788' +
      '00000001' +
      'cafebabe' +
      toHex(hash) +
      toHex(peerId) +
      '0000000000000001' +
      '0000010000000003' +
      '0000000000000005' +
      '00000002' +
      '00000000' +
      '01020304' +
      'ffffffff' +
      '1ae1',
  );
  assert.deepEqual(
    announceEvents.map((event) => encodeUdpAnnounce({ ...announce, event })[83]),
    [0, 1, 2, 3],
  );
});

test('BEP 41: URL data of any length comes back, and option 0 ends it', () => {
  for (const length of [0, 1, 254, 255, 256, 600]) {
    const urlData = '/announce?k='.padEnd(length, 'x').slice(0, length);
    const bytes = encodeUdpAnnounce({ ...announce, urlData });
    const decoded = decodeUdpTrackerRequest(bytes);
    assert.ok(decoded.ok && decoded.value.type === 'announce');
    assert.deepEqual(decoded.value, { type: 'announce', ...announce, urlData });
  }
  const example = concatBytes([Uint8Array.of(0x2, 0xc), encodeUtf8('/dir?a=b&c=d')]);
  assert.equal(decodeUrlData(example, 0), '/dir?a=b&c=d');
  const split = concatBytes([
    Uint8Array.of(2, 4),
    encodeUtf8('/dir'),
    Uint8Array.of(1, 1, 2, 8),
    encodeUtf8('?a=b&c=d'),
    Uint8Array.of(0, 2, 9),
  ]);
  assert.equal(decodeUrlData(split, 0), '/dir?a=b&c=d');
  assert.equal(decodeUrlData(Uint8Array.of(2, 200, 1), 0), null);
  assert.equal(decodeUrlData(Uint8Array.of(7, 1, 1, 2, 1, 0x2f), 0), '/');
});

test('BEP 15: answers', () => {
  const connect = decodeUdpTrackerResponse(tryFromHex('00000000deadbeef1122334455667788')!, 4);
  assert.deepEqual(connect, {
    ok: true,
    value: { type: 'connect', transaction: 0xdeadbeef, connectionId: tryFromHex('1122334455667788') },
  });
  const v4 = decodeUdpTrackerResponse(tryFromHex('0000000100000007000007080000000200000003c00002011ae1')!, 4);
  assert.ok(v4.ok && v4.value.type === 'announce');
  assert.deepEqual(
    [v4.value.transaction, v4.value.intervalS, v4.value.leechCount, v4.value.seedCount],
    [7, 1800, 2, 3],
  );
  assert.deepEqual(v4.value.peers.map(formatEndpoint), ['192.0.2.1:6881']);
  const v6 = decodeUdpTrackerResponse(
    tryFromHex('000000010000000700000708000000020000000320010db80000000000000000000000011ae1')!,
    6,
  );
  assert.ok(v6.ok && v6.value.type === 'announce');
  assert.deepEqual(v6.value.peers.map(formatEndpoint), ['[2001:db8::1]:6881']);
  const scrape = decodeUdpTrackerResponse(tryFromHex('0000000200000009000000010000000200000003')!, 4);
  assert.deepEqual(scrape, {
    ok: true,
    value: { type: 'scrape', transaction: 9, swarms: [{ seedCount: 1, completedCount: 2, leechCount: 3 }] },
  });
  const error = decodeUdpTrackerResponse(
    concatBytes([tryFromHex('0000000300000009')!, encodeUtf8('no such torrent')]),
    4,
  );
  assert.deepEqual(error, { ok: true, value: { type: 'error', transaction: 9, message: 'no such torrent' } });
});

test('scrape requests hold what fits in a datagram', () => {
  const decoded = decodeUdpTrackerRequest(encodeUdpScrape(announce.connectionId, 5, Array(200).fill(hash)));
  assert.ok(decoded.ok && decoded.value.type === 'scrape');
  assert.equal(decoded.value.infoHashes.length, udpTrackerLimits.scrapeCountMax);
  assert.deepEqual(decoded.value.infoHashes[3], hash);
});

test('decoders are total on short, long and random datagrams', () => {
  const prng = new Prng(15);
  const seeds = [
    encodeUdpConnect(1),
    encodeUdpAnnounce({ ...announce, urlData: '/a' }),
    encodeUdpScrape(hash, 2, [hash, hash]),
  ];
  let accepted = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = prng.chance(0.5) ? new Uint8Array(prng.pick(seeds)) : prng.bytes(prng.below(160));
    if (bytes.length > 0)
      for (let n = prng.below(4); n > 0; n--) bytes[prng.below(bytes.length)] = prng.below(256);
    if (bytes.length > 4 && prng.chance(0.5)) bytes.set([0, 0, 0, prng.below(5)]);
    const cut = bytes.subarray(0, prng.below(bytes.length + 1));
    const request = decodeUdpTrackerRequest(cut);
    const response = decodeUdpTrackerResponse(cut, prng.chance(0.5) ? 4 : 6);
    for (const result of [request, response]) {
      if (result.ok) accepted++;
      else assert.match(result.fault.code, /^BITTORRENT_/);
    }
    if (request.ok && request.value.type === 'announce')
      assert.deepEqual(decodeUdpTrackerRequest(encodeUdpAnnounce(request.value)).ok, true);
  }
  assert.ok(accepted > 1000);
});
