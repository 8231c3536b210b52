/** That the driver gives back, at every kind of end, what a torrent has borrowed from the node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  concatBytes,
  type DiskJob,
  type DiskPort,
  type DiskResult,
  type Endpoint,
  type IpAddress,
  Prng,
  type StreamConnection,
  type StreamHandler,
  silentLog,
} from '@tequio/kernel';
import { Admission, type Ban, defaultConnectionLimits } from '@tequio/network';
import { TestSlabs } from '../core/linear-disk.fixture.ts';
import { makeTorrent, nodeHashes } from '../core/made-torrent.fixture.ts';
import { PeerList } from '../core/peer-list.ts';
import { PieceMemory } from '../core/piece-memory.ts';
import { ReadCache } from '../core/read-cache.ts';
import { Torrent } from '../core/torrent.ts';
import { openGate } from '../core/torrent-world.fixture.ts';
import { encodeHandshake, MessageWriter, messageId } from '../wire/peer-message.ts';
import { TorrentDriver } from './torrent-driver.ts';

const made = makeTorrent('v1', 64 * 1024, [1_000_000]);
const { info } = made.metainfo;
const remote: Endpoint = { address: '10.1.2.3' as IpAddress, port: 5 };

/** Takes writes and never says that they were sent. */
class StuckConnection implements StreamConnection {
  readonly remote = remote;
  readonly local = remote;
  readonly queuedBytes = 0;
  isDestroyed = false;
  pause(): void {}
  resume(): void {}
  write(): void {}
  end(): void {}
  destroy(): void {
    this.isDestroyed = true;
  }
}

class Bench {
  readonly slabs = new TestSlabs();
  readonly memory = new PieceMemory(this.slabs, 16 << 20);
  readonly cache = new ReadCache(this.slabs, 16 << 20);
  readonly jobs: { readonly job: DiskJob; readonly done: (result: DiskResult) => void }[] = [];
  readonly driver: TorrentDriver;
  readonly admission = new Admission({
    limits: defaultConnectionLimits,
    clock: { nowMs: () => 0, wallMs: () => 0, setTimer: () => ({ cancel: () => {} }) },
  });
  readonly bans: Ban[] = [];
  #nextJobId = 1;

  constructor(isSeed: boolean) {
    const torrent = new Torrent(
      {
        infoHashV1: info.infoHashV1,
        infoHashV2: null,
        peerId: new Uint8Array(20).fill(1),
        listenPort: 0,
        uploadSlots: null,
      },
      {
        hashes: nodeHashes,
        prng: new Prng(1),
        memory: this.memory,
        cache: this.cache,
        gate: openGate,
        owner: 1,
        nextJobId: () => this.#nextJobId++,
      },
    );
    const unused = (): never => assert.fail('not used here');
    const disk = {
      submit: (job: DiskJob, done: (result: DiskResult) => void) => void this.jobs.push({ job, done }),
      flush: () => {},
      afterAnswers: (call: () => void) => call(),
    } as unknown as DiskPort;
    this.driver = new TorrentDriver(
      torrent,
      new PeerList({ prng: new Prng(2) }),
      {
        clock: { nowMs: () => 1000, wallMs: () => 1000, setTimer: () => ({ cancel: () => {} }) },
        dialer: { dial: unused, markUnderstood: unused, handleSilentEnd: unused },
        disk,
        log: silentLog,
        bind: null,
        admission: this.admission,
        rates: { received: () => false, sent: () => {}, forgotten: () => {} },
        seenAt: () => {},
        ownEndpoint: () => null,
      },
      {
        id: 'torrent',
        spansToStore: () => [],
        trySpansToLoad: () => [],
        handleFact: () => {},
        driven: () => {},
        connected: () => {},
        closed: () => {},
        banned: (_endpoint, ban) => void this.bans.push(ban),
      },
    );
    this.driver.run((t, nowMs) => {
      const pieces = isSeed ? Array.from({ length: info.pieceCount }, (_, piece) => piece) : [];
      t.setInfo(info, new Map(), nowMs).start(pieces, []);
    });
  }

