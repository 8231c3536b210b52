/**
 * `--bind INTERFACE` on a machine with two ways out: when the interface goes, a firewall counts no packet on the other.
 *
 *   node ── vpn0 (preferred default route) ── "Internet"
 *     └──── eth0 (second default route) ── the same
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { env } from 'node:process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertSameTree, largeFiles, makeContent } from '../lab/content.ts';
import { canOpenLab, type Host, Lab } from '../lab/lab.ts';
import { runTequio, TequioPeer } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';

const contentBytes = 12_000_000;
const ours = '10.78.0.2';
/** Reached by a default route, over whichever interface there is. */
const seederAddress = '203.0.113.5';

function run(program: string, ...args: string[]): string {
  const done = spawnSync(program, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr || done.error}`);
  return done.stdout;
}

const on = (host: Host, ...args: string[]): string => run('ip', 'netns', 'exec', host.namespace, ...args);

function plugIn(node: Host, internet: Host): void {
  run(
    'ip',
    '-n',
    node.namespace,
    'link',
    'add',
    'vpn0',
    'type',
    'veth',
    'peer',
    'name',
    'vpn',
    'netns',
    internet.namespace,
  );
  run('ip', '-n', internet.namespace, 'address', 'add', '10.78.0.1/24', 'dev', 'vpn');
  run('ip', '-n', internet.namespace, 'link', 'set', 'vpn', 'up');
  run('ip', '-n', node.namespace, 'address', 'add', `${ours}/24`, 'dev', 'vpn0');
  setUp(node);
}

function setUp(node: Host): void {
  run('ip', '-n', node.namespace, 'link', 'set', 'vpn0', 'up');
  run('ip', '-n', node.namespace, 'route', 'add', 'default', 'via', '10.78.0.1', 'metric', '10');
}

/** Counts what leaves by eth0, by its source; nothing is held back. */
const rules = `table inet watch {
  chain out {
    type filter hook output priority 0;
    oifname "eth0" ip saddr ${ours} counter comment "bound";
    oifname "eth0" ip saddr != ${ours} counter comment "other";
  }
}`;

function countOf(node: Host, what: string): number {
  const listed = JSON.parse(on(node, 'nft', '-j', 'list', 'table', 'inet', 'watch')) as {
    nftables: { rule?: { comment: string; expr: { counter?: { packets: number } }[] } }[];
  };
  const rule = listed.nftables.find((entry) => entry.rule?.comment === what)?.rule;
  return rule?.expr.find(({ counter }) => counter !== undefined)?.counter?.packets ?? Number.NaN;
}

const isMissing = !canOpenLab() || spawnSync('nft', ['--version']).status !== 0;
const skip =
  isMissing && env['TEQUIO_REQUIRE_PEERS'] !== '1' ? 'needs root, network namespaces and nft' : false;

for (const way of ['is removed', 'is set down'] as const) {
  test(`the interface ${way}: nothing goes another way; it is back: the download goes on`, {
    skip,
  }, async (t) => {
    const lab = Lab.open();
    try {
      const [node, internet] = [lab.addHost('node'), lab.addHost('internet')];
      on(node, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1');
      run('ip', '-n', internet.namespace, 'address', 'add', `${seederAddress}/32`, 'dev', 'lo');
      run('ip', '-n', node.namespace, 'route', 'add', 'default', 'via', internet.address, 'metric', '100');
      plugIn(node, internet);
      on(node, 'nft', rules);

      const source = join(lab.folder, 'source');
      makeContent(join(source, 'content'), largeFiles(contentBytes), 3);
      const torrent = join(lab.folder, 'content.torrent');
      const created = await runTequio(
        ['create', join(source, 'content'), '-o', torrent, '--piece-size', '64K'],
        lab.folder,
      );
      assert.equal(created.code, 0, created.stderr);
      const seeder = new TequioPeer(internet, ['--limit-up', '3M']);
      await seeder.seed(torrent, source);
      const leech = new TequioPeer(node);
      const folder = join(node.folder, 'got');
      leech.start(['get', torrent, '--to', folder, '--bind', 'vpn0', '--peer', `${seederAddress}:6881`]);
      await until('a part is there', 20_000, async () => (await leech.progress()) > 0.2);
      assert.deepEqual([countOf(node, 'bound'), countOf(node, 'other')], [0, 0]);

      if (way === 'is removed') run('ip', '-n', node.namespace, 'link', 'delete', 'vpn0');
      else run('ip', '-n', node.namespace, 'link', 'set', 'vpn0', 'down');
      const goneMs = Date.now();
      await leech.waitLine('bittorrent.torrent.failed', 5000, ({ code }) => code === 'BITTORRENT_LINE_DOWN');
      t.diagnostic(`noticed after ${Date.now() - goneMs} ms`);
      await sleep(1000);
      const stopped = await leech.progress();
      const bound = countOf(node, 'bound');
      await sleep(6000);
      assert.equal(await leech.progress(), stopped);
      assert.ok(stopped < 1);
      // Of a removed interface's address the system sends nothing. While one is only down it repeats by the other way,
      // from the bound address, what was not acknowledged, until the connection is reset, which is one packet more.
      t.diagnostic(`by the other way, from the bound address: ${countOf(node, 'bound')} packets`);
      assert.ok(bound <= (way === 'is removed' ? 0 : 20), `${bound} packets until it was noticed`);
      assert.equal(countOf(node, 'other'), 0, 'from another address');
      assert.equal(countOf(node, 'bound'), bound, 'and then not one more');

      if (way === 'is removed') plugIn(node, internet);
      else setUp(node);
      await leech.waitLine('bittorrent.torrent.recovered', 5000);
      await leech.waitComplete(30_000);
      assertSameTree(join(folder, 'content'), join(source, 'content'));
      assert.equal(countOf(node, 'other'), 0);
      await seeder.stop();
    } finally {
      lab.close();
    }
  });
}
