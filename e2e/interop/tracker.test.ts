/** Peers that only a tracker introduces: Tequio on opentracker, and each of the others on `tequio tracker`. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { assertSameTree } from '../lab/content.ts';
import { Opentracker } from '../lab/opentracker.ts';
import { type ForeignProgram, foreignPeers } from '../lab/programs.ts';
import { TequioPeer, TequioTracker } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';
import { type Cell, type Stage, testCells } from './cell.ts';

const timeoutMs = 40_000;
type Transport = 'HTTP' | 'UDP';

/** Waits until the tracker's HTTP scrape (BEP 48) counts a seed, so that the next announce is told of it. */
async function waitForSeed(httpUrl: string, infoHash: string): Promise<void> {
  const escaped = infoHash.replace(/../g, '%$&');
  const url = `${httpUrl.replace('/announce', '/scrape')}?info_hash=${escaped}`;
  await until('the tracker knows the seed', 15_000, async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
    return /8:completei[1-9]/.test(await response.text());
  });
}

function opentrackerCell(transport: Transport): Cell {
  return {
    program: 'opentracker',
    what: 'its-tracker',
    variant: transport,
    title: `Tequio finds Tequio through opentracker over ${transport}`,
    run: async (stage) => {
      const host = stage.host('opentracker');
      const { infoHashV1 } = await stage.torrent('v1');
      const tracker = stage.use(await Opentracker.start(host, [infoHashV1!]));
      const url = transport === 'HTTP' ? tracker.httpUrl : tracker.udpUrl;
      const torrent = await stage.torrent('v1', [url]);
      const seeder = stage.use(new TequioPeer(stage.host('seeder')));
      await seeder.seed(torrent.file, stage.sourceFolder);
      await waitForSeed(tracker.httpUrl, infoHashV1!);
      const leech = stage.use(new TequioPeer(stage.host('leech')));
      const folder = stage.newFolder();
      await leech.download(torrent.file, folder, {});
      await leech.waitComplete(timeoutMs);
      assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'));
      assert.match(await tracker.statistics(), /serving 1 torrents/);
    },
  };
}

/** Two of the same program meet on our tracker: one seeds, the other has only the tracker's address. */
function ourTrackerCell(foreign: ForeignProgram, transport: Transport): Cell {
  return {
    program: foreign.name,
    what: 'our-tracker',
    variant: transport,
    title: `${foreign.name} finds ${foreign.name} through tequio tracker over ${transport}`,
    run: async (stage: Stage) => {
      const torrent = await stage.torrent('v1');
      const tracker = stage.use(await TequioTracker.start(stage.host('tracker')));
      const trackers = [transport === 'HTTP' ? tracker.httpUrl : tracker.udpUrl];
      const seeder = stage.use(await foreign.start(stage.host('seeder')));
      await seeder.seed(torrent.file, stage.sourceFolder, trackers);
      await waitForSeed(tracker.httpUrl, torrent.infoHashV1!);
      const leech = stage.use(await foreign.start(stage.host('leech')));
      const folder = stage.newFolder();
      await leech.download(torrent.file, folder, { trackers });
      await leech.waitComplete(timeoutMs);
      assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'), leech);
    },
  };
}

testCells('tracker', [
  opentrackerCell('HTTP'),
  opentrackerCell('UDP'),
  ...foreignPeers.flatMap((foreign) => [ourTrackerCell(foreign, 'HTTP'), ourTrackerCell(foreign, 'UDP')]),
]);
