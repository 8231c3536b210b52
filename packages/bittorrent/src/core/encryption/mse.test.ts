import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concatBytes, emptyBytes, Prng, toHex, tryFromHex } from '@tequio/kernel';
import { feed, fixedKeys, hashes, takeOut } from './mse.fixture.ts';
import { mseCrypto, mseLimits, mseTorrentHash } from './mse.ts';
import { MseInitiator } from './mse-initiator.ts';
import { MseResponder } from './mse-responder.ts';

type Recorded = {
  skey: string;
  secrets: string[];
  padBytes: number[];
  provide: number;
  select: number;
  payload: string;
  torrentHash: string;
  flights: string[];
  words: string[];
  sent: string[];
};
const { handshakes }: { handshakes: Recorded[] } = JSON.parse(
  readFileSync(new URL('../../../vectors/mse.json', import.meta.url), 'utf8'),
);
const hex = (text: string): Uint8Array => tryFromHex(text)!;
const portions = [1, 7, 95, 96, 97, 400, 100_000];

function initiatorOf(recorded: Recorded, provide = recorded.provide): MseInitiator {
  const pad = hex(recorded.flights[0]!).subarray(96);
  return new MseInitiator(
    {
      skey: hex(recorded.skey),
      provide,
      initialPayload: hex(recorded.payload),
      pad,
      innerPadBytes: recorded.padBytes[2]!,
    },
    { hashes, keyAgreement: fixedKeys(hex(recorded.secrets[0]!)) },
  );
}

function responderOf(recorded: Recorded, accept: number, skey = hex(recorded.skey)): MseResponder {
  const torrentHash = toHex(mseTorrentHash(hashes, skey));
  return new MseResponder(
    {
      accept,
      prefersRc4: false,
      pad: hex(recorded.flights[1]!).subarray(96),
      findSkey: (hash) => (toHex(hash) === torrentHash ? skey : null),
    },
    { hashes, keyAgreement: fixedKeys(hex(recorded.secrets[1]!)) },
  );
}

test('recorded handshakes: the side that dials says and understands the same', () => {
  assert.equal(handshakes.length, 6);
  for (const recorded of handshakes) {
    for (const portion of portions) {
      const side = initiatorOf(recorded);
      assert.equal(toHex(takeOut(side)), recorded.flights[0]);
      const stream = hex(recorded.flights[1]! + recorded.flights[3]! + recorded.sent[1]!);
      const { fault, left } = feed(side, stream, () => portion);
      assert.equal(fault, null);
      assert.equal(toHex(takeOut(side)), recorded.flights[2]);
      const { rest, decrypt, encrypt } = side.result!;
      decrypt?.apply(left);
      assert.equal(toHex(concatBytes([rest, left])), recorded.words[1]);
      const word = hex(recorded.words[0]!);
      encrypt?.apply(word);
      assert.equal(toHex(word), recorded.sent[0]);
      assert.equal(encrypt !== null, recorded.select === 2);
    }
  }
});

test('recorded handshakes: the side that is dialled says and understands the same', () => {
  for (const recorded of handshakes) {
    for (const portion of portions) {
      const side = responderOf(recorded, recorded.select);
      const stream = hex(recorded.flights[0]! + recorded.flights[2]! + recorded.sent[0]!);
      const { fault, left } = feed(side, stream, () => portion);
      assert.equal(fault, null);
      const { rest, decrypt, encrypt, skey } = side.result!;
      assert.equal(toHex(skey), recorded.skey);
      decrypt?.apply(left);
      assert.equal(toHex(concatBytes([rest, left])), recorded.payload + recorded.words[0]);
      const said = takeOut(side);
      const padded = recorded.padBytes[3]! > 0;
      // Its own answer has no padding, which is the only choice that it makes.
      if (padded) assert.equal(toHex(said.subarray(0, -14)), recorded.flights[1]);
      else assert.equal(toHex(said), recorded.flights[1]! + recorded.flights[3]!);
      const word = hex(recorded.words[1]!);
      encrypt?.apply(word);
      if (!padded) assert.equal(toHex(word), recorded.sent[1]);
    }
  }
});

test('the torrent is named by what the recording says, and no other is found', () => {
  const recorded = handshakes[1]!;
  assert.equal(toHex(mseTorrentHash(hashes, hex(recorded.skey))), recorded.torrentHash);
  const side = responderOf(recorded, 3, new Uint8Array(20));
  const { fault } = feed(side, hex(recorded.flights[0]! + recorded.flights[2]!), () => 1000);
  assert.equal(fault?.code, 'BITTORRENT_MSE_TORRENT');
  assert.equal(takeOut(side).length, 96 + recorded.padBytes[1]!, 'and it has said no more than its key');
  assert.equal(side.handleBytes(hex(recorded.flights[0]!)), null, 'dead');
  assert.equal(takeOut(side).length, 0);
});

test('of what is offered plain is taken if it may be, and nothing else than what is offered', () => {
  const both = handshakes[1]!;
  const flights = hex(both.flights[0]! + both.flights[2]!);
  const chosen = (accept: number): string => {
    const side = responderOf(both, accept);
    const { fault } = feed(side, flights, () => 50);
    if (fault !== null) return fault.code;
    return side.result!.encrypt === null ? 'plain' : 'rc4';
  };
  assert.equal(chosen(mseCrypto.plain | mseCrypto.rc4), 'plain');
  assert.equal(chosen(mseCrypto.rc4), 'rc4');
  assert.equal(chosen(0), 'BITTORRENT_MSE_OFFER');
  const plainOnly = handshakes[5]!;
  const strict = responderOf(plainOnly, mseCrypto.rc4);
  const { fault } = feed(strict, hex(plainOnly.flights[0]! + plainOnly.flights[2]!), () => 50);
  assert.equal(fault?.code, 'BITTORRENT_MSE_OFFER');
});

