import assert from 'node:assert/strict';
import { test } from 'node:test';
import pc from 'picocolors';
import { DemoMember, DemoSwarm } from './demo-swarm.ts';
import { renderSwarm } from './demo-view.ts';
import { en } from './messages/en.ts';
import { renderPieceMap } from './piece-map.ts';
import { widthOf } from './text-width.ts';

test('demo: lines of a child that are not what they should be change nothing', () => {
  const member = new DemoMember('peer 1', false, 4);
  for (const line of ['', 'hello', 'null', '[]', '{"type":"bittorrent.piece.verified","piece":99}'])
    member.handleLine(line, 0);
  member.handleLine('{"type":"progress","pieces":"!!","peers":[null,3],"downloadedBytes":"x"}', 0);
  assert.equal(member.pieces.setCount, 0);
  assert.equal(member.downloadedBytes, 0);
});

test('demo: the picture at two widths', () => {
  const swarm = new DemoSwarm('seed', ['peer 1', 'peer 2'], 30);
  swarm.seed.handleLine('{"type":"seeding"}', 0);
  swarm.seed.handleLine('{"type":"progress","uploadedBytes":300000}', 0);
  for (let piece = 0; piece < 30; piece += 2)
    swarm.downloaders[0]!.handleLine(`{"type":"bittorrent.piece.verified","piece":${piece}}`, 0);
  const style = { colors: pc.createColors(false), messages: en };
  assert.deepEqual(renderSwarm(swarm, { columns: 80, ...style }), [
    `seed    ${'█'.repeat(31)}  sent 293 KiB`,
    `peer 1  ${renderPieceMap(swarm.downloaders[0]!.pieces.bytes, 30, 31)}   50 %  seed ~0 B, others ~0 B`,
    `peer 2  ${'·'.repeat(31)}    0 %  seed ~0 B, others ~0 B`,
  ]);
  for (const line of renderSwarm(swarm, { columns: 40, ...style })) assert.ok(widthOf(line) <= 40);
});
