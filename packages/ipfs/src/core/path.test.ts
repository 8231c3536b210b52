import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRuntimePorts } from '@tequio/runtime';
import { MemoryBlocks } from '../shell/memory-blocks.ts';
import { resolvePath } from '../shell/path-resolver.ts';
import { type CID, codecs, makeCid } from '../wire/cid.ts';
import { encodeValue, type IpldValue } from './ipld.ts';
import { parseIpfsPath } from './path.ts';

const { hashes } = createRuntimePorts();
const cidTextOne = 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354';

async function put(blocks: MemoryBlocks, codec: number, value: IpldValue): Promise<CID> {
  const bytes = encodeValue(codec, value);
  assert.ok(bytes.ok);
  const cid = makeCid(codec, 0x12, hashes.sha256(bytes.value));
  await blocks.put([{ cid, bytes: bytes.value }]);
  return cid;
}

test('a path is read in each of its forms, and what is none is refused', () => {
  for (const text of ['/ipfs/CID/a/b', 'CID/a/b', '/ipld/CID//a/b/', 'ipfs://CID/a/b']) {
    const path = parseIpfsPath(text.replace('CID', cidTextOne));
    assert.ok(path.ok, text);
    assert.equal(String(path.value.root), cidTextOne);
    assert.deepEqual(path.value.segments, ['a', 'b']);
  }
  for (const text of ['', '/', '/ipfs/', '/ipfs/nothing/a', `/ipfs/${cidTextOne}${'/a'.repeat(300)}`])
    assert.equal(parseIpfsPath(text).ok, false, text);
});

test('data is walked by keys and indices, over links, and may end within a block', async () => {
  const blocks = new MemoryBlocks();
  const leaf = await put(blocks, codecs['dag-json'], { deep: [1, { name: 'x' }] });
  const root = await put(blocks, codecs['dag-cbor'], { list: ['zero', leaf], __proto__x: 1 });
  const at = (...segments: string[]): ReturnType<typeof resolvePath> =>
    resolvePath(blocks, { root, segments }, 'data');
  assert.equal(String((await at('list', '1')).cid), String(leaf));
  const inside = await at('list', '1', 'deep', '1', 'name');
  assert.deepEqual(
    [inside.value, inside.remainder, String(inside.cid)],
    ['x', ['deep', '1', 'name'], String(leaf)],
  );
  assert.equal((await at('list', '0')).value, 'zero');
  for (const segments of [
    ['nothing'],
    ['list', '2'],
    ['list', '01'],
    ['list', '-1'],
    ['toString'],
    ['list', 'length'],
  ])
    await assert.rejects(at(...segments), { code: 'IPFS_NO_LINK' }, segments.join('/'));
});

test('a dag-pb block is data too: its links by index', async () => {
  const blocks = new MemoryBlocks();
  const raw = await put(blocks, codecs.raw, new Uint8Array([5]));
  const node = { Data: new Uint8Array([1]), Links: [{ Hash: raw, Name: 'five', Tsize: 1 }] };
  const root = await put(blocks, codecs['dag-pb'], node);
  const found = await resolvePath(blocks, { root, segments: ['Links', '0', 'Hash'] }, 'data');
  assert.equal(String(found.cid), String(raw));
  assert.equal(String((await resolvePath(blocks, { root, segments: ['five'] })).cid), String(raw));
  const refused = encodeValue(codecs['dag-pb'], { Links: [{ Hash: 'no link' }] });
  assert.equal(refused.ok, false);
});
