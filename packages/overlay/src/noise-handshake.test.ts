import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, emptyBytes, Prng, toHex, tryFromHex } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import vector from '../vectors/noise-xx.json' with { type: 'json' };
import { NoiseHandshake } from './noise-handshake.ts';

const crypto = createRuntimePorts();
const fromHex = (text: string): Uint8Array => tryFromHex(text)!;

function pairOf(
  keys: { readonly static: string; readonly ephemeral: string },
  isInitiator: boolean,
): NoiseHandshake {
  return new NoiseHandshake(crypto, {
    isInitiator,
    prologue: fromHex(vector.prologue),
    staticPair: crypto.x25519.createPair(fromHex(keys.static)),
    ephemeralPair: crypto.x25519.createPair(fromHex(keys.ephemeral)),
  });
}

function freshPair(): readonly [NoiseHandshake, NoiseHandshake] {
  const [initiator, responder] = [true, false].map(
    (isInitiator) => new NoiseHandshake(crypto, { isInitiator, staticPair: crypto.x25519.createPair() }),
  );
  return [initiator!, responder!];
}

test('cacophony’s vector of XX: every byte of the handshake and of what follows, from both sides', () => {
  const sides = [pairOf(vector.initiator, true), pairOf(vector.responder, false)] as const;
  for (const [index, { payload, ciphertext }] of vector.messages.slice(0, 3).entries()) {
    const message = sides[index % 2]!.tryWrite(fromHex(payload))!;
    equal(toHex(message), ciphertext);
    equal(toHex(sides[(index + 1) % 2]!.tryRead(message)!), payload);
  }
  const ciphers = sides.map((side) => side.split());
  for (const side of sides) equal(toHex(side.hash), vector.hash);
  for (const [index, { payload, ciphertext }] of vector.messages.slice(3).entries()) {
    // The responder has the next word.
    const [from, to] = [ciphers[(index + 1) % 2]!, ciphers[index % 2]!];
    const sealed = concatBytes(from.send.seal(fromHex(payload)));
    equal(toHex(sealed), ciphertext);
    equal(toHex(to.receive.tryOpen(sealed)!), payload);
  }
});

test('a handshake of which a bit was changed, or a part is missing, comes to nothing', () => {
  const prng = new Prng(7);
  for (let run = 0; run < 150; run++) {
    const broken = run % 3;
    const sides = freshPair();
    let failed = false;
    for (let index = 0; index < 3 && !failed; index++) {
      const message = sides[index % 2]!.tryWrite(prng.bytes(prng.below(40)))!;
      let heard = message.slice();
      if (index === broken) {
        if (prng.chance(0.3)) heard = heard.subarray(0, prng.below(heard.length));
        else {
          const at = prng.below(heard.length);
          heard[at] = heard[at]! ^ (1 << prng.below(8));
        }
      }
      failed = sides[(index + 1) % 2]!.tryRead(heard) === null;
    }
    // What is changed in the first message, which has no tag, shows in the second.
    equal(failed, true, `run ${run}`);
  }
});

test('keys that make the same secret with everybody’s are refused', () => {
  const [initiator, responder] = freshPair();
  initiator.tryWrite(emptyBytes);
  equal(responder.tryRead(new Uint8Array(32))?.length, 0);
  equal(responder.tryWrite(emptyBytes), null);
});

test('messages are numbered: none can be left out, repeated or moved', () => {
  const [initiator, responder] = freshPair();
  responder.tryRead(initiator.tryWrite(emptyBytes)!);
  initiator.tryRead(responder.tryWrite(emptyBytes)!);
  responder.tryRead(initiator.tryWrite(emptyBytes)!);
  deepEqual(initiator.theirStatic.length, 32);
  const { send } = initiator.split();
  const [one, two] = [send.seal(new Uint8Array(5)), send.seal(new Uint8Array(5))].map((parts) =>
    concatBytes(parts),
  );
  equal(responder.split().receive.tryOpen(two!), null);
  const { receive } = responder.split();
  equal(receive.tryOpen(one!)?.length, 5);
  equal(receive.tryOpen(one!), null);
});
