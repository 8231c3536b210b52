/**
 * Every kind of mapper that home routers have, each alone: a machine behind the router is reached from outside, also
 * after a restart of the router, and leaves nothing behind. And what is said where no mapping helps.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, describe, test } from 'node:test';
import { assertSameTree, makeContent } from '../lab/content.ts';
import { type JsonLine, programArguments, runTequio, TequioPeer, TequioTracker } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';
import { NatLab, type Site } from './nat-lab.ts';
import { areRequired, mapperVersion, whatIsMissing, writeNatResults } from './nat-programs.ts';
import type { MapperKind } from './nat-router.ts';

const missing = whatIsMissing();
const skip = missing !== null && !areRequired ? missing : false;
const port = 6881;
const ipv4Mappings = [`tcp ${port}`, `udp ${port}`];
const allMappings = [`tcp ${port}`, `tcp ${port} ipv6`, `udp ${port}`, `udp ${port} ipv6`];
/** IGD 1 has no firewall control, NAT-PMP no IPv6. */
const mappers: Readonly<Record<Exclude<MapperKind, 'all'>, readonly string[]>> = {
  'igd-1': ipv4Mappings,
  'igd-2': allMappings,
  'nat-pmp': ipv4Mappings,
  pcp: allMappings,
};

type MapperResult = {
  readonly mapper: string;
  readonly ipv6: boolean;
  readonly mappedSeconds: number;
  readonly reachedSeconds: number;
  readonly restartSeconds: number;
  readonly removedSeconds: number;
};

