import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRuntimePorts } from '@tequio/runtime';
import ipip from '../../vectors/ipip-0499.json' with { type: 'json' };
import { seededNames } from '../../vectors/seeded-content.ts';
import { MemoryBlocks } from '../shell/memory-blocks.ts';
import { resolvePath } from '../shell/path-resolver.ts';
import { listFolder } from '../shell/unixfs-export.ts';
import { importBytes } from '../shell/unixfs-import.ts';
import type { CID } from '../wire/cid.ts';
import { BlockMaker } from './block-maker.ts';
import { makeFolder, makeSymlink } from './folder.ts';
import { type ProfileName, profiles } from './profile.ts';

const { hashes } = createRuntimePorts();

for (const folder of ipip.folders)
  test(`IPIP-499: a folder of ${folder.count} names, ${folder.profile}, sharded: ${folder.sharded}`, async () => {
    const profile = profiles[folder.profile as ProfileName];
    const blocks = new MemoryBlocks();
    const file = await importBytes({ hashes, blocks }, profile, new Uint8Array([120]));
    const names = seededNames(folder.seed, folder.count, folder.nameLength, folder.lastNameLength);
    const made: { cid: CID; bytes: Uint8Array }[] = [];
    const maker = new BlockMaker(hashes, profile.cidVersion, (block) => made.push(block));
    const root = makeFolder(
      maker,
      profile.directory,
      names.map((name) => ({ name, ...file })),
    );
    assert.ok(root.ok);
    assert.equal(String(root.value.cid), folder.cid);
    assert.equal(made.length > 1, folder.sharded);
    await blocks.put(made);
    const listed: string[] = [];
    for await (const { name, cid } of listFolder(blocks, root.value.cid)) {
      listed.push(name);
      assert.equal(String(cid), String(file.cid));
    }
    assert.deepEqual(listed.sort(), [...names].sort());
    for (const name of names.slice(0, folder.sharded ? 200 : 20)) {
      const { cid, way } = await resolvePath(blocks, { root: root.value.cid, segments: [name] });
      assert.equal(String(cid), String(file.cid));
      assert.ok(way.length <= 4);
    }
    await assert.rejects(resolvePath(blocks, { root: root.value.cid, segments: ['no such name'] }), {
      code: 'IPFS_NO_LINK',
    });
  });

test('well-known blocks: the empty folder, and a symbolic link', () => {
  for (const [version, cid] of [
    [0, 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'],
    [1, 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354'],
  ] as const) {
    const maker = new BlockMaker(hashes, version, () => undefined);
    const empty = makeFolder(maker, profiles['unixfs-v1-2025'].directory, []);
    assert.ok(empty.ok);
    assert.equal(String(empty.value.cid), cid);
  }
  // In the symlink.car of gateway-conformance: a link named "bar" to "foo".
  const link = makeSymlink(new BlockMaker(hashes, 0, () => undefined), 'foo');
  assert.equal(String(link.cid), 'QmTB8BaCJdCH5H3k7GrxJsxgDNmNYGGR71C58ERkivXoj5');
});
