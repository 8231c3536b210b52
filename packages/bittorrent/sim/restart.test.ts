/** A node that is killed again and again, and one whose disk is full for a while: both keep what they had and go on. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { rounded } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';
import { nodeMemory, type SwarmNode } from './swarm-node.ts';

const line = { upRate: 100_000, downRate: 200_000 };
const totalBytes = 8 << 20;
const pieceBytes = 1 << 16;
const lifeCount = 10;

/** What a node on this line has asked for and not written when it dies: three seconds' worth (request window). */
const lostPerLifeBytes = 3 * line.downRate;

function piecesOf(node: SwarmNode): Set<number> {
  const bytes = Buffer.from(node.snapshot.pieces, 'base64');
  const pieces = new Set<number>();
  for (let piece = 0; piece < bytes.length * 8; piece++) {
    if ((bytes[piece >> 3]! & (0x80 >> (piece & 7))) !== 0) pieces.add(piece);
  }
  return pieces;
}

simulate(
  'killed and started again, ten times: nothing kept is lost',
  import.meta.filename,
  async (simulation) => {
    const swarm = new Swarm({ seed: simulation.seed, totalBytes, pieceBytes });
    swarm.addNodes(2, () => ({ seed: true, line }));
    const node = swarm.addNode({ line, remembers: true });
    await swarm.startAll();
    const counts: number[] = [];
    for (let life = 0; life < lifeCount; life++) {
      await swarm.run(1500 + swarm.prng.below(1500));
      const kept = [...(swarm.watch.kept.get(node) ?? [])];
      counts.push(kept.length);
      node.kill();
      await swarm.run(swarm.prng.below(500));
      swarm.startLater(node, 0);
      await swarm.run(() => node.isRunning && node.service.torrents()[0]?.state === 'downloading', 10_000);
      const have = piecesOf(node);
      deepEqual(
        kept.filter((piece) => !have.has(piece)),
        [],
        `life ${life} lost pieces that were kept`,
      );
    }
    await swarm.runUntilFinished([node]);
    swarm.watch.checkComplete([node]);
    const receivedBytes = node.host.host.receivedBytes;
    simulation.note(`kept at each death: ${counts.join(', ')} of ${totalBytes / pieceBytes}`);
    simulation.note(`received ${rounded(receivedBytes / totalBytes)} times the content`);
    ok(counts.at(-1)! > totalBytes / pieceBytes / 4, 'it got somewhere between its deaths');
    ok(receivedBytes < 1.02 * totalBytes + lifeCount * lostPerLifeBytes, `${receivedBytes} bytes`);
    await swarm.end();
  },
);

simulate(
  'a full disk: an error that says so, and on it goes when there is room',
  import.meta.filename,
  async (simulation) => {
    const swarm = new Swarm({ seed: simulation.seed, totalBytes, pieceBytes });
    swarm.addNodes(2, () => ({ seed: true, line }));
    const node = swarm.addNode({ line });
    const fullBytes = 3 << 20;
    node.volume.setCapacity(fullBytes);
    await swarm.startAll();
    await swarm.run(60_000);
    const { state, error, havePieceCount } = node.snapshot;
    equal(state, 'error');
    ok(error !== null && /space/.test(error), `${error}`);
    await swarm.run(240_000);
    equal(node.snapshot.havePieceCount, havePieceCount);
    // Each time it tries the disk it asks for a little more, until its memory for pieces is full too.
    const receivedBytes = node.host.host.receivedBytes;
    ok(receivedBytes < 1.05 * (fullBytes + nodeMemory.pieceMemoryBytesMax), `${receivedBytes} bytes came`);

    node.volume.setCapacity(Number.POSITIVE_INFINITY);
    const freedMs = swarm.world.clock.nowMs();
    await swarm.runUntilFinished([node]);
    swarm.watch.checkComplete([node]);
    const types = swarm.watch.events.filter((entry) => entry.node === node).map(({ event }) => event.type);
    simulation.note(
      `full at ${havePieceCount} pieces, ${rounded((receivedBytes - fullBytes) / 2 ** 20)} MiB more came; complete ${rounded((node.finishedMs! - freedMs) / 1000)} s after there was room`,
    );
    deepEqual(
      types.filter((type) => type !== 'bittorrent.torrent.checked'),
      ['bittorrent.torrent.failed', 'bittorrent.torrent.recovered'],
    );
    ok(node.finishedMs! - freedMs < 90_000, 'it notices the room');
    await swarm.end();
  },
);