describe('port mapping in the laboratory', { concurrency: true, skip }, () => {
  let lab: NatLab;
  let torrent: string;
  let source: string;
  const results: MapperResult[] = [];

  before(async () => {
    if (missing !== null) throw new Error(missing);
    lab = NatLab.open();
    source = join(lab.folder, 'source');
    makeContent(join(source, 'shared'), [{ path: 'a.bin', bytes: 300_000 }], 7);
    torrent = join(lab.folder, 'shared.torrent');
    const made = await runTequio(['create', join(source, 'shared'), '-o', torrent], lab.folder);
    assert.equal(made.code, 0, made.stderr);
  });

  after(() => {
    lab?.close();
    results.sort((a, b) => (a.mapper < b.mapper ? -1 : 1));
    if (results.length === Object.keys(mappers).length) {
      writeNatResults('mappers', { miniupnpd: mapperVersion(), mappers: results });
    }
  });

  /** A download on a public host that knows nothing but the seed's address; the seconds that it took. */
  async function reach(name: string, endpoint: string): Promise<number> {
    const { host } = lab.addSite(name, { kind: 'none' });
    const leech = new TequioPeer(host);
    const folder = join(host.folder, 'got');
    const startMs = Date.now();
    leech.start(['get', torrent, '--to', folder, '--peer', endpoint, '--port', '6881']);
    try {
      await leech.waitComplete(20_000);
    } finally {
      await leech.stop();
    }
    assertSameTree(join(folder, 'shared'), join(source, 'shared'));
    return secondsSince(startMs);
  }

  function seedAt(site: Site, ...more: readonly string[]): TequioPeer {
    const seed = new TequioPeer(site.host);
    const args = ['--from', source, '--port', String(port), ...more];
    seed.start(['seed', torrent, ...args]);
    return seed;
  }

  async function testMapper(mapper: Exclude<MapperKind, 'all'>): Promise<void> {
    const site = lab.addSite(mapper, { kind: 'port-restricted' });
    const router = site.router!;
    await router.startMapper(mapper);
    const expected = mappers[mapper];
    const hasAll = (): boolean => expected.every((one) => router.mappings().includes(one));
    const seed = seedAt(site);
    try {
      // The node has started; how long Node.js takes to, beside all the others, is not of interest.
      await seed.waitLine('bittorrent.torrent.added', 20_000);
      const startMs = Date.now();
      await until(`${mapper} has mapped`, 15_000, hasAll);
      const mappedSeconds = secondsSince(startMs);
      assert.deepEqual(router.mappings(), expected);
      const reachedSeconds = await reach(`${mapper}-1`, `${site.publicAddress}:${port}`);
      const isIpv6 = expected === allMappings;
      if (isIpv6) await reach(`${mapper}-6`, `[${site.ipv6}]:${port}`);
      await router.restart(2000);
      const backMs = Date.now();
      await until(`${mapper} has mapped again`, 60_000, hasAll, 200);
      const restartSeconds = secondsSince(backMs);
      await reach(`${mapper}-2`, `${site.publicAddress}:${port}`);
      const stopMs = Date.now();
      await seed.stop();
      assert.deepEqual(router.mappings(), [], 'nothing is left behind');
      const removedSeconds = secondsSince(stopMs);
      results.push({ mapper, ipv6: isIpv6, mappedSeconds, reachedSeconds, restartSeconds, removedSeconds });
    } catch (error) {
      throw new Error(`${seed.describe()}\n${router.describe()}`, { cause: error });
    } finally {
      await seed.stop();
    }
  }

  for (const mapper of Object.keys(mappers) as (keyof typeof mappers)[]) {
    test(`${mapper}: reached from outside, again after a restart, and nothing is left behind`, () =>
      testMapper(mapper));
  }

  test('status says what the router lets in, and what to do where it does not', async () => {
    const open = lab.addSite('told', { kind: 'port-restricted' });
    await open.router!.startMapper('all');
    const shut = lab.addSite('told-shut', { kind: 'port-restricted' });
    const [told, toldShut] = await Promise.all(
      [open, shut].map(async ({ host }) => {
        const peer = new TequioPeer(host);
        peer.start(['status', '--port', String(port), '--for', '9', '--no-dht', '--no-lsd']);
        const { code } = await peer.waitEnd(40_000);
        assert.equal(code, 0, peer.describe());
        return peer.waitLine('status', 1);
      }),
    );
    const rowsOf = (line: JsonLine): readonly string[] =>
      (line['reachability'] as { family: number; transport: string; state: string; endpoint: string }[]).map(
        ({ family, transport, state, endpoint }) => `${family} ${transport} ${state} ${endpoint}`,
      );
    assert.deepEqual(rowsOf(told!), [
      `4 tcp mapped ${open.publicAddress}:${port}`,
      `4 udp mapped ${open.publicAddress}:${port}`,
      `6 tcp mapped [${open.ipv6}]:${port}`,
      `6 udp mapped [${open.ipv6}]:${port}`,
    ]);
    assert.deepEqual(told!['advice'], []);
    for (const row of rowsOf(toldShut!)) assert.match(row, / unknown /);
    assert.equal((toldShut!['advice'] as { advice: string }[])[0]?.advice, 'wait');
  });

  test('without mapping nobody comes in, by IPv4 or by IPv6', async () => {
    const site = lab.addSite('closed', { kind: 'port-restricted' });
    await site.router!.startMapper('all');
    const seed = seedAt(site, '--no-port-mapping');
    try {
      await seed.waitLine('seeding', 20_000);
      for (const [name, endpoint] of [
        ['closed-4', `${site.publicAddress}:${port}`],
        ['closed-6', `[${site.ipv6}]:${port}`],
      ] as const) {
        const leech = new TequioPeer(lab.addSite(name, { kind: 'none' }).host);
        const folder = join(leech.host.folder, 'got');
        leech.start(['get', torrent, '--to', folder, '--peer', endpoint, '--timeout', '6']);
        const { code } = await leech.waitEnd(20_000);
        assert.equal(code, 69, leech.describe());
      }
      assert.deepEqual(site.router!.mappings(), []);
    } finally {
      await seed.stop();
    }
  });

  test('where the router gives another port, the tracker is told that one', async () => {
    const { host: trackerHost } = lab.addSite('tracker', { kind: 'none' });
    const tracker = await TequioTracker.start(trackerHost);
    const tracked = join(lab.folder, 'tracked.torrent');
    const args = ['create', join(source, 'shared'), '-o', tracked, '--tracker', tracker.httpUrl];
    assert.equal((await runTequio(args, lab.folder)).code, 0);
    const site = lab.addSite('other-port', { kind: 'port-restricted' });
    // Asked by PCP or NAT-PMP for a port that it may not give, miniupnpd 2.3.1 never answers anybody again.
    await site.router!.startMapper('igd-2', '20000-20100');
    const seed = new TequioPeer(site.host);
    try {
      seed.start(['seed', tracked, '--from', source, '--port', String(port)]);
      const isIpv4 = (line: JsonLine): boolean => line['family'] === 4;
      const told = (await seed.waitLine('nat', 25_000, isIpv4)) as JsonLine & {
        mappings: { transport: string; externalPort: number }[];
      };
      assert.equal(told['externalAddress'], site.publicAddress);
      const external = told.mappings.find(({ transport }) => transport === 'tcp')!.externalPort;
      assert.ok(external >= 20_000 && external <= 20_100, `${external}`);
      const { torrent: id } = (await seed.waitLine('seeding', 10_000)) as { torrent?: string };
      const infoHash = id!.replace(/../g, '%$&');
      const query = `info_hash=${infoHash}&peer_id=-XX0001-who-is-there&port=1&compact=1&left=1&event=started`;
      const ask = `curl -s '${tracker.httpUrl}?${query}' | od -An -v -tx1 | tr -d ' \\n'`;
      const expected = compactHex(site.publicAddress, external);
      await until('the tracker names that port', 10_000, async () => {
        const asking = trackerHost.run('sh', ['-c', ask]);
        await asking.wait(5000);
        return asking.stdout.includes(expected);
      });
    } catch (error) {
      throw new Error(seed.describe(), { cause: error });
    } finally {
      await Promise.all([seed.stop(), tracker.stop()]);
    }
  });

  /** What `tequio nat …` says on a machine: its one line of JSON. */
  async function nat(site: Site, ...args: readonly string[]): Promise<Record<string, unknown>> {
    const data = join(site.host.folder, 'data');
    const running = site.host.run(execPath, [...programArguments, '--json', '--data', data, 'nat', ...args]);
    await running.wait(25_000);
    return JSON.parse(running.stdout) as Record<string, unknown>;
  }

  for (const doubleNat of ['10', '100.64'] as const) {
    test(`double NAT behind an address of ${doubleNat} is said aloud`, async () => {
      const site = lab.addSite(`double-${doubleNat.replace('.', '-')}`, {
        kind: 'port-restricted',
        doubleNat,
      });
      await site.router!.startMapper('all');
      const { ways, advice } = (await nat(site, 'status')) as {
        ways: { isDoubleNat: boolean; gateway: string }[];
        advice: string[];
      };
      assert.deepEqual(
        ways.map(({ isDoubleNat, gateway }) => [isDoubleNat, gateway]),
        [[true, site.host.gateway]],
      );
      assert.match(advice.join(' '), /Double NAT/);
    });
  }

  test('nat map leaves a mapping if told to, nat unmap takes it back', async () => {
    const site = lab.addSite('command', { kind: 'port-restricted' });
    await site.router!.startMapper('all');
    const left = (await nat(site, 'map', '7000', '--leave')) as { ways: { externalAddress: string }[] };
    assert.equal(left.ways[0]?.externalAddress, site.publicAddress);
    assert.deepEqual(site.router!.mappings(), ['tcp 7000', 'tcp 7000 ipv6', 'udp 7000', 'udp 7000 ipv6']);
    assert.equal((await nat(site, 'unmap', '7000'))['removed'], true);
    // miniupnpd 2.3.1 forgets the nonce of a pinhole that is renewed, and then refuses to remove it.
    assert.deepEqual(
      site.router!.mappings().filter((mapping) => !mapping.endsWith('ipv6')),
      [],
    );
  });
});

/** As it stands in a tracker's answer (BEP 23). */
function compactHex(address: string, port: number): string {
  const bytes = [...address.split('.').map(Number), port >> 8, port & 255];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function secondsSince(startMs: number): number {
  return Math.round((Date.now() - startMs) / 100) / 10;
}
