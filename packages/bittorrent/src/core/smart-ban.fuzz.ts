/** Random failures and passes on smart ban and its naive twin; within the limits both must say the same. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Prng, toHex } from '@tequio/kernel';
import { SmartBanModel } from './smart-ban.model.ts';
import { attemptsMax, SmartBan } from './smart-ban.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 300);

/** Liars send a wrong block now and then: no honest peer is ever blamed, and whoever is blamed has lied. */
function run(seed: number): { blamed: number } {
  const prng = new Prng(seed);
  const [ban, model] = [new SmartBan(), new SmartBanModel()];
  const pieceCount = prng.between(1, 6);
  const blockCount = prng.between(1, 5);
  const peerCount = prng.between(2, 8);
  const isLiar = Array.from({ length: peerCount }, () => prng.chance(0.4));
  const failCount = new Array<number>(pieceCount).fill(0);
  let blamed = 0;
  for (let i = 0; i < 80; i++) {
    const piece = prng.below(pieceCount);
    const senders = Array.from({ length: blockCount }, () =>
      prng.chance(0.05) ? -1 : prng.below(peerCount),
    );
    if (prng.chance(0.2)) senders.fill(senders[0]!);
    const hashes = new Uint8Array(20 * blockCount);
    let lied = false;
    senders.forEach((sender, block) => {
      const lies = failCount[piece]! < attemptsMax && sender >= 0 && isLiar[sender]! && prng.chance(0.4);
      hashes.fill(block + 1, 20 * block, 20 * block + 20);
      if (lies) hashes[20 * block + prng.below(20)]! ^= 1 + prng.below(3);
      lied ||= lies;
    });
    failCount[piece] = lied ? failCount[piece]! + 1 : 0;
    const texts = senders.map((_, block) => toHex(hashes.subarray(20 * block, 20 * block + 20)));
    const blames = lied ? ban.handleFailed(piece, senders, hashes) : ban.handlePassed(piece, hashes);
    const expected = lied ? model.handleFailed(piece, senders, texts) : model.handlePassed(piece, texts);
    assert.deepEqual(new Set(blames.map(({ peer }) => peer)), expected);
    for (const { peer, fault } of blames) assert.ok(isLiar[peer] && fault.penalty === 100, `peer ${peer}`);
    blamed += blames.length;
    for (let peer = 0; peer < peerCount; peer++) assert.equal(ban.isOnParole(peer), model.isOnParole(peer));
    for (let at = 0; at < pieceCount; at++) assert.equal(ban.isWatched(at), model.isWatched(at));
  }
  return { blamed };
}

it('smart ban and its naive twin agree, and blame liars only', () => {
  const first = Number(process.env['FUZZ_SEED'] ?? 1);
  let blamed = 0;
  for (let seed = first; seed < first + runCount; seed++) {
    try {
      blamed += run(seed).blamed;
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: error });
    }
  }
  if (runCount >= 100) assert.ok(blamed > 1000, `${blamed} blames`);
});
