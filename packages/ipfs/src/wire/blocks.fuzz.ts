/**
 * Decoders of what strangers send: whatever the bytes are, they end and do not throw; and where another reader of the
 * same format takes a block, ours takes it too and finds the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as libraryCbor from '@ipld/dag-cbor';
import * as libraryPb from '@ipld/dag-pb';
import { concatBytes, Prng } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { type IpldValue, linksIn } from '../core/ipld.ts';
import { CarDecoder, encodeCarHeader, encodeCarSectionHead } from './car.ts';
import { makeCid, multibases, tryDecodeCid, tryParseCid } from './cid.ts';
import { readDagCborLinks } from './dag-cbor-links.ts';
import { type DagPbLink, decodeDagPb, encodeDagPb } from './dag-pb.ts';
import { decodeUnixfs, encodeUnixfs, leafFrame, type UnixfsData } from './unixfs.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 3000);
const prng = new Prng(Number(process.env['FUZZ_SEED'] ?? 1));

function randomCid(): CID {
  if (prng.chance(0.2)) return makeCid(0x70, 0x12, prng.bytes(32)).toV0();
  return makeCid(prng.pick([0x55, 0x70, 0x71]), prng.chance(0.9) ? 0x12 : 0x13, prng.bytes(32));
}

function broken(bytes: Uint8Array): Uint8Array {
  let result: Uint8Array = bytes.slice();
  for (let count = prng.below(4); count > 0; count--) {
    const at = prng.below(result.length + 1);
    const kind = prng.below(3);
    if (kind === 0 && at < result.length) result[at] = prng.below(256);
    else if (kind === 1) result = result.slice(0, at);
    else result = concatBytes([result.subarray(0, at), prng.bytes(prng.below(4)), result.subarray(at)]);
  }
  return result;
}

function randomNode(): { links: DagPbLink[]; data: Uint8Array | null } {
  const links = Array.from({ length: prng.below(5) }, () => ({
    cid: randomCid(),
    name: prng.chance(0.2) ? null : prng.pick(['', 'a', 'b', 'añ', 'zz']),
    dagBytes: prng.chance(0.2) ? null : prng.below(2 ** 40),
  }));
  return { links, data: prng.chance(0.2) ? null : prng.bytes(prng.below(20)) };
}

test('dag-pb: as the reference library reads and writes it', () => {
  for (let run = 0; run < runCount; run++) {
    const node = randomNode();
    const block = encodeDagPb(node.links, node.data);
    const decoded = decodeDagPb(block);
    assert.ok(decoded.ok);
    assert.deepEqual(encodeDagPb(decoded.value.links, decoded.value.data), block);
    assert.deepEqual(
      libraryPb.encode(
        libraryPb.prepare({
          ...(node.data === null ? null : { Data: node.data }),
          Links: node.links.map(({ cid, name, dagBytes }) => ({
            Hash: cid,
            ...(name === null ? null : { Name: name }),
            ...(dagBytes === null ? null : { Tsize: dagBytes }),
          })),
        }),
      ),
      block,
    );
    compareDagPb(broken(block));
  }
});

/** We refuse some that the library takes (it passes over what is behind a CID); never the other way round. */
function compareDagPb(block: Uint8Array): void {
  const ours = decodeDagPb(block);
  if (!ours.ok) return;
  const theirs = libraryPb.decode(block);
  assert.deepEqual(ours.value.data, theirs.Data === undefined ? null : new Uint8Array(theirs.Data));
  assert.deepEqual(
    ours.value.links.map(({ cid, name, dagBytes }) => [String(cid), name, dagBytes]),
    theirs.Links.map(({ Hash, Name, Tsize }) => [String(Hash), Name ?? null, Tsize ?? null]),
  );
}

