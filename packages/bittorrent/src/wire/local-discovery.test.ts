import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8, Prng, toHex, toLatin1 } from '@tequio/kernel';
import {
  decodeLocalAnnounce,
  encodeLocalAnnounce,
  type LocalAnnounce,
  localDiscoveryLimits,
} from './local-discovery.ts';

const prng = new Prng(14);
const hashes = Array.from({ length: 30 }, () => prng.bytes(20).slice());
const hex = toHex(hashes[0]!);

function decoded(text: string): LocalAnnounce {
  const result = decodeLocalAnnounce(encodeUtf8(text));
  assert.ok(result.ok, text);
  return result.value;
}

test('the form of BEP 14, to both groups', () => {
  const announce = { port: 6881, infoHashes: [hashes[0]!], cookie: 'c0ffee' };
  assert.equal(
    toLatin1(encodeLocalAnnounce(announce, 4)),
    `BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: ${hex}\r\ncookie: c0ffee\r\n\r\n\r\n`,
  );
  assert.match(toLatin1(encodeLocalAnnounce(announce, 6)), /\r\nHost: \[ff15::efc0:988f\]:6771\r\n/);
});

test('announces go there and back, as many torrents as one datagram holds', () => {
  const infoHashes = hashes.slice(0, localDiscoveryLimits.infoHashCountMax);
  const announce = { port: 65535, infoHashes, cookie: 'f'.repeat(16) };
  for (const family of [4, 6] as const) {
    const datagram = encodeLocalAnnounce(announce, family);
    assert.ok(datagram.length <= localDiscoveryLimits.sentBytesMax, `${datagram.length} bytes`);
    assert.deepEqual(decoded(toLatin1(datagram)), announce);
  }
  assert.ok(encodeLocalAnnounce({ ...announce, infoHashes: [hashes[0]!] }, 4).length <= 200);
});

test('what other programs write', () => {
  const upper = hex.toUpperCase();
  // µTorrent and Transmission: capitals, no cookie.
  const text = `BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 51413\r\nInfohash: ${upper}\r\n\r\n\r\n`;
  assert.deepEqual(decoded(text), { port: 51413, infoHashes: [hashes[0]!], cookie: null });
  // Other order, other case, bare line feeds, headers of tomorrow, an info-hash of another length.
  const odd = `bt-search * http/1.0\nINFOHASH:${hex}\nX-Weather: fine today\nInfohash: 1234\nport:  1 \n\n`;
  assert.deepEqual(decoded(odd), { port: 1, infoHashes: [hashes[0]!], cookie: null });
});

test('what is refused', () => {
  const line = `Infohash: ${hex}\r\n`;
  for (const text of [
    '',
    `GET / HTTP/1.1\r\nPort: 1\r\n${line}\r\n`,
    `BT-SEARCH * HTTP/1.1\r\n${line}\r\n`,
    `BT-SEARCH * HTTP/1.1\r\nPort: 0\r\n${line}\r\n`,
    `BT-SEARCH * HTTP/1.1\r\nPort: 65536\r\n${line}\r\n`,
    `BT-SEARCH * HTTP/1.1\r\nPort: -5\r\n${line}\r\n`,
    'BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\n\r\n',
    `BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\n${line}X: ${'y'.repeat(1500)}\r\n\r\n`,
  ]) {
    const result = decodeLocalAnnounce(encodeUtf8(text));
    assert.ok(!result.ok && result.fault.code === 'BITTORRENT_LOCAL_ANNOUNCE', text);
  }
});

test('damaged datagrams never throw and stay bounded', () => {
  const good = encodeLocalAnnounce({ port: 6881, infoHashes: hashes.slice(0, 3), cookie: 'abc' }, 4);
  let readCount = 0;
  for (let run = 0; run < 20_000; run++) {
    const bytes = concatBytes([good, prng.bytes(prng.below(4))]);
    for (let i = prng.below(4); i > 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
    const result = decodeLocalAnnounce(bytes.subarray(0, prng.between(0, bytes.length)));
    if (!result.ok) continue;
    readCount++;
    assert.ok(result.value.port > 0 && result.value.port < 65536);
    assert.ok(result.value.infoHashes.length <= localDiscoveryLimits.infoHashCountMax);
    for (const infoHash of result.value.infoHashes) assert.equal(infoHash.length, 20);
  }
  assert.ok(readCount > 1000);
});
