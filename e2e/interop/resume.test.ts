/** `kill -9` in the middle of a download from another program, several times: nothing kept is lost or false. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { assertSameTree, largeFiles, makeContent } from '../lab/content.ts';
import { LibtorrentPeer } from '../lab/libtorrent.ts';
import { TequioPeer } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';
import { testCells } from './cell.ts';

const largeBytes = 48 * 1024 * 1024;
const pieceBytes = 256 * 1024;
/** The whole takes six seconds at this rate, so there is a middle to be killed in. */
const bytesPerSecond = 8_000_000;
const killCount = 3;

/** Pieces that the present run has said it keeps. */
function keptOf(tequio: TequioPeer): number[] {
  const lines = tequio.lines.filter(({ type }) => type === 'bittorrent.pieces.kept');
  return lines.flatMap((line) => line['pieces'] as number[]);
}

/** Pieces of a bitfield as `progress` prints it. */
function piecesOf(base64: unknown): Set<number> {
  const bytes = Buffer.from(String(base64), 'base64');
  const pieces = new Set<number>();
  for (let i = 0; i < bytes.length * 8; i++) if (bytes[i >> 3]! & (0x80 >> (i & 7))) pieces.add(i);
  return pieces;
}

testCells('resume', [
  {
    program: 'Tequio',
    what: 'resume',
    variant: 'v1',
    title: `Tequio, killed ${killCount} times while it downloads from libtorrent, goes on each time`,
    run: async (stage) => {
      const source = join(stage.lab.folder, 'large');
      makeContent(join(source, 'content'), largeFiles(largeBytes), 7);
      const file = join(stage.lab.folder, 'large.torrent');
      await stage.tool.create({ path: join(source, 'content'), out: file, version: 'v1', pieceBytes });
      const seederHost = stage.host('seeder');
      seederHost.limitRate(bytesPerSecond);
      const seeder = stage.use(await LibtorrentPeer.start(seederHost));
      await seeder.seed(file, source);

      const tequio = stage.use(new TequioPeer(stage.host('tequio')));
      const folder = stage.newFolder();
      const kept = new Set<number>();
      for (let kill = 1; kill <= killCount; kill++) {
        await tequio.download(file, folder, { peers: [seeder.endpoint] });
        await until('Tequio keeps more pieces', 20_000, () => keptOf(tequio).length >= 24);
        for (const piece of keptOf(tequio)) kept.add(piece);
        await tequio.kill();
        for (const piece of keptOf(tequio)) kept.add(piece);
        assert.ok(kept.size < largeBytes / pieceBytes, 'killed too late to prove anything');
      }

      await tequio.download(file, folder, { peers: [seeder.endpoint] });
      const first = await tequio.waitLine('progress', 10_000, ({ state }) => state === 'downloading');
      const has = piecesOf(first['pieces']);
      assert.deepEqual(
        [...kept].filter((piece) => !has.has(piece)),
        [],
        'pieces that were kept are lost',
      );
      await tequio.waitComplete(30_000);
      assertSameTree(join(folder, 'content'), join(source, 'content'));
      const last = tequio.lines.findLast(({ type }) => type === 'progress');
      const allowed = largeBytes + 100 - (kept.size - 1) * pieceBytes;
      assert.ok(Number(last?.['downloadedBytes']) <= allowed, 'kept pieces were downloaded again');
    },
  },
]);
