/** Files that go to their place when they are complete, while their torrent is still being downloaded. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDatabases } from '@tequio/runtime';
import { assertContent, makeContent, type TestService, withBench } from './service.fixture.ts';

/** Three files, each of whole pieces and one of half a piece. */
const content = makeContent([131_072, 200_000, 65_536]);
const [first, second, third] = content.files.map(({ path }) => join(content.name, path)) as [
  string,
  string,
  string,
];

async function untilThere(path: string): Promise<void> {
  for (const endMs = Date.now() + 60_000; !existsSync(path); ) {
    assert.ok(Date.now() < endMs, `${path} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Pads, which stand between the files, are nobody's wish. */
const wantAll = (node: TestService, id: string): Promise<void> => {
  const real = node.service.files(id).filter(({ pad }) => !pad);
  return node.service.setFilePriority(
    id,
    real.map(({ index }) => index),
    4,
  );
};

const at = (node: TestService, ...parts: string[]): string => join(node.folder, ...parts);

test('each goes when it is complete, is shared from there, and the rest follows', () =>
  withBench(async (bench) => {
    const seeder = await bench.start('seeder');
    const { torrent, id } = await bench.seed(seeder, content, 'v2', 16_384);
    const node = await bench.start('node');
    const done = at(node, 'done');
    await bench.get(node, torrent, seeder, { folder: at(node, 'part'), select: [first] });
    node.service.setFilesFolder(id, done);
    await untilThere(join(done, first));
    assert.deepEqual(await readFile(join(done, first)), Buffer.from(content.files[0]!.bytes));
    assert.equal(existsSync(at(node, 'part', first)), false);
    // Others get it from where it is now.
    const other = await bench.start('other');
    await bench.get(other, torrent, node, { select: [first] });
    await other.until(id, ({ doneBytes }) => doneBytes === content.files[0]!.bytes.length);
    await wantAll(node, id);
    await node.until(
      id,
      ({ state, havePieceCount, pieceCount }) => state === 'seeding' && havePieceCount === pieceCount,
    );
    await untilThere(join(done, third));
    await node.service.move(id, done);
    await assertContent(done, content);
    await node.service.recheck(id);
    await node.until(
      id,
      ({ state, havePieceCount, pieceCount }) => state === 'seeding' && havePieceCount === pieceCount,
    );
    assert.equal(node.snapshot(id).folder, done);
  }));

test('where a file of its name is, it stays, and the others go', () =>
  withBench(async (bench) => {
    const seeder = await bench.start('seeder');
    const { torrent, id } = await bench.seed(seeder, content, 'v2', 16_384);
    const node = await bench.start('node');
    const done = at(node, 'done');
    await mkdir(join(done, content.name), { recursive: true });
    await writeFile(join(done, first), 'somebody else');
    await bench.get(node, torrent, seeder, { folder: at(node, 'part') });
    node.service.setFilesFolder(id, done);
    await untilThere(join(done, second));
    await untilThere(join(done, third));
    await node.until(id, ({ state }) => state === 'seeding');
    assert.equal(await readFile(join(done, first), 'utf8'), 'somebody else');
    assert.deepEqual(await readFile(at(node, 'part', first)), Buffer.from(content.files[0]!.bytes));
    await assert.rejects(node.service.move(id, done), { code: 'DISK_EXISTS' });
    // Nothing was lost by the attempt.
    await node.service.recheck(id);
    await node.until(
      id,
      ({ state, havePieceCount, pieceCount }) => state === 'seeding' && havePieceCount === pieceCount,
    );
    await node.service.move(id, at(node, 'third'));
    await assertContent(at(node, 'third'), content);
  }));

test('what has gone is found after a restart, without being read again', () =>
  withBench(async (bench) => {
    const seeder = await bench.start('seeder');
    const { torrent, id } = await bench.seed(seeder, content, 'v2', 16_384);
    await mkdir(join(bench.root, 'node'), { recursive: true });
    const open = (): ReturnType<ReturnType<typeof createDatabases>['open']> =>
      createDatabases().open(join(bench.root, 'node', 'node.db'));
    let database = open();
    const before = await bench.start('node', {}, database);
    const done = at(before, 'done');
    await bench.get(before, torrent, seeder, { folder: at(before, 'part'), select: [first] });
    before.service.setFilesFolder(id, done);
    await untilThere(join(done, first));
    await before.service.close();
    database.close();
    database = open();
    const after = await bench.start('node', {}, database);
    assert.equal(await after.service.restore(), 1);
    await after.until(id, ({ doneBytes }) => doneBytes === content.files[0]!.bytes.length);
    await after.service.addPeer(id, seeder.address);
    await wantAll(after, id);
    await untilThere(join(done, second));
    await untilThere(join(done, third));
    await after.service.close();
    database.close();
  }));