  /** A peer that has introduced itself and says these messages. */
  connect(write: (writer: MessageWriter) => void): { connection: StuckConnection; handler: StreamHandler } {
    const writer = new MessageWriter();
    const peerId = new Uint8Array(20).fill(9);
    writer.writeBytes(
      encodeHandshake({
        infoHash: info.infoHashV1!,
        peerId,
        extended: false,
        fast: true,
        dht: false,
        v2: false,
      }),
    );
    write(writer);
    const connection = new StuckConnection();
    const slot = this.admission.budget.tryAccept(remote.address)!;
    const handler = this.driver.accept(connection, concatBytes(writer.take()), slot);
    assert.ok(handler !== null);
    return { connection, handler };
  }

  finishJobs(): void {
    for (const { done } of this.jobs.splice(0)) done({ ok: true, digests: null, written: true });
  }
}

const asker = (writer: MessageWriter): void => {
  writer.writeEmpty(messageId.haveNone);
  writer.writeEmpty(messageId.interested);
};
const requests = (): Uint8Array => {
  const writer = new MessageWriter();
  for (let block = 0; block < 4; block++) writer.writeRange(messageId.request, 0, block * 16384, 16384);
  return concatBytes(writer.take());
};

test('extents whose bytes were never sent are given back when the connection is gone, not before', () => {
  const bench = new Bench(true);
  const { handler } = bench.connect(asker);
  handler.onBytes(requests());
  bench.finishJobs();
  bench.cache.forget(1);
  assert.ok(bench.cache.usedBytes > 0, 'the connection may still read them');
  handler.onClose('reset');
  assert.equal(bench.cache.usedBytes, 0);
  assert.equal(bench.slabs.live.size, 0);
  assert.equal(bench.admission.budget.totalCount, 0);
});

test('a closed torrent gives back what connections and the disk still had, as it comes back', () => {
  const seed = new Bench(true);
  const { handler, connection } = seed.connect(asker);
  handler.onBytes(requests());
  seed.finishJobs();
  handler.onBytes(requests());
  seed.driver.close();
  assert.ok(connection.isDestroyed);
  assert.equal(seed.admission.budget.totalCount, 0);
  seed.cache.forget(1);
  seed.finishJobs();
  handler.onClose(null);
  assert.equal(seed.cache.usedBytes, 0);
  assert.equal(seed.slabs.live.size, 0);

  const leech = new Bench(false);
  const giver = leech.connect((writer) => {
    writer.writeEmpty(messageId.haveAll);
    writer.writeEmpty(messageId.unchoke);
    for (let block = 0; block < 4; block++) writer.writeBlock(0, block * 16384, made.content.slice(0, 16384));
  });
  // Whatever piece was asked for first, all of its blocks.
  for (let piece = 0; piece < info.pieceCount; piece++) {
    const writer = new MessageWriter();
    for (let block = 0; block < 4; block++) writer.writeBlock(piece, block * 16384, new Uint8Array(16384));
    giver.handler.onBytes(concatBytes(writer.take()));
  }
  assert.ok(leech.jobs.length > 0 && leech.memory.usedBytes > 0);
  leech.driver.close();
  leech.finishJobs();
  giver.handler.onClose(null);
  assert.equal(leech.memory.usedBytes, 0);
  assert.equal(leech.slabs.live.size, 0);
});

test('who lies is banned once for the whole node, and every torrent parts from it', () => {
  const [first, second] = [new Bench(true), new Bench(true)];
  const liar = first.connect(asker);
  const elsewhere = second.connect(asker);
  // A message of 4 GiB.
  liar.handler.onBytes(new Uint8Array(9).fill(255));
  assert.ok(liar.connection.isDestroyed);
  assert.equal(first.bans.length, 1);
  const [ban] = first.bans;
  assert.equal(ban!.key, '10.1.2.3');
  assert.deepEqual(first.admission.bans(), [ban]);
  assert.equal(first.admission.isWelcome({ ...remote, port: 6 }), false, 'on any port');
  assert.equal(second.driver.connectionCount, 1);
  second.driver.expel({ ...ban!, key: '10.1.2.4' });
  assert.equal(second.driver.connectionCount, 1, 'somebody else');
  second.driver.expel(ban!);
  assert.equal(second.driver.connectionCount, 0);
  assert.ok(elsewhere.connection.isDestroyed);
  assert.equal(second.admission.budget.totalCount, 0);
  const slot = first.admission.budget.tryAccept(remote.address)!;
  assert.equal(first.driver.accept(new StuckConnection(), new Uint8Array(48), slot), null);
});
