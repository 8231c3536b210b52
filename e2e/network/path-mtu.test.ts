/**
 * uTP finds how long a packet its path carries: over lines of 9000 bytes, over one that swallows what is longer than
 * 1400, and over Ethernet's. What arrives is counted by a firewall, by length; nothing may arrive in pieces or without
 * "don't fragment".
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { env } from 'node:process';
import { test } from 'node:test';
import { hasBatchedUdp } from '@tequio/runtime';
import { assertSameTree, largeFiles, makeContent } from '../lab/content.ts';
import { canOpenLab, type Host, Lab } from '../lab/lab.ts';
import { runTequio, TequioPeer } from '../lab/tequio.ts';

const contentBytes = 30_000_000;
const timeoutMs = 90_000;
const isMissing = !canOpenLab() || spawnSync('nft', ['--version']).status !== 0;
const skip =
  isMissing && env['TEQUIO_REQUIRE_PEERS'] !== '1'
    ? 'needs root, network namespaces and nft'
    : !hasBatchedUdp()
      ? 'needs the calls that set "don’t fragment"'
      : false;

type Counts = {
  readonly all: number;
  readonly long: number;
  readonly tooLong: number;
  readonly pieces: number;
};

/** From now on counts datagrams that come in: all, those of more and of less than so many bytes with the IP header. */
async function watchInput(host: Host, longBytes: number, mostBytes: number): Promise<() => Counts> {
  const rules = `table ip sizes {
    chain before {
      type filter hook prerouting priority -450;
      ip protocol udp ip frag-off & 0x3fff != 0 counter
      ip protocol udp ip frag-off & 0x4000 == 0 counter
    }
    chain in {
      type filter hook input priority 0;
      udp dport 6881 counter
      udp dport 6881 meta length > ${longBytes} counter
      udp dport 6881 meta length > ${mostBytes} counter
    }
  }`;
  const { code } = await host.run('nft', [rules]).wait(10_000);
  assert.equal(code, 0, 'the firewall takes the rules');
  return () => {
    const args = ['netns', 'exec', host.namespace, 'nft', '--json', 'list', 'table', 'ip', 'sizes'];
    const listed = spawnSync('ip', args, { encoding: 'utf8' }).stdout;
    const counts = [...listed.matchAll(/"packets": (\d+)/g)].map((match) => Number(match[1]));
    const [pieces = Number.NaN, mayBeCut = Number.NaN, all = 0, long = 0, tooLong = Number.NaN] = counts;
    return { all, long, tooLong, pieces: pieces + mayBeCut };
  };
}

const paths = [
  { title: 'lines of 9000 bytes carry packets of 9000', hostBytes: 9000, lineBytes: 9000, longBytes: 8900 },
  { title: 'a line that swallows more than 1400', hostBytes: 9000, lineBytes: 1400, longBytes: 1380 },
  { title: 'lines of 1500', hostBytes: 1500, lineBytes: 1500, longBytes: 1490 },
];

for (const { title, hostBytes, lineBytes, longBytes } of paths) {
  test(`uTP over ${title}`, { skip }, async (t) => {
    const lab = Lab.open();
    try {
      const [near, far] = [lab.addHost('near'), lab.addHost('far')];
      near.setMtu(hostBytes, hostBytes);
      far.setMtu(hostBytes, lineBytes);
      const source = join(lab.folder, 'source');
      makeContent(join(source, 'content'), largeFiles(contentBytes), 3);
      const torrent = join(lab.folder, 'content.torrent');
      const made = await runTequio(['create', join(source, 'content'), '-o', torrent, '--v1'], lab.folder);
      assert.equal(made.code, 0, made.stderr);
      const counts = await watchInput(far, longBytes, lineBytes);
      const how = ['--transport', 'utp', '--no-port-mapping', '--no-dht', '--no-lsd'];
      const seeder = new TequioPeer(near, how);
      await seeder.seed(torrent, source);
      const leech = new TequioPeer(far, how);
      await leech.download(torrent, join(far.folder, 'got'), { peers: [seeder.endpoint] });
      await leech.waitLine('bittorrent.torrent.finished', timeoutMs);
      assertSameTree(join(far.folder, 'got', 'content'), join(source, 'content'));
      const { all, long, tooLong, pieces } = counts();
      t.diagnostic(`${all} datagrams came, ${long} of more than ${longBytes} bytes`);
      assert.equal(tooLong, 0);
      assert.equal(pieces, 0);
      assert.ok(long * longBytes > 0.8 * contentBytes, `${long} of ${all}`);
      await leech.stop();
      await seeder.stop();
    } finally {
      lab.close();
    }
  });
}
