/**
 * What `get` says to whom by default, and that each of its switches ends one kind of it: a firewall on the host counts
 * what leaves it. Nobody answers, so that everything is tried.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { env } from 'node:process';
import { describe, test } from 'node:test';
import { canOpenLab, type Host, Lab } from '../lab/lab.ts';
import { TequioPeer } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';

const magnet = `magnet:?xt=urn:btih:${'5a'.repeat(20)}`;
const peerPort = 7001;
const dhtPort = 7002;

/** Kinds of packets, as nftables tells them. */
const kinds = {
  tcp: `tcp dport ${peerPort}`,
  utp: `udp dport ${peerPort}`,
  dht: `udp dport ${dhtPort}`,
  lsd: 'udp dport 6771',
  mapping: 'udp dport { 1900, 5351 }',
} as const;
type Kind = keyof typeof kinds;
/** Once in minutes. */
const isRare: ReadonlySet<string> = new Set(['tcp', 'lsd']);

const switches: readonly { readonly flags: readonly string[]; readonly ends: Kind | null }[] = [
  { flags: [], ends: null },
  { flags: ['--no-dht'], ends: 'dht' },
  { flags: ['--no-lsd'], ends: 'lsd' },
  { flags: ['--no-port-mapping'], ends: 'mapping' },
  { flags: ['--transport', 'tcp'], ends: 'utp' },
  { flags: ['--transport', 'utp'], ends: 'tcp' },
];

const isMissing = !canOpenLab() || spawnSync('nft', ['--version']).status !== 0;
const skip =
  isMissing && env['TEQUIO_REQUIRE_PEERS'] !== '1' ? 'needs root, network namespaces and nft' : false;

function on(host: Host, args: readonly string[], input = ''): string {
  const done = spawnSync('ip', ['netns', 'exec', host.namespace, ...args], { encoding: 'utf8', input });
  assert.equal(done.status, 0, `${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

function watch(host: Host): void {
  const rules = Object.entries(kinds).map(([kind, match]) => `${match} counter comment "${kind}"`);
  const chain = `chain out { type filter hook output priority 0;\n${rules.join('\n')}\n }`;
  on(host, ['nft', '-f', '-'], `table inet kinds {\n${chain}\n}\n`);
}

/** Packets that have left, by kind. */
function countsOf(host: Host): Readonly<Record<Kind, number>> {
  const listed = on(host, ['nft', 'list', 'table', 'inet', 'kinds']);
  const counts = [...listed.matchAll(/counter packets (\d+) bytes \d+ comment "(\w+)"/g)];
  assert.equal(counts.length, Object.keys(kinds).length, listed);
  return Object.fromEntries(counts.map(([, count, kind]) => [kind, Number(count)])) as Record<Kind, number>;
}

describe('the switches of get', { skip, concurrency: 3 }, () => {
  for (const { flags, ends } of switches) {
    const title = flags.length === 0 ? 'by default everything is tried' : `${flags.join(' ')} ends ${ends}`;
    test(title, async (t) => {
      const lab = Lab.open();
      const [host, nobody] = [lab.addHost('host'), lab.addHost('nobody')];
      const peer = new TequioPeer(host, [], true);
      try {
        host.routeMulticast();
        on(host, ['ip', 'route', 'add', 'default', 'via', host.gateway]);
        watch(host);
        const to = ['--to', join(host.folder, 'got'), '--port', '6881'];
        const known = [
          '--peer',
          `${nobody.address}:${peerPort}`,
          '--dht-bootstrap',
          `${nobody.address}:${dhtPort}`,
        ];
        peer.start(['get', magnet, ...to, ...known, ...flags]);
        const expected = (Object.keys(kinds) as Kind[]).filter((kind) => kind !== ends);
        await until(`there are packets of ${expected.join(', ')}`, 40_000, () => {
          const counts = countsOf(host);
          return expected.every((kind) => counts[kind] >= (isRare.has(kind) ? 1 : 2));
        }).catch((error: Error) => {
          throw new Error(`${error.message} ${JSON.stringify(countsOf(host))}\n${peer.describe()}`);
        });
        const counts = countsOf(host);
        t.diagnostic(JSON.stringify(counts));
        if (ends !== null) assert.equal(counts[ends], 0);
      } finally {
        await peer.stop();
        lab.close();
      }
    });
  }
});
