import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningDaemon } from '@tequio/api';
import { IpfsService } from '@tequio/ipfs';
import { Prng } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import type { LocalNode } from '../compose.ts';
import { startDaemon } from '../start-daemon.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

/** Chunks are 1 MiB; no size is a whole number of them but one. */
const sizes = {
  'film.mkv': (5 << 20) + 12_345,
  'inner/b.bin': (1 << 20) + 7,
  'c.bin': 2 << 20,
  empty: 0,
  note: 5,
};
const totalBytes = Object.values(sizes).reduce((sum, bytes) => sum + bytes);

class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'tequio-bridge-'));
  readonly content = join(this.folder, 'content', 'album');
  /** Of files that people see, and of the block store's. */
  readBytes = 0;
  storeBytes = 0;

  constructor() {
    const prng = new Prng(7);
    for (const [path, bytes] of Object.entries(sizes)) {
      mkdirSync(join(this.content, path, '..'), { recursive: true });
      writeFileSync(join(this.content, path), prng.bytes(bytes));
    }
  }

  /** Every byte that a job of the disk reads from a file is counted. */
  async withDaemon(work: (daemon: RunningDaemon) => Promise<void>): Promise<void> {
    const daemon = await startDaemon({
      dataFolder: join(this.folder, 'data'),
      configPath: null,
      env: {},
      flags: {
        bittorrent: { port: 0, dht: false, portMapping: false, lsd: false },
        folders: { download: join(this.folder, 'downloads') },
        http: { enabled: false },
      },
      version: '9',
      pageFolder: null,
      countryFile: null,
    });
    const { disk } = (daemon as unknown as LocalNode).parts.ports;
    const [submit, register] = [disk.submit.bind(disk), disk.register.bind(disk)];
    const ofStore = new Map<number, boolean>();
    disk.register = (ref) => {
      const id = register(ref);
      ofStore.set(id, ref.root.startsWith(join(this.folder, 'data')));
      return id;
    };
    disk.submit = (job, done) => {
      if (job.kind === 'check' || job.kind === 'load') {
        for (const { file, bytes } of job.spans)
          if (file !== null && ofStore.get(file) === false) this.readBytes += bytes;
          else if (file !== null) this.storeBytes += bytes;
      }
      submit(job, done);
    };
    try {
      await work(daemon);
    } finally {
      await daemon.close();
    }
  }

  /** The repository of the node, which must not be running, or one of its own. */
  async withIpfs<Value>(name: string, work: (ipfs: IpfsService) => Promise<Value>): Promise<Value> {
    const ports = createRuntimePorts();
    const folder = join(this.folder, name, 'ipfs');
    mkdirSync(folder, { recursive: true });
    const ipfs = await IpfsService.open({ folder, quotaBytes: null, bootId: null }, ports);
    try {
      return await work(ipfs);
    } finally {
      await ipfs.repository.close();
      await ports.close();
    }
  }

  /** All of it is there, as it was, and the store holds nothing of it. */
  async checkIpfs(wrapped: string): Promise<void> {
    await this.withIpfs('data', async (ipfs) => {
      await ipfs.collect();
      const { diskBytes } = await ipfs.repoStat();
      assert.ok(diskBytes < 4000, `${diskBytes} bytes are in the store`);
      for (const path of Object.keys(sizes)) {
        const parts: Uint8Array[] = [];
        for await (const part of ipfs.cat(`/ipfs/${wrapped}/album/${path}`)) parts.push(part);
        assert.ok(Buffer.concat(parts).equals(readFileSync(join(this.content, path))), path);
      }
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

async function until(daemon: RunningDaemon, id: string, state: string): Promise<void> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs; ) {
    if ((await daemon.management.torrents.get(id))?.state === state) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`${id} is not ${state}`);
}

async function inBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = new Bench();
  try {
    await work(bench);
  } finally {
    bench.remove();
  }
}

