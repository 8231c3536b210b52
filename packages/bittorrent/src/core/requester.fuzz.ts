/**
 * The download side under peers that do as they please: they deliver in any order and in any portions, twice, unasked,
 * with wrong lengths or bytes, reject, choke, stall, lose pieces and leave in the middle of a block; priorities change
 * and the disk fails meanwhile. At the end one honest peer must be enough.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, Prng } from '@tequio/kernel';
import { encodeDontHave, ourExtensionIds } from '../wire/extension.ts';
import { MessageWriter, messageId } from '../wire/peer-message.ts';
import { blockBytes } from '../wire/torrent-info.ts';
import { type MadeTorrent, makeOddTorrent, makeTorrent } from './made-torrent.fixture.ts';
import { FakePeer, hangUp, TestNode, TorrentWorld } from './torrent-world.fixture.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 60);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);
const stepCount = 250;

const torrents: MadeTorrent[] = [
  makeTorrent('v1', 32 * 1024, [700_001]),
  makeTorrent('v1', 256 * 1024, [2_000_001]),
  makeTorrent('v2', 64 * 1024, [100, 300_000, 500_000]),
  makeTorrent('hybrid', 64 * 1024, [100, 300_000, 500_000]),
  makeTorrent('v1', 2 << 20, [5_000_001]),
  makeOddTorrent(50_000, 900_000),
];

/** What a peer may do that an honest one does not. */
type Temper = { readonly lies: boolean };

class Run {
  readonly prng: Prng;
  readonly world = new TorrentWorld();
  readonly node: TestNode;
  readonly made: MadeTorrent;
  readonly peers: { readonly fake: FakePeer; readonly temper: Temper; rest: Uint8Array }[] = [];
  readonly #writer = new MessageWriter();

  constructor(seed: number) {
    this.prng = new Prng(seed);
    this.made = this.prng.pick(torrents);
    const memoryBytesMax = this.prng.pick([1 << 18, 1 << 20, 16 << 20]);
    this.node = new TestNode(this.world, this.made, { has: 'nothing', memoryBytesMax });
  }

  step(): void {
    const { prng, peers } = this;
    const action = prng.below(100);
    if (peers.length < 2 || (action < 4 && peers.length < 8)) this.#join();
    const peer = peers[prng.below(peers.length)]!;
    if (peer.fake.isEnded) peers.splice(peers.indexOf(peer), 1);
    else if (action < 50) this.#deliver(peer);
    else if (action < 62) this.#misbehave(peer);
    else if (action < 64) {
      peer.fake.close();
      peers.splice(peers.indexOf(peer), 1);
    } else if (action < 67) this.#prioritize();
    else if (action < 69) this.#fail();
    else if (action < 72) this.world.run(prng.pick([1000, 12_000, 35_000]));
    else this.world.run(prng.below(20));
    this.check();
  }

  finish(): void {
    const { node, world } = this;
    node.disk.failing = null;
    node.act((torrent, nowMs) => {
      torrent.handleDiskRecovered(nowMs);
      for (let piece = 0; piece < this.made.metainfo.info.pieceCount; piece++)
        torrent.content?.setPriority(piece, 4);
      torrent.refresh(nowMs);
    });
    // Whoever is still there stays, and does nothing more.
    const honest = new FakePeer(node);
    honest.serve();
    for (let round = 0; round < 600 && !node.isComplete; round++) {
      world.run(1000);
      if (!honest.isEnded) honest.say((w) => w.writeKeepAlive());
      if (node.torrent.content!.isInTrouble) node.act((torrent, nowMs) => torrent.handleDiskRecovered(nowMs));
    }
    assert.ok(node.isComplete, `${node.torrent.content!.picker.have.setCount} pieces`);
    const { bytes } = node.disk;
    for (let at = 0; at < bytes.length; at += 1 << 16) {
      const same = Buffer.compare(
        bytes.subarray(at, at + (1 << 16)),
        this.made.content.subarray(at, at + (1 << 16)),
      );
      assert.equal(same, 0, `bytes from ${at}`);
    }
    assert.equal(node.blames.filter(({ endpoint }) => endpoint === honest.endpoint).length, 0);
    assert.notEqual(honest.verdict?.blame, 'peer');
    this.check();
    hangUp(world);
    node.assertBalanced();
  }

  /** What each peer is asked for is exactly what the picker counts for it. */
  check(): void {
    const { torrent } = this.node;
    const { picker, layout } = torrent.content!;
    const blocksPerPiece = layout.wholeBlockCount;
    const counted = new Map<number, Set<number>>();
    const requesters: number[] = [];
    for (const open of picker.openPieces()) {
      for (let block = 0; block < open.blockCount; block++) {
        requesters.length = 0;
        picker.requestersOf(open.piece, block, requesters);
        for (const key of requesters) {
          let keys = counted.get(key);
          if (keys === undefined) counted.set(key, (keys = new Set()));
          keys.add(open.piece * blocksPerPiece + block);
        }
      }
    }
    for (const peer of torrent.peers.values()) {
      const keys = counted.get(peer.key) ?? new Set();
      assert.deepEqual([...peer.requests.keys()].sort(), [...keys].sort(), `requests of peer ${peer.key}`);
      counted.delete(peer.key);
    }
    assert.equal(counted.size, 0, 'nobody who has left is still asked');
    const { memory, slabs } = this.node;
    const pieceBytes = Math.min(this.made.metainfo.info.pieceBytes, 1 << 20);
    // What is promised counts before a slab is there; the read cache has slabs of its own.
    assert.ok(memory.usedBytes + this.node.cache.usedBytes >= slabs.liveBytes);
    if (picker.openCount === 0 && this.node.disk.waiting.length === 0) {
      assert.equal(memory.usedBytes, 0, 'memory is taken for open pieces alone');
    }
    assert.ok(memory.usedBytes <= memory.bytesMax + 12 * pieceBytes, `${memory.usedBytes} bytes of memory`);
  }

