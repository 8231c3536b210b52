/**
 * Who reaches whom? Machines behind every kind of router, two of each, download one torrent; a tracker and a peer on
 * public addresses tell them of each other, as in any swarm. Measured, for each pair of kinds: by which means they
 * are connected, and after how many seconds. Nobody has much to give, so that everybody stays.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeContent } from '../lab/content.ts';
import { runTequio, TequioPeer, TequioTracker } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';
import { NatLab, type Site, type SiteOptions } from './nat-lab.ts';
import { areRequired, whatIsMissing, writeNatResults } from './nat-programs.ts';
import type { MapperKind } from './nat-router.ts';

const missing = whatIsMissing();
const skip = missing !== null && !areRequired ? missing : false;
const port = 6881;
/** From the start of the last one: trackers were asked, and peers have told each other. Slow machines get more. */
const swarmMs = 30_000;

/** As the table calls them. */
const kinds: Readonly<Record<string, SiteOptions & { readonly mapper?: MapperKind }>> = {
  none: { kind: 'none' },
  mapped: { kind: 'port-restricted', mapper: 'all' },
  'full cone': { kind: 'full-cone' },
  'port-restricted': { kind: 'port-restricted' },
  symmetric: { kind: 'symmetric' },
  'double NAT': { kind: 'port-restricted', doubleNat: '100.64' },
  // Nothing is translated, but a router's firewall lets nobody in, unless it is asked to.
  'IPv6 none': { kind: 'none', hasIpv4: false, hasIpv6: true },
  'IPv6 opened': { kind: 'port-restricted', hasIpv4: false, hasIpv6: true, mapper: 'all' },
  'IPv6 closed': { kind: 'port-restricted', hasIpv4: false, hasIpv6: true },
};
/** Whoever is dialled by somebody he does not know must be one of these. */
const reachable = ['none', 'mapped', 'full cone', 'IPv6 none', 'IPv6 opened'];
/** Two of these meet when both write at once. */
const punchable = ['port-restricted', 'double NAT', 'IPv6 closed'];

type Machine = { readonly kind: string; readonly site: Site; readonly peer: TequioPeer; startMs: number };

type Means = 'direct' | 'mapped' | 'punched';

type PairResult = {
  readonly kinds: readonly [string, string];
  /** Null: not connected. */
  readonly means: Means | null;
  readonly transport: 'tcp' | 'utp' | null;
  readonly seconds: number | null;
};

type Meeting = { readonly incoming: boolean; readonly transport: 'tcp' | 'utp'; readonly atMs: number };

describe('pairs of routers', { skip }, () => {
  let lab: NatLab;
  const machines: Machine[] = [];
  const pairs: PairResult[] = [];

  before(async () => {
    if (missing !== null) throw new Error(missing);
    lab = NatLab.open();
    await runSwarm(lab, machines, () =>
      measureAll(machines)
        .filter(mustMeet)
        .every(({ means }) => means !== null),
    );
    pairs.push(...measureAll(machines));
  });

  after(async () => {
    await Promise.all(machines.map(({ peer }) => peer.stop()));
    lab?.close();
    if (pairs.length > 0) writeNatResults('pairs', { kinds: Object.keys(kinds), pairs });
  });

  test('every pair of which one can be dialled is connected', () => {
    const must = pairs.filter(({ kinds }) => kinds.some((kind) => reachable.includes(kind)));
    assert.ok(must.length > 10);
    const failed = must.filter(({ means }) => means === null).map((pair) => pair.kinds.join(' - '));
    assert.deepEqual(failed, []);
  });

  test('routers that let in only answers are punched from both sides', () => {
    const between = pairs.filter((pair) => pair.kinds.every((kind) => punchable.includes(kind)));
    assert.deepEqual(
      between.map(({ kinds, means, transport }) => [...kinds, means, transport]),
      between.map(({ kinds }) => [...kinds, 'punched', 'utp']),
    );
    assert.equal(between.length, 4);
  });

  test('mapping helps: the same router without it is not dialled by TCP', () => {
    const find = (...wanted: readonly [string, string]): PairResult | undefined =>
      pairs.find((pair) => pair.kinds.toSorted().join() === wanted.toSorted().join());
    assert.equal(find('mapped', 'port-restricted')?.means, 'mapped');
    assert.notEqual(find('port-restricted', 'symmetric')?.transport, 'tcp');
    assert.equal(find('symmetric', 'symmetric')?.means, null, 'nobody can know the port');
  });
});