for (const version of ['v1', 'v2', 'hybrid'] as const)
  test(`files become a ${version} torrent and a CID in one read, and lie where they lay`, () =>
    inBench(async (bench) => {
      let wrapped = '';
      await bench.withDaemon(async (daemon) => {
        const { bridge, torrents } = daemon.management;
        const made = await bridge.share({ path: bench.content, version });
        await until(daemon, made.torrent, 'seeding');
        assert.equal(bench.readBytes, totalBytes, 'each byte is read once');
        assert.deepEqual(
          (await torrents.webSeeds(made.torrent)).map(({ url }) => url),
          [`ipfs://${made.wrapped}/`],
        );
        const shown = (await torrents.show(made.torrent))!;
        assert.deepEqual(
          [shown.infoHashV1 === null, shown.infoHashV2 === null],
          [version === 'v2', version === 'v1'],
        );
        // What was not read again is right: a full check finds every piece.
        await torrents.recheck([made.torrent]);
        await until(daemon, made.torrent, 'seeding');
        assert.equal(made.cid, await bench.withIpfs('other', (ipfs) => ipfs.add(bench.content)));
        assert.deepEqual(
          made.files.map(({ path }) => path).sort(),
          Object.keys(sizes)
            .map((path) => `album/${path}`)
            .sort(),
        );
        ({ wrapped } = made);
      });
      await bench.checkIpfs(wrapped);
    }));

test('a torrent with small pieces becomes a CID in one read; an incomplete or a private one does not', () =>
  inBench(async (bench) => {
    let wrapped = '';
    await bench.withDaemon(async (daemon) => {
      const { bridge, torrents } = daemon.management;
      const options = { path: bench.content, version: 'v1', pieceBytes: 32_768 } as const;
      const torrent = await daemon.bittorrent.create(options);
      const secret = await daemon.bittorrent.create({ ...options, private: true });
      const folder = join(bench.content, '..');
      const { id } = await torrents.add({ source: { torrent }, folder, seed: true });
      await until(daemon, id, 'seeding');
      bench.readBytes = 0;
      const made = await bridge.torrentToIpfs(id);
      assert.equal(bench.readBytes, totalBytes);
      assert.equal(made.cid, await bench.withIpfs('other', (ipfs) => ipfs.add(bench.content)));
      assert.deepEqual([made.torrent, made.known, made.name], [id, true, 'album']);
      // Again is the same, and one address.
      assert.equal((await bridge.torrentToIpfs(id)).wrapped, made.wrapped);
      assert.equal((await torrents.webSeeds(id)).length, 1);
      ({ wrapped } = made);
      const hidden = await torrents.add({ source: { torrent: secret }, folder, seed: true });
      await until(daemon, hidden.id, 'seeding');
      await assert.rejects(bridge.torrentToIpfs(hidden.id), code('BRIDGE_PRIVATE'));
      const other = await daemon.bittorrent.create({ ...options, version: 'v2' });
      const empty = await torrents.add({ source: { torrent: other }, folder: join(bench.folder, 'nothing') });
      await assert.rejects(bridge.torrentToIpfs(empty.id), code('BRIDGE_INCOMPLETE'));
      await assert.rejects(bridge.torrentToIpfs('0'.repeat(40)), code('TORRENT_MISSING'));
    });
    await bench.checkIpfs(wrapped);
  }));

test('a CID becomes a torrent in one read, and its blocks then lie in the torrent’s files alone', () =>
  inBench(async (bench) => {
    const cid = await bench.withIpfs('data', (ipfs) => ipfs.add(bench.content, { pin: false }));
    let wrapped = '';
    await bench.withDaemon(async (daemon) => {
      const { bridge, torrents } = daemon.management;
      const made = await bridge.ipfsToTorrent({ path: cid, name: 'album' });
      await until(daemon, made.torrent, 'seeding');
      assert.equal(made.copiedBytes, 0);
      assert.equal(bench.readBytes, 0, 'what was written is not read back');
      // Blocks have a head each, and folders are read to be listed.
      assert.ok(bench.storeBytes < totalBytes + 20_000, `${bench.storeBytes} of ${totalBytes} bytes`);
      for (const path of Object.keys(sizes))
        assert.ok(
          readFileSync(join(bench.folder, 'downloads', 'album', path)).equals(
            readFileSync(join(bench.content, path)),
          ),
        );
      await torrents.recheck([made.torrent]);
      await until(daemon, made.torrent, 'seeding');
      await assert.rejects(
        bridge.ipfsToTorrent({ path: cid, name: 'album' }),
        code('BITTORRENT_CREATE_EXISTS'),
      );
      await assert.rejects(bridge.ipfsToTorrent({ path: cid, name: '../x' }), code('BRIDGE_CONTENT'));
      assert.equal(made.cid, cid);
      ({ wrapped } = made);
    });
    await bench.checkIpfs(wrapped);
  }));

