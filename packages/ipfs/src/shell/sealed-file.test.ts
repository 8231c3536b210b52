import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { createAead } from '@tequio/runtime';
import { encodeSealedLink, SealedFile, sealFile, tryDecodeSealedLink } from './sealed-file.ts';

const aead = createAead();
const prng = new Prng(11);
const key = prng.bytes(32);

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content.subarray(0, 1000);
  yield content.subarray(1000);
}

async function gathered(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

function open(sealed: Uint8Array, by = key): Promise<SealedFile> {
  return SealedFile.open(aead.chacha20Poly1305(by), sealed.length, async (from, to) =>
    sealed.subarray(from, to),
  );
}

const sealedError = { code: 'IPFS_SEALED' };

test('what is sealed comes back, whole and in parts, whatever its length', async () => {
  // With a name of five bytes the head takes seven: around full chunks, and where nothing is.
  for (const bytes of [0, 1, 65_528, 65_529, 65_530, 131_065, 200_000]) {
    const content = prng.bytes(bytes);
    const sealed = await gathered(sealFile(aead.chacha20Poly1305(key), 'ñame', once(content)));
    const file = await open(sealed);
    assert.deepEqual([file.name, file.bytes], ['ñame', bytes]);
    assert.ok((await gathered(file.content())).equals(content), `${bytes}`);
    for (const [from, to] of [
      [0, 1],
      [65_520, 65_540],
      [70_000, 150_000],
      [bytes - 3, bytes + 9],
    ] as const)
      if (from >= 0)
        assert.ok((await gathered(file.content(from, to))).equals(content.subarray(from, to)), `${from}`);
    assert.equal(sealed.includes('ñame'), false);
  }
});

test('a changed byte, a missing end, another order and another key are found', async () => {
  const content = prng.bytes(200_000);
  const sealed = await gathered(sealFile(aead.chacha20Poly1305(key), 'a', once(content)));
  await assert.rejects(open(sealed, prng.bytes(32)), sealedError);
  for (const at of [0, 4, 100, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at]! ^= 1;
    await assert.rejects(open(changed), sealedError, `${at}`);
  }
  const middle = Buffer.from(sealed);
  middle[100_000]! ^= 1;
  const file = await open(middle);
  assert.ok((await gathered(file.content(0, 60_000))).equals(content.subarray(0, 60_000)));
  await assert.rejects(gathered(file.content()), sealedError);
  // Cut at a chunk's end, and within one.
  for (const length of [4 + 65_552, 4 + 2 * 65_552, 150_000, 20, 3])
    await assert.rejects(open(sealed.subarray(0, length)), sealedError, `${length}`);
  const chunk = 65_552;
  const swapped = Buffer.from(sealed);
  sealed.copy(swapped, 4 + chunk, 4 + 2 * chunk, 4 + 3 * chunk);
  sealed.copy(swapped, 4 + 2 * chunk, 4 + chunk, 4 + 2 * chunk);
  await assert.rejects(gathered((await open(swapped)).content()), sealedError);
});

test('links', () => {
  const link = encodeSealedLink({ cid: 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi', key });
  assert.match(link, /^ipfs:\/\/bafy[a-z0-9]+#tqs1\.[\w-]{43}$/);
  const read = tryDecodeSealedLink(` ${link}\n`);
  assert.deepEqual([read?.cid.slice(0, 8), [...(read?.key ?? [])]], ['bafybeig', [...key]]);
  for (const bad of ['', 'ipfs://bafy', link.slice(0, -1), link.replace('tqs1', 'tqs2'), `${link}x`])
    assert.equal(tryDecodeSealedLink(bad), null, bad);
});
