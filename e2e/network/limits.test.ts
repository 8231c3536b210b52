/**
 * Limits as a user sets them, measured on the network card of the host: all bytes on the line, with every header, over
 * TCP and uTP, at 1, 10 and 100 MB/s. More than 5 % above is never right. Whether the limit is reached too depends on
 * what else runs: it is asked for in virtual time (packages/bittorrent/sim/rate.test.ts), and here with
 * TEQUIO_QUIET=1, on a machine that does nothing else.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { env } from 'node:process';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { largeFiles, makeContent } from '../lab/content.ts';
import { canOpenLab, type Host, Lab } from '../lab/lab.ts';
import { runTequio, TequioPeer } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';

const megabyte = 1_000_000;
/** The first 50 ms of a limit may be used at once. */
const settleMs = 1000;
const measuredMs = 3000;
const errorMax = 0.05;
const isQuiet = env['TEQUIO_QUIET'] === '1';

const isMissing = !canOpenLab() || spawnSync('nft', ['--version']).status !== 0;
const skip =
  isMissing && env['TEQUIO_REQUIRE_PEERS'] !== '1' ? 'needs root, network namespaces and nft' : false;

/** Bytes a second on the line, as IP counts them. */
async function rateOf(host: Host): Promise<number> {
  const [startBytes, startMs] = [host.sentBytes(), performance.now()];
  await sleep(measuredMs);
  return ((host.sentBytes() - startBytes) * 1000) / (performance.now() - startMs);
}

type Case = {
  readonly megabytes: number;
  readonly transport: 'tcp' | 'utp';
  /** Who is limited. */
  readonly side: 'up' | 'down';
};

const slow: readonly Case[] = [
  { megabytes: 1, transport: 'tcp', side: 'up' },
  { megabytes: 1, transport: 'tcp', side: 'down' },
  { megabytes: 1, transport: 'utp', side: 'up' },
  { megabytes: 1, transport: 'utp', side: 'down' },
  { megabytes: 10, transport: 'tcp', side: 'up' },
  { megabytes: 10, transport: 'tcp', side: 'down' },
  { megabytes: 10, transport: 'utp', side: 'up' },
  { megabytes: 10, transport: 'utp', side: 'down' },
];
const fast: readonly Case[] = [
  { megabytes: 100, transport: 'tcp', side: 'up' },
  { megabytes: 100, transport: 'tcp', side: 'down' },
  { megabytes: 100, transport: 'utp', side: 'up' },
  { megabytes: 100, transport: 'utp', side: 'down' },
];

function testCase(one: Case): void {
  const { megabytes, transport, side } = one;
  test(`${megabytes} MB/s over ${transport}, limited by the one who ${side === 'up' ? 'sends' : 'receives'}`, {
    skip,
  }, async (t) => {
    const lab = Lab.open();
    try {
      const [near, far] = [lab.addHost('near'), lab.addHost('far')];
      const source = join(lab.folder, 'source');
      const bytes = megabytes * megabyte * ((settleMs + measuredMs) / 1000 + 0.7);
      makeContent(join(source, 'content'), largeFiles(bytes), 5);
      const torrent = join(lab.folder, 'content.torrent');
      const made = await runTequio(['create', join(source, 'content'), '-o', torrent, '--v1'], lab.folder);
      assert.equal(made.code, 0, made.stderr);
      const limit = [`--limit-${side}`, `${megabytes}MB`];
      const how = ['--transport', transport, '--no-port-mapping'];
      const seeder = new TequioPeer(near, [...how, ...(side === 'up' ? limit : [])]);
      await seeder.seed(torrent, source);
      const leech = new TequioPeer(far, [...how, ...(side === 'down' ? limit : [])]);
      await leech.download(torrent, join(far.folder, 'got'), { peers: [seeder.endpoint] });
      const before = near.sentBytes();
      await until('content flows', 60_000, () => near.sentBytes() - before > 200_000);
      await sleep(settleMs);
      const rate = await rateOf(near);
      const error = rate / (megabytes * megabyte) - 1;
      t.diagnostic(`${(rate / megabyte).toFixed(3)} MB/s on the line: ${(100 * error).toFixed(1)} %`);
      assert.ok(error <= errorMax, `${rate}`);
      assert.ok(!isQuiet || error >= -errorMax, `${rate}`);
      await leech.stop();
      await seeder.stop();
    } finally {
      lab.close();
    }
  });
}

// The slow ones leave each other room; the fast ones want all there is.
describe('limits of 1 and 10 MB/s', { concurrency: 3 }, () => {
  for (const one of slow) testCase(one);
});
describe('limits of 100 MB/s', () => {
  for (const one of fast) testCase(one);
});