test('a torrent that is moved and whose files are renamed goes on being given to IPFS', () =>
  inBench(async (bench) => {
    const before = new Map(
      Object.keys(sizes).map((path) => [path, readFileSync(join(bench.content, path))] as const),
    );
    let [id, wrapped] = ['', ''];
    const checkAll = async (ipfs: (path: string) => AsyncIterable<Uint8Array>): Promise<void> => {
      for (const [path, bytes] of before) {
        const parts: Uint8Array[] = [];
        for await (const part of ipfs(`/ipfs/${wrapped}/album/${path}`)) parts.push(part);
        assert.ok(Buffer.concat(parts).equals(bytes), path);
      }
    };
    const indexOf = async (daemon: RunningDaemon, path: string): Promise<number> =>
      (await daemon.management.torrents.files(id)).find((file) => file.path === path)!.index;
    await bench.withDaemon(async (daemon) => {
      const { bridge, torrents, ipfs } = daemon.management;
      ({ torrent: id, wrapped } = await bridge.share({ path: bench.content }));
      await until(daemon, id, 'seeding');
      await torrents.move([id], join(bench.folder, 'elsewhere'));
      await torrents.renameFile(id, await indexOf(daemon, 'album/film.mkv'), 'album/other name.mkv');
      await torrents.renameFolder(id, 'album/inner', 'album/outer');
      await checkAll((path) => ipfs.readFile(path));
    });
    // In a run in which nobody has asked for IPFS; there and back.
    await bench.withDaemon(async (daemon) => {
      const { torrents, ipfs } = daemon.management;
      await until(daemon, id, 'seeding');
      assert.equal((await ipfs.state()).mode, 'resting');
      const film = await indexOf(daemon, 'album/other name.mkv');
      await torrents.renameFile(id, film, 'album/film.mkv');
      await torrents.renameFile(id, film, 'album/third.mkv');
      await torrents.move([id], join(bench.folder, 'third'));
      // What comes to lie where a file was is not taken for it.
      mkdirSync(join(bench.folder, 'elsewhere', 'album'), { recursive: true });
      writeFileSync(join(bench.folder, 'elsewhere', 'album', 'film.mkv'), 'something else');
      await checkAll((path) => ipfs.readFile(path));
    });
    await bench.withIpfs('data', (ipfs) => checkAll((path) => ipfs.cat(path)));
  }));

test('one file, and one that IPFS cuts in its own way', () =>
  inBench(async (bench) => {
    const path = join(bench.content, 'film.mkv');
    const cid = await bench.withIpfs('data', (ipfs) => ipfs.add(path, { profile: 'unixfs-v0-2015' }));
    await bench.withDaemon(async (daemon) => {
      const { bridge } = daemon.management;
      const made = await bridge.ipfsToTorrent({ path: cid, name: 'film.mkv', version: 'v2' });
      await until(daemon, made.torrent, 'seeding');
      assert.ok(readFileSync(join(bench.folder, 'downloads', 'film.mkv')).equals(readFileSync(path)));
      assert.deepEqual([made.copiedBytes, made.files], [sizes['film.mkv'], [{ path: 'film.mkv', cid }]]);
      const shared = await bridge.share({ path });
      assert.notEqual(shared.cid, cid);
      await until(daemon, shared.torrent, 'seeding');
    });
  }));

test('what changed between the hashing and the sharing is found out, and survives a restart as such', () =>
  inBench(async (bench) => {
    const folder = join(bench.content, '..');
    let id = '';
    const lacks = async (daemon: RunningDaemon): Promise<void> => {
      for (const endMs = Date.now() + 30_000; Date.now() < endMs; ) {
        const { pieceCount, havePieceCount, state } = (await daemon.management.torrents.get(id))!;
        if (state === 'downloading' && pieceCount - havePieceCount === 1) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.fail(JSON.stringify(await daemon.management.torrents.get(id)));
    };
    await bench.withDaemon(async (daemon) => {
      const torrent = await daemon.bittorrent.create({ path: bench.content, version: 'hybrid' });
      const changed = readFileSync(join(bench.content, 'film.mkv'));
      changed[1_000_000]! ^= 1;
      writeFileSync(join(bench.content, 'film.mkv'), changed);
      ({ id } = await daemon.management.torrents.add({ source: { torrent }, folder, seed: true }));
      await lacks(daemon);
    });
    await bench.withDaemon(lacks);
  }));