  #join(): void {
    const { prng, node } = this;
    const { pieceCount } = this.made.metainfo.info;
    const fake = new FakePeer(node, { fast: prng.chance(0.7) });
    this.peers.push({ fake, temper: { lies: prng.chance(0.15) }, rest: new Uint8Array(0) });
    fake.say((w) => {
      for (let piece = 0; piece < pieceCount; piece++)
        if (prng.chance(0.7)) w.writeIndex(messageId.have, piece);
      w.writeEmpty(messageId.unchoke);
    });
  }

  /** Some of what was asked for, in any order, perhaps only the beginning of the last block. */
  #deliver(peer: Run['peers'][number]): void {
    const { prng, node } = this;
    if (peer.rest.length > 0) {
      this.#send(peer, peer.rest);
      return;
    }
    const asked = [...(node.torrent.peers.get(peer.fake.key)?.requests.keys() ?? [])];
    const perPiece = node.torrent.content!.layout.wholeBlockCount;
    const chosen = prng.chance(0.7) ? asked : prng.shuffle(asked);
    for (const key of chosen.slice(0, prng.between(1, 12))) {
      this.#writeBlock(Math.floor(key / perPiece), key % perPiece, peer.temper.lies && prng.chance(0.3));
    }
    this.#send(peer, concatBytes(this.#writer.take()));
  }

  #send(peer: Run['peers'][number], bytes: Uint8Array): void {
    const taken = this.prng.chance(0.3) ? this.prng.below(bytes.length + 1) : bytes.length;
    peer.rest = bytes.slice(taken);
    for (let at = 0; at < taken && !peer.fake.isEnded; ) {
      const end = Math.min(taken, at + this.prng.between(1, 60_000));
      peer.fake.send(bytes.slice(at, end));
      at = end;
    }
  }

  #writeBlock(piece: number, block: number, isLie: boolean): void {
    const { content, metainfo } = this.made;
    const start = piece * metainfo.info.pieceBytes + block * blockBytes;
    const bytes = this.node.torrent.content!.layout.blockBytesOf(piece, block);
    const data = content.slice(start, start + bytes);
    if (isLie) data[this.prng.below(data.length)]! ^= 0x10;
    this.#writer.writeBlock(piece, block * blockBytes, data);
  }

  #misbehave(peer: Run['peers'][number]): void {
    const { prng } = this;
    // Within a block there is nothing else that it could say.
    if (peer.rest.length > 0) return;
    const { layout } = this.node.torrent.content!;
    const piece = prng.below(this.made.metainfo.info.pieceCount);
    const block = prng.below(layout.blockCountOf(piece));
    const asked = this.node.torrent.peers.get(peer.fake.key)?.requests ?? new Map<number, number>();
    const w = this.#writer;
    switch (prng.below(8)) {
      case 0:
        w.writeEmpty(messageId.choke);
        break;
      case 1:
      case 2:
        w.writeEmpty(messageId.unchoke);
        break;
      case 3:
        for (const key of [...asked.keys()].slice(0, prng.below(6))) {
          const [at, which] = [Math.floor(key / layout.wholeBlockCount), key % layout.wholeBlockCount];
          if (peer.fake.node.torrent.peers.get(peer.fake.key)?.speaksFast) {
            w.writeRange(messageId.reject, at, which * blockBytes, layout.blockBytesOf(at, which));
          }
        }
        break;
      case 4:
        this.#writeBlock(piece, block, false);
        break;
      case 5:
        w.writeBlock(piece, block * blockBytes + prng.below(2), new Uint8Array(prng.below(blockBytes)));
        break;
      case 6:
        w.writeExtended(ourExtensionIds.lt_donthave, encodeDontHave(piece));
        break;
      default:
        w.writeIndex(messageId.have, piece);
    }
    this.#send(peer, concatBytes(w.take()));
  }

  #prioritize(): void {
    const { prng } = this;
    const first = prng.below(this.made.metainfo.info.pieceCount);
    const priority = prng.pick([0, 0, 1, 4, 7]);
    this.node.act((torrent, nowMs) => {
      torrent.content?.setPriority(first, priority);
      torrent.refresh(nowMs);
    });
  }

  #fail(): void {
    const { node } = this;
    node.disk.failing = node.disk.failing === null && this.prng.chance(0.4) ? 'full' : null;
    if (node.disk.failing === null) node.act((torrent, nowMs) => torrent.handleDiskRecovered(nowMs));
  }
}

test('whatever peers do, requests stay counted, memory bounded, and one honest peer completes the torrent', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    try {
      const run = new Run(seed);
      for (let step = 0; step < stepCount; step++) run.step();
      run.finish();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
