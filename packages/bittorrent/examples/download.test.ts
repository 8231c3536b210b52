/** The example, run for real: a seed and the example's own downloader, over sockets on loopback. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type BittorrentEvent, type BittorrentService, createBittorrent } from '@tequio/bittorrent';
import { type IpAddress, Prng } from '@tequio/kernel';
import { createRuntimePorts, readBootId } from '@tequio/runtime';
import { download } from './download.ts';

/** Odd sizes, an empty file, a name that is not ASCII; the first is longer than a piece. */
const content = new Map<string, Uint8Array>([
  ['album/one.bin', noise(1_500_001, 1)],
  ['album/disc 2/canción.bin', noise(70_000, 2)],
  ['album/empty.txt', new Uint8Array(0)],
  ['album/end.bin', noise(1, 3)],
]);

function noise(byteCount: number, seed: number): Uint8Array {
  const prng = new Prng(seed);
  return Uint8Array.from({ length: byteCount }, () => prng.nextUint32());
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tequio-example-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function startSeed(t: TestContext, folder: string): Promise<BittorrentService> {
  const ports = createRuntimePorts();
  const seed = createBittorrent(
    { dataFolder: join(folder, 'state'), bootId: readBootId(), port: 0, bind: '127.0.0.1' as IpAddress },
    { ports, database: null },
  );
  await seed.start();
  t.after(async () => {
    await seed.close();
    await ports.close();
  });
  return seed;
}

test('the example downloads a folder from a peer, byte for byte, and remembers it', {
  timeout: 30_000,
}, async (t) => {
  const [seedFolder, folder] = [await temporaryFolder(t), await temporaryFolder(t)];
  for (const [path, bytes] of content) {
    await mkdir(dirname(join(seedFolder, path)), { recursive: true });
    await writeFile(join(seedFolder, path), bytes);
  }
  const seed = await startSeed(t, seedFolder);
  const torrent = await seed.create({
    path: join(seedFolder, 'album'),
    version: 'hybrid',
    pieceBytes: 65536,
  });
  await seed.add({ torrent }, { folder: seedFolder, seed: true });

  const events: BittorrentEvent[] = [];
  const options = {
    source: { torrent },
    folder,
    stateFolder: folder,
    onEvent: (event: BittorrentEvent) => void events.push(event),
  };
  await download({ ...options, peers: [`127.0.0.1:${seed.port}`] });

  for (const [path, bytes] of content) {
    assert.deepEqual(new Uint8Array(await readFile(join(folder, path))), bytes, path);
  }
  const verified = events.filter(({ type }) => type === 'bittorrent.piece.verified');
  assert.equal(verified.length, seed.show({ torrent }).pieceCount);
  assert.equal(events[0]?.type, 'bittorrent.torrent.added');

  // Without any peer: what was downloaded is remembered, so all is there at once.
  events.length = 0;
  await download(options);
  assert.deepEqual(
    events.filter(({ type }) => type === 'bittorrent.piece.verified' || type === 'bittorrent.peer.connected'),
    [],
  );
});