test('UnixFS: what is written is read again, and nothing makes the reader throw', () => {
  for (let run = 0; run < runCount; run++) {
    const data: UnixfsData = {
      kind: prng.pick(['raw', 'directory', 'file', 'metadata', 'symlink', 'hamt-shard']),
      data: prng.chance(0.3) ? null : prng.bytes(prng.below(300)),
      fileBytes: prng.chance(0.3) ? null : prng.below(2 ** 50),
      childBytes: Array.from({ length: prng.below(4) }, () => prng.below(2 ** 45)),
      hashCode: prng.chance(0.5) ? null : 0x22,
      fanout: prng.chance(0.5) ? null : 256,
      mode: prng.chance(0.5) ? null : prng.below(4096),
      modified: prng.chance(0.5)
        ? null
        : { seconds: prng.below(2 ** 34) - 2 ** 33, nanoseconds: prng.below(1_000_000_000) },
    };
    const bytes = encodeUnixfs(data);
    const decoded = decodeUnixfs(bytes);
    assert.ok(decoded.ok);
    assert.deepEqual(
      { ...decoded.value, data: decoded.value.data && Uint8Array.from(decoded.value.data) },
      data,
    );
    decodeUnixfs(broken(bytes));
  }
});

test('the frame around a leaf is what encoding the whole leaf gives', () => {
  for (const length of [0, 1, 100, 115, 120, 126, 127, 128, 16_370, 16_383, 16_384, 262_144, 2_096_896]) {
    const data = prng.bytes(length);
    const { head, tail } = leafFrame('file', length);
    const node = encodeUnixfs({ kind: 'file', data: length === 0 ? null : data, fileBytes: length });
    assert.equal(
      Buffer.compare(concatBytes([head, data, tail]), encodeDagPb([], node)),
      0,
      `${length} bytes`,
    );
  }
});

function randomValue(depth: number): IpldValue {
  const kind = prng.below(depth > 0 ? 9 : 7);
  if (kind === 0) return null;
  if (kind === 1) return prng.chance(0.5);
  if (kind === 2) return prng.below(2 ** 40) - 2 ** 39;
  if (kind === 3) return prng.below(1000) / 7;
  if (kind === 4) return 'text'.repeat(prng.below(20));
  if (kind === 5) return prng.bytes(prng.below(300));
  if (kind === 6) return randomCid();
  const inside = Array.from({ length: prng.below(5) }, () => randomValue(depth - 1));
  return kind === 7 ? inside : Object.fromEntries(inside.map((value, i) => [`key ${i}`, value]));
}

test('dag-cbor: the links that the reference library finds, in blocks that it can read', () => {
  for (let run = 0; run < runCount; run++) {
    const block = libraryCbor.encode(randomValue(4));
    const changed = prng.chance(0.5) ? block : broken(block);
    const ours = readDagCborLinks(changed);
    let theirs: IpldValue;
    try {
      theirs = libraryCbor.decode<IpldValue>(changed);
    } catch {
      continue;
    }
    assert.ok(ours.ok);
    assert.deepEqual(ours.value.map(String), linksIn(theirs).map(String));
  }
  const deep = new Uint8Array(2 << 20).fill(0x81);
  deep[deep.length - 1] = 0;
  assert.ok(readDagCborLinks(deep).ok, 'nesting costs nothing');
});

test('CIDs: in every base and back; anything else is null', () => {
  for (let run = 0; run < runCount / 10; run++) {
    const cid = randomCid();
    assert.equal(String(tryDecodeCid(cid.bytes)), String(cid));
    assert.equal(String(tryParseCid(String(cid))), String(cid));
    for (const base of multibases.values()) {
      const text = cid.toV1().toString(base.encoder);
      assert.ok(tryParseCid(text)?.equals(cid.toV1()), base.name);
    }
    tryDecodeCid(broken(cid.bytes));
    tryParseCid(String(cid).slice(prng.below(10)) + prng.pick(['', '1', 'ñ', '/']));
  }
});

test('archives: whatever comes, in whatever parts, the decoder ends without throwing and holds little', () => {
  for (let run = 0; run < runCount / 3; run++) {
    const parts = [encodeCarHeader([randomCid()])];
    for (let count = prng.below(4); count > 0; count--) {
      const block = prng.bytes(prng.below(200));
      parts.push(encodeCarSectionHead(randomCid(), block.length), block);
    }
    const whole = broken(concatBytes(parts));
    const decoder = new CarDecoder(1000);
    for (let at = 0; at < whole.length; ) {
      const end = Math.min(whole.length, at + 1 + prng.below(100));
      decoder.push(whole.subarray(at, end));
      for (let event = decoder.poll(); event.ok && event.value !== null; event = decoder.poll());
      at = end;
    }
    decoder.finish();
  }
});
