import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '@tequio/kernel';
import fc from 'fast-check';
import { decodeMagnet, encodeMagnet, magnetLimits } from './magnet.ts';

const v1 = 'd2474e86c95b19b8bcfdb92bc12c9d44667cfa36';
const v2 = 'caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e';

function decoded(text: string) {
  const result = decodeMagnet(text);
  assert.ok(result.ok, result.ok ? '' : `${text}: ${result.fault.message}`);
  return result.value;
}

function codeOf(text: string): string {
  const result = decodeMagnet(text);
  return result.ok ? 'ok' : result.fault.code;
}

test('info-hashes: hex, base32, multihash, bare, both at once', () => {
  assert.equal(toHex(decoded(`magnet:?xt=urn:btih:${v1}`).infoHashV1!), v1);
  assert.equal(toHex(decoded(`MAGNET:?XT=URN:BTIH:${v1.toUpperCase()}`).infoHashV1!), v1);
  // The same hash in base32.
  assert.equal(toHex(decoded('magnet:?xt=urn:btih:2JDU5BWJLMM3RPH5XEV4CLE5IRTHZ6RW').infoHashV1!), v1);
  assert.equal(toHex(decoded('2jdu5bwjlmm3rph5xev4cle5irthz6rw').infoHashV1!), v1);
  assert.equal(toHex(decoded(` ${v1}\n`).infoHashV1!), v1);
  assert.equal(toHex(decoded(v2).infoHashV2!), v2);
  const both = decoded(`magnet:?xt=urn:btmh:1220${v2}&xt=urn:btih:${v1}`);
  assert.deepEqual([toHex(both.infoHashV1!), toHex(both.infoHashV2!)], [v1, v2]);
  assert.equal(toHex(decoded(`magnet:?xt.1=urn:btih:${v1}&xt.2=urn:btmh:1220${v2}`).infoHashV2!), v2);
});

test('what is no magnet link is refused with a code', () => {
  assert.equal(codeOf(''), 'BITTORRENT_MAGNET_SYNTAX');
  assert.equal(codeOf('http://example.com/'), 'BITTORRENT_MAGNET_SYNTAX');
  assert.equal(codeOf(v1.slice(1)), 'BITTORRENT_MAGNET_SYNTAX');
  assert.equal(codeOf(`${v1.slice(1)}g`), 'BITTORRENT_MAGNET_SYNTAX');
  assert.equal(codeOf('magnet:?dn=x'), 'BITTORRENT_MAGNET_HASH');
  assert.equal(codeOf(`magnet:?xt=urn:btih:${v2}`), 'BITTORRENT_MAGNET_HASH');
  assert.equal(codeOf(`magnet:?xt=urn:btmh:1220${v1}`), 'BITTORRENT_MAGNET_HASH');
  assert.equal(codeOf(`magnet:?xt=urn:btmh:1114${v2}`), 'BITTORRENT_MAGNET_HASH');
  assert.equal(codeOf(`magnet:?xt=urn:sha1:${v1}`), 'BITTORRENT_MAGNET_HASH');
  assert.equal(codeOf(`magnet:?xt=urn:btih:${v1}&dn=${'x'.repeat(70_000)}`), 'BITTORRENT_MAGNET_LENGTH');
});

test('names, trackers, web seeds, peers and ranges; what is not valid is skipped', () => {
  const magnet = decoded(
    `magnet:?xt=urn:btih:${v1}&dn=a+b%20c%C3%B1%2fd&tr=udp%3a%2f%2ft.example%3a80&tr=nonsense&tr.3=http://u/a` +
      '&tr=http://u/a&ws=https%3A%2F%2Fw%2Ff&x.pe=1.2.3.4:5&x.pe=[2001:db8::1]:6881&x.pe=host.example:99' +
      '&x.pe=1.2.3.4:0&x.pe=1.2.3.4:70000&x.pe=evil%20host:1&so=0,2,4-6,9-8,x,7-99999999&unknown=1&=&novalue',
  );
  assert.equal(magnet.name, 'a b cñd');
  assert.deepEqual(magnet.trackers, ['udp://t.example:80', 'http://u/a']);
  assert.deepEqual(magnet.webSeeds, ['https://w/f']);
  assert.deepEqual(magnet.peers, ['1.2.3.4:5', '[2001:db8::1]:6881', 'host.example:99']);
  assert.deepEqual(magnet.select, [
    [0, 0],
    [2, 2],
    [4, 6],
  ]);
  assert.equal(decoded(`magnet:?xt=urn:btih:${v1}&amp;dn=x&so=none`).name, 'x');
  assert.equal(decoded(`magnet:?xt=urn:btih:${v1}&so=none`).select, null);
  assert.equal(decoded(`magnet:?xt=urn:btih:${v1}&dn=%zz%ff`).name, '%zz_');
});

test('counts are limited', () => {
  const many = Array.from({ length: 1000 }, (_, i) => `tr=http://t${i}/&x.pe=h${i}:1`).join('&');
  const magnet = decoded(`magnet:?xt=urn:btih:${v1}&${many}`);
  assert.equal(magnet.trackers.length, magnetLimits.trackerCountMax);
  assert.equal(magnet.peers.length, magnetLimits.peerCountMax);
});

test('what is encoded decodes to itself', () => {
  const magnet = {
    infoHashV1: decoded(v1).infoHashV1,
    infoHashV2: decoded(v2).infoHashV2,
    name: 'Ñandú & co = 100 %+',
    trackers: ['http://a/announce?key=1&x=2', 'udp://b:1'],
    webSeeds: ['http://w/a b'.replace(' ', '%20')],
    peers: ['[::1]:2'],
    select: [
      [1, 1],
      [3, 9],
    ] as const,
  };
  const text = encodeMagnet(magnet);
  assert.ok(text.startsWith(`magnet:?xt=urn:btih:${v1}&xt=urn:btmh:1220${v2}&dn=`));
  assert.deepEqual(decoded(text), magnet);
});

test('no text makes it throw', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'magnet:?',
      'xt=urn:btih:',
      'xt=urn:btmh:1220',
      v1,
      v2,
      '&',
      '=',
      '%',
      '%C3',
      'so=',
      'x.pe=',
      'dn=',
      'tr=',
      '+',
      '-1',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const result = decodeMagnet(pieces.join(''));
      if (result.ok) assert.ok(decodeMagnet(encodeMagnet(result.value)).ok);
    }),
    { numRuns: 2000 },
  );
});
