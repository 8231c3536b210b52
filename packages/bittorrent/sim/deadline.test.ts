/** Somebody plays a film while it is downloaded, and jumps: what he waits for comes before the rest. */
import { ok } from 'node:assert/strict';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';

const pieceBytes = 1 << 15;
const pieceCount = 200;
/** What had been asked for already, and what comes beside the wanted ones to keep the line full. */
const betweenMax = 60;

simulate('pieces with a deadline come first', import.meta.filename, async ({ seed, note }) => {
  const swarm = new Swarm({ seed, totalBytes: pieceCount * pieceBytes, pieceBytes });
  swarm.addNode({ seed: true, service: { limitUp: 1_500_000 } });
  swarm.addNode({ seed: true, service: { limitUp: 1_500_000 } });
  const player = swarm.addNode({});
  await swarm.startAll(1);
  await swarm.run(() => player.snapshot.havePieceCount >= 5);
  const order: number[] = [];
  const { service } = player;
  service.subscribe((event) => {
    if (event.type === 'bittorrent.piece.verified') order.push(event.piece);
  });
  const wanted = Array.from({ length: 10 }, (_, index) => 150 + index);
  for (const [index, piece] of wanted.entries())
    await service.setPieceDeadline(player.snapshot.id, piece, 200 + 50 * index);
  await swarm.runUntilFinished([player]);
  const places = wanted.map((piece) => order.indexOf(piece)).filter((place) => place >= 0);
  const mean = places.reduce((sum, place) => sum + place, 0) / places.length;
  note(
    `of ${order.length} pieces the ${places.length} wanted were number ${Math.min(...places)} to ${Math.max(...places)}`,
  );
  ok(places.length >= 7);
  ok(Math.max(...places) < places.length + betweenMax, `the last was number ${Math.max(...places)}`);
  ok(mean < order.length / 4, `${mean} of ${order.length}`);
  swarm.watch.checkComplete([player]);
  await swarm.end();
});