test('an answer that chooses what was not offered is refused', () => {
  const recorded = handshakes[1]!;
  const side = initiatorOf(recorded, mseCrypto.rc4);
  const { fault } = feed(side, hex(recorded.flights[1]! + recorded.flights[3]!), () => 50);
  assert.equal(fault?.code, 'BITTORRENT_MSE_SELECT');
});

test('keys that fix the secret are refused by both sides', () => {
  const recorded = handshakes[0]!;
  for (const key of [new Uint8Array(96), new Uint8Array(96).fill(1, 95), new Uint8Array(96).fill(255)]) {
    assert.equal(initiatorOf(recorded).handleBytes(key)?.code, 'BITTORRENT_MSE_KEY');
    const side = responderOf(recorded, 3);
    assert.equal(side.handleBytes(key)?.code, 'BITTORRENT_MSE_KEY');
    assert.equal(takeOut(side).length, 0);
  }
});

test('noise after the key ends either side as soon as no padding can be that long', () => {
  const recorded = handshakes[0]!;
  const prng = new Prng(3);
  const noise = prng.bytes(2000);
  for (const [side, key, markBytes] of [
    [initiatorOf(recorded), recorded.flights[1]!, 8],
    [responderOf(recorded, 3), recorded.flights[0]!, 20],
  ] as const) {
    const { fault, left } = feed(side, concatBytes([hex(key).subarray(0, 96), noise]), () => 1);
    assert.equal(fault?.code, 'BITTORRENT_MSE_SYNC');
    assert.equal(noise.length - left.length, mseLimits.padBytesMax + markBytes);
  }
});

test('lengths that nobody may announce are refused before anything is held for them', () => {
  const recorded = handshakes[5]!;
  const padAt = 40 + 8 + 4;
  const flight = hex(recorded.flights[2]!);
  flight[padAt]! ^= 0x80;
  const first = hex(recorded.flights[0]!);
  assert.equal(
    feed(responderOf(recorded, 1), concatBytes([first, flight]), () => 9).fault?.code,
    'BITTORRENT_MSE_PAD',
  );
  flight[padAt]! ^= 0x80;
  flight[padAt + 2 + recorded.padBytes[2]!]! ^= 0x80;
  assert.equal(
    feed(responderOf(recorded, 1), concatBytes([first, flight]), () => 9).fault?.code,
    'BITTORRENT_MSE_PAYLOAD',
  );
  const answer = hex(recorded.flights[3]!);
  answer[8 + 4]! ^= 0x80;
  const { fault } = feed(initiatorOf(recorded), concatBytes([hex(recorded.flights[1]!), answer]), () => 9);
  assert.equal(fault?.code, 'BITTORRENT_MSE_PAD');
});

test('the two sides understand each other, whatever the padding, the payload and the portions', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const prng = new Prng(seed);
    const skey = prng.bytes(20);
    const provide = prng.between(1, 3);
    const accept = prng.between(1, 3);
    const prefersRc4 = prng.chance(0.5);
    const initialPayload = prng.bytes(prng.pick([0, 1, 68, 500, 16_384]));
    const keyAgreement = fixedKeys(prng.bytes(20), prng.bytes(20));
    const a = new MseInitiator(
      {
        skey,
        provide,
        initialPayload,
        pad: prng.bytes(prng.below(513)),
        innerPadBytes: prng.below(513),
      },
      { hashes, keyAgreement },
    );
    const b = new MseResponder(
      { accept, prefersRc4, pad: prng.bytes(prng.below(513)), findSkey: () => skey },
      { hashes, keyAgreement },
    );
    const portionMax = prng.pick([1, 9, 200, 20_000]);
    const portion = (): number => prng.between(1, portionMax);
    let toA: Uint8Array = emptyBytes;
    let toB: Uint8Array = takeOut(a);
    let refused = false;
    let late: Uint8Array = emptyBytes;
    while (!refused && (toA.length > 0 || toB.length > 0)) {
      const [fromB, fromA] = [feed(b, toB, portion), feed(a, toA, portion)];
      late = concatBytes([late, fromB.left]);
      refused = fromA.fault !== null || fromB.fault !== null;
      [toA, toB] = [takeOut(b), takeOut(a)];
    }
    assert.equal(refused, (provide & accept) === 0, `seed ${seed}`);
    if (refused) continue;
    b.result!.decrypt?.apply(late);
    assert.deepEqual(concatBytes([b.result!.rest, late]), initialPayload, `seed ${seed}`);
    assert.equal(a.result!.rest.length, 0);
    const usable = provide & accept;
    const isEncrypted =
      (usable & (prefersRc4 ? mseCrypto.rc4 : mseCrypto.plain)) !== 0 ? prefersRc4 : !prefersRc4;
    for (const [from, to] of [
      [a.result!, b.result!],
      [b.result!, a.result!],
    ] as const) {
      assert.equal(from.encrypt !== null, isEncrypted);
      assert.equal(to.decrypt !== null, isEncrypted);
      const word = prng.bytes(100);
      const sent = word.slice();
      from.encrypt?.apply(sent);
      to.decrypt?.apply(sent);
      assert.deepEqual(sent, word, `seed ${seed}`);
    }
  }
});