async function runSwarm(lab: NatLab, machines: Machine[], haveMet: () => boolean): Promise<void> {
  const { host: trackerHost, ipv6 } = lab.addSite('tracker', { kind: 'none' });
  const tracker = await TequioTracker.start(trackerHost);
  const ipv6Tracker = new TequioPeer(trackerHost);
  ipv6Tracker.start(['tracker', '--http', '6970', '--bind', ipv6]);
  await ipv6Tracker.waitLine('started', 10_000);
  const source = join(lab.folder, 'source');
  makeContent(join(source, 'shared'), [{ path: 'a.bin', bytes: 4_000_000 }], 9);
  const torrent = join(lab.folder, 'shared.torrent');
  const trackers = ['--tracker', tracker.httpUrl, '--tracker', `http://[${ipv6}]:6970/announce`];
  const args = ['create', join(source, 'shared'), '-o', torrent, ...trackers];
  assert.equal((await runTequio(args, lab.folder)).code, 0);
  for (const [index, [kind, options]] of [...Object.entries(kinds), ...Object.entries(kinds)].entries()) {
    const site = lab.addSite(`m${index}`, { hasIpv6: false, ...options });
    if (options.mapper !== undefined) await site.router!.startMapper(options.mapper);
    machines.push({ kind, site, peer: new TequioPeer(site.host), startMs: 0 });
  }
  const { host } = lab.addSite('seed', { kind: 'none' });
  const seed = new TequioPeer(host);
  seed.start(['seed', torrent, '--from', source, '--port', String(port), '--limit-up', '4K']);
  await seed.waitLine('seeding', 20_000);
  // A few at a time: a router's mapper, and this machine, are asked by all.
  for (const machine of machines) {
    machine.startMs = performance.now();
    const { peer, site } = machine;
    peer.start([
      'get',
      torrent,
      '--to',
      join(site.host.folder, 'got'),
      '--port',
      String(port),
      '--limit-up',
      '4K',
    ]);
    await sleep(700);
  }
  await sleep(swarmMs);
  // What was not met is told by the tests, pair by pair.
  await until('those that can meet have met', swarmMs, haveMet).catch(() => undefined);
  await Promise.all([seed.stop(), tracker.stop(), ipv6Tracker.stop()]);
}

/** Two machines of each kind: one for the pairs with others, both for the pair of the same kind. */
function measureAll(machines: readonly Machine[]): PairResult[] {
  const isFirst = (machine: Machine): boolean =>
    machines.find(({ kind }) => kind === machine.kind) === machine;
  return machines.flatMap((a, i) =>
    machines
      .slice(i + 1)
      .filter((b) => isIpv6(a.kind) === isIpv6(b.kind))
      .filter((b) => a.kind === b.kind || (isFirst(a) && isFirst(b)))
      .map((b) => measure(a, b)),
  );
}

function mustMeet({ kinds }: PairResult): boolean {
  return kinds.some((kind) => reachable.includes(kind)) || kinds.every((kind) => punchable.includes(kind));
}

/** When and how these two first met, as either of them tells it. */
function measure(a: Machine, b: Machine): PairResult {
  const pair = [a.kind, b.kind] as const;
  const byA = meetingOf(a, b);
  const byB = meetingOf(b, a);
  const first = byA !== null && (byB === null || byA.atMs <= byB.atMs) ? byA : byB;
  if (first === null) return { kinds: pair, means: null, transport: null, seconds: null };
  const wasDialled = (first === byA) === first.incoming ? a : b;
  const startMs = Math.max(a.startMs, b.startMs);
  return {
    kinds: pair,
    means: meansOf(wasDialled, first.transport),
    transport: first.transport,
    seconds: Math.round((first.atMs - startMs) / 100) / 10,
  };
}

function meansOf({ kind }: Machine, transport: 'tcp' | 'utp'): Means {
  if (kind === 'mapped' || kind === 'IPv6 opened') return 'mapped';
  if (kind === 'none' || kind === 'IPv6 none' || (kind === 'full cone' && transport === 'utp'))
    return 'direct';
  return 'punched';
}

function meetingOf(of: Machine, other: Machine): Meeting | null {
  const prefix = isIpv6(other.kind) ? `[${other.site.ipv6}]:` : `${other.site.publicAddress}:`;
  for (const line of of.peer.lines) {
    if (line.type !== 'bittorrent.peer.connected' || !String(line['endpoint']).startsWith(prefix)) continue;
    const transport = line['transport'] === 'utp' ? 'utp' : 'tcp';
    return { incoming: line['incoming'] === true, transport, atMs: of.peer.timeMsOf(line) };
  }
  return null;
}

function isIpv6(kind: string): boolean {
  return kind.startsWith('IPv6');
}
