import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningDaemon } from '@tequio/api';
import { cidText, IpfsService, importBytes, profiles, tryParseCid } from '@tequio/ipfs';
import { Prng } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import { startDaemon } from '../start-daemon.ts';

const sizes = { 'a.bin': (6 << 20) + 99, 'b.bin': (3 << 20) + 5 };

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-seeds-'));
  try {
    mkdirSync(join(folder, 'content', 'album'), { recursive: true });
    const prng = new Prng(3);
    for (const [name, bytes] of Object.entries(sizes))
      writeFileSync(join(folder, 'content', 'album', name), prng.bytes(bytes));
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function withDaemon<Value>(
  data: string,
  work: (daemon: RunningDaemon) => Promise<Value>,
): Promise<Value> {
  const daemon = await startDaemon({
    dataFolder: data,
    configPath: null,
    env: {},
    flags: {
      bittorrent: { port: 0, dht: false, portMapping: false, lsd: false },
      http: { enabled: false },
    },
    version: '9',
    pageFolder: null,
    countryFile: null,
  });
  try {
    return await work(daemon);
  } finally {
    await daemon.close();
  }
}

async function until(what: () => Promise<boolean>, told: () => Promise<unknown>): Promise<void> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs; ) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(JSON.stringify(await told()));
}

/** All blocks of the album, but the leaves that `isLeft` leaves out. @returns the wrapped folder's CID */
async function store(folder: string, isLeft: (leaf: number) => boolean): Promise<string> {
  const ports = createRuntimePorts();
  mkdirSync(join(folder, 'ipfs'), { recursive: true });
  const ipfs = await IpfsService.open(
    { folder: join(folder, 'ipfs'), quotaBytes: null, bootId: null },
    ports,
  );
  try {
    const content = join(folder, '..', 'content');
    const cid = await ipfs.add(content, { pin: false });
    const bytes = readFileSync(join(content, 'album', 'a.bin'));
    for (let leaf = 0; leaf << 20 < bytes.length; leaf++) {
      if (!isLeft(leaf)) continue;
      const chunk = bytes.subarray(leaf << 20, (leaf + 1) << 20);
      const { cid: name } = await importBytes(
        { hashes: ports.hashes, blocks: { put: async () => undefined } },
        profiles['unixfs-v1-2025'],
        chunk,
      );
      await ipfs.removeBlocks([cidText(name)], { force: true });
    }
    return cid;
  } finally {
    await ipfs.repository.close();
    await ports.close();
  }
}

test('a torrent takes from its swarm what IPFS lacks, and from IPFS what the swarm lacks', () =>
  inFolder(async (folder) => {
    const content = join(folder, 'content');
    const [got, data] = [join(folder, 'got'), join(folder, 'data')];
    // IPFS lacks three of the seven leaves of a.bin; the swarm has a.bin and not b.bin.
    const wrapped = await store(data, (leaf) => leaf % 2 === 1);
    await withDaemon(join(folder, 'other'), async (other) => {
      const torrent = await other.bittorrent.create({
        path: join(content, 'album'),
        version: 'hybrid',
        pieceBytes: 65_536,
        webSeeds: [`ipfs://${wrapped}/`],
      });
      const half = join(folder, 'half');
      mkdirSync(join(half, 'album'), { recursive: true });
      writeFileSync(join(half, 'album', 'a.bin'), readFileSync(join(content, 'album', 'a.bin')));
      const { id } = await other.management.torrents.add({
        source: { torrent },
        folder: half,
        select: ['*/a.bin'],
      });
      // It has no part in it: what it lacks it must not get, or the other one would need nothing of IPFS.
      await other.management.torrents.setWebSeeds(id, []);
      await until(
        async () => (await other.management.torrents.get(id))?.state === 'seeding',
        () => other.management.torrents.get(id),
      );
      await withDaemon(data, async (daemon) => {
        const { torrents } = daemon.management;
        await torrents.add({
          source: { torrent },
          folder: got,
          peers: [`127.0.0.1:${other.bittorrent.port}`],
        });
        await until(
          async () => (await torrents.get(id))?.state === 'seeding',
          () => Promise.all([torrents.get(id), torrents.webSeeds(id)]),
        );
        for (const name of Object.keys(sizes))
          assert.ok(
            readFileSync(join(got, 'album', name)).equals(readFileSync(join(content, 'album', name))),
            name,
          );
        const [seed] = await torrents.webSeeds(id);
        const swarmBytes = (await other.management.torrents.get(id))!.uploadedBytes;
        assert.ok(seed!.downloadedBytes >= sizes['b.bin'], `${seed!.downloadedBytes} bytes of IPFS`);
        assert.ok(swarmBytes >= 3 << 20, `${swarmBytes} bytes of the swarm`);
      });
    });
  }));

test('an address that leads to other content costs a wrong piece, and not the download', () =>
  inFolder(async (folder) => {
    const content = join(folder, 'content');
    const data = join(folder, 'data');
    const right = readFileSync(join(content, 'album', 'a.bin'));
    // The same names and lengths, and other bytes: IPFS has what its CID says, and the torrent says something else.
    writeFileSync(
      join(content, 'album', 'a.bin'),
      right.map((byte) => byte ^ 1),
    );
    const wrapped = await store(data, () => false);
    assert.notEqual(tryParseCid(wrapped), null);
    writeFileSync(join(content, 'album', 'a.bin'), right);
    await withDaemon(join(folder, 'other'), async (other) => {
      const torrent = await other.bittorrent.create({ path: join(content, 'album'), version: 'v1' });
      const { id } = await other.management.torrents.add({
        source: { torrent },
        folder: content,
        seed: true,
      });
      await withDaemon(data, async (daemon) => {
        const { torrents } = daemon.management;
        await torrents.add({ source: { torrent }, folder: join(folder, 'got') });
        await torrents.setWebSeeds(id, [`ipfs://${wrapped}/`]);
        await until(
          async () => (await torrents.webSeeds(id))[0]?.state === 'failed',
          () => torrents.webSeeds(id),
        );
        await torrents.addPeers([id], [`127.0.0.1:${other.bittorrent.port}`]);
        await until(
          async () => (await torrents.get(id))?.state === 'seeding',
          () => torrents.get(id),
        );
        assert.ok(readFileSync(join(folder, 'got', 'album', 'a.bin')).equals(right));
      });
    });
  }));
