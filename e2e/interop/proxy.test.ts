/**
 * Tequio behind other people's proxies. A firewall in its namespace counts every packet that leaves: none may go to any
 * other address than the proxy's. Only the proxy's host knows the names.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertSameTree } from '../lab/content.ts';
import { LibtorrentPeer } from '../lab/libtorrent.ts';
import { waitAnswering } from '../lab/peer.ts';
import { LabProxy } from '../lab/proxies.ts';
import { runTequio, TequioPeer, TequioTracker } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';
import { WebFiles } from '../lab/web-files.ts';
import { type Cell, type MadeTorrent, type Stage, testCells } from './cell.ts';

const timeoutMs = 40_000;
const seedName = 'seeder.lab';
const trackerName = 'tracker.lab';
const hubName = 'hub.lab';
const webName = 'web.lab';

type Case = {
  readonly program: string;
  readonly what: 'proxy';
  readonly variant: string;
  readonly title: string;
  readonly start: (host: ReturnType<Stage['host']>) => Promise<LabProxy>;
  /** How the download hears of the seeder. */
  readonly by: 'peer' | 'http-tracker' | 'udp-tracker';
  /** By default all. */
  readonly purpose?: 'peers' | 'trackers';
};

const cases: readonly Case[] = [
  {
    program: 'microsocks',
    what: 'proxy',
    variant: 'SOCKS5',
    title: 'through microsocks, the seeder by name',
    start: (host) => LabProxy.microsocks(host),
    by: 'peer',
  },
  {
    program: 'microsocks',
    what: 'proxy',
    variant: 'SOCKS5 login',
    title: 'through microsocks with user and password, an HTTP tracker by name',
    start: (host) => LabProxy.microsocks(host, { user: 'ana', password: 'secret' }),
    by: 'http-tracker',
  },
  {
    program: 'microsocks',
    what: 'proxy',
    variant: 'SOCKS5 for trackers',
    title: 'through microsocks for trackers alone: peers are dialled directly',
    start: (host) => LabProxy.microsocks(host),
    by: 'http-tracker',
    purpose: 'trackers',
  },
  {
    program: 'dante',
    what: 'proxy',
    variant: 'SOCKS5 UDP',
    title: 'through dante, a UDP tracker by name',
    start: (host) => LabProxy.dante(host),
    by: 'udp-tracker',
  },
  {
    program: 'tinyproxy',
    what: 'proxy',
    variant: 'HTTP',
    title: 'through tinyproxy with user and password, an HTTP tracker by name',
    start: (host) => LabProxy.tinyproxy(host),
    by: 'http-tracker',
  },
];

function cellOf({ start, by, purpose, ...common }: Case): Cell {
  return {
    ...common,
    needs: ['libtorrent'],
    run: async (stage) => {
      const proxyHost = stage.host('proxy');
      const seederHost = stage.host('seeder');
      const trackerHost = stage.host('tracker');
      proxyHost.addName(seedName, seederHost.address);
      proxyHost.addName(trackerName, trackerHost.address);
      const proxy = stage.use(await start(proxyHost));
      const tracker = stage.use(await TequioTracker.start(trackerHost));
      const torrent = await stage.torrent('v1');
      const seeder = stage.use(await LibtorrentPeer.start(seederHost));
      await seeder.seed(torrent.file, stage.sourceFolder, [tracker.httpUrl]);
      await waitAnswering(seeder.endpoint, torrent.infoHashV1!);

      const host = stage.host('tequio');
      host.watchOutput(proxyHost.address);
      // No --port: then nobody is let in.
      const tequio = stage.use(new TequioPeer(host));
      const folder = stage.newFolder();
      const url =
        by === 'http-tracker'
          ? tracker.httpUrl.replace(trackerHost.address, trackerName)
          : tracker.udpUrl.replace(trackerHost.address, trackerName);
      const source = by === 'peer' ? torrent.file : `${torrent.magnet}&tr=${encodeURIComponent(url)}`;
      const peers = by === 'peer' ? ['--peer', `${seedName}:${seeder.endpoint.split(':')[1]}`] : [];
      const how = ['--proxy', proxy.url, '--proxy-for', purpose ?? 'all'];
      tequio.start(['get', source, '--to', folder, ...how, ...peers]);
      await tequio.waitComplete(timeoutMs);
      assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'));
      const { allowed, other } = host.outputCounts();
      assert.ok(allowed > (purpose === 'trackers' ? 4 : 20), `only ${allowed} packets went to the proxy`);
      const { peers: connected } = await seeder.status();
      const seen = purpose === 'trackers' ? host.address : proxyHost.address;
      for (const { endpoint } of connected)
        assert.ok(endpoint.startsWith(`${seen}:`), `the seeder sees ${endpoint}`);
      if (purpose === undefined) assert.equal(other, 0, 'packets that went around the proxy');
      else assert.ok(other > 10, 'the content came directly');
    },
  };
}

/** A node of the DHT that has something else, and whom a seeder has told of itself. */
async function startDht(stage: Stage, torrent: MadeTorrent): Promise<TequioPeer> {
  const hub = stage.use(new TequioPeer(stage.host('hub')));
  const file = join(hub.host.folder, 'something-else');
  writeFileSync(file, 'x'.repeat(50_000));
  hub.start(['seed', file, '--port', '6881', '--dht-bootstrap', `${hub.host.gateway}:9`]);
  await hub.waitLine('seeding', 20_000);
  const bootstrap = ['--dht-bootstrap', hub.endpoint];
  const seeder = stage.use(new TequioPeer(stage.host('seeder'), bootstrap));
  await seeder.seed(torrent.file, stage.sourceFolder);
  const scout = stage.use(new TequioPeer(stage.host('scout')));
  await until('the DHT knows the seeder', timeoutMs, async () => {
    scout.start(['dht', 'lookup', torrent.infoHashV1!, ...bootstrap]);
    const { peers } = await scout.waitLine('peers', 30_000);
    await scout.stop();
    return (peers as readonly unknown[]).length > 0;
  });
  return hub;
}

const dhtOnly: Cell = {
  program: 'dante',
  what: 'proxy',
  variant: 'SOCKS5 DHT',
  title: 'through dante, a magnet link with nothing but the DHT',
  needs: ['libtorrent'],
  run: async (stage) => {
    const torrent = await stage.torrent('v1');
    const hub = await startDht(stage, torrent);
    const proxyHost = stage.host('proxy');
    proxyHost.addName(hubName, hub.host.address);
    const proxy = stage.use(await LabProxy.dante(proxyHost));
    const host = stage.host('tequio');
    host.watchOutput(proxy.host.address);
    const tequio = stage.use(new TequioPeer(host));
    const folder = stage.newFolder();
    const how = ['--proxy', proxy.url, '--dht-bootstrap', `${hubName}:6881`];
    tequio.start(['get', torrent.magnet, '--to', folder, ...how]);
    await tequio.waitComplete(timeoutMs);
    assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'));
    assert.equal(host.outputCounts().other, 0, 'packets that went around the proxy');
  },
};

const deadProxy: Cell = {
  program: 'Tequio',
  what: 'proxy',
  variant: 'dead',
  title: 'a proxy that is gone: nothing goes around it',
  run: async (stage) => {
    const proxyHost = stage.host('proxy');
    const torrent = await stage.torrent('v1');
    const seeder = stage.use(await LibtorrentPeer.start(stage.host('seeder')));
    await seeder.seed(torrent.file, stage.sourceFolder);
    const host = stage.host('tequio');
    host.watchOutput(proxyHost.address);
    const tequio = stage.use(new TequioPeer(host));
    const how = ['--proxy', `socks5://${proxyHost.address}:1080`, '--timeout', '5'];
    tequio.start(['get', torrent.file, '--to', stage.newFolder(), '--peer', seeder.endpoint, ...how]);
    await assert.rejects(tequio.waitComplete(30_000), /exit 69/);
    const { allowed, other } = host.outputCounts();
    assert.ok(allowed > 0);
    assert.equal(other, 0, 'packets that went around the proxy');
  },
};

/** A torrent file from the web, and all content from there as well: nobody else is asked. */
function webCell(program: string, variant: string, start: Case['start']): Cell {
  return {
    program,
    what: 'proxy',
    variant,
    title: `through ${program}, a torrent file and its web seed by name, over connections that are kept`,
    run: async (stage) => {
      const web = stage.use(await WebFiles.start(stage.host('web'), stage.sourceFolder));
      const proxyHost = stage.host('proxy');
      proxyHost.addName(webName, web.host.address);
      const proxy = stage.use(await start(proxyHost));
      const url = `http://${webName}:${web.port}/`;
      const made = await runTequio(
        [
          'create',
          join(stage.sourceFolder, 'mixed'),
          '-o',
          join(stage.sourceFolder, 'from-web.torrent'),
          '--piece-size',
          '64K',
          '--web-seed',
          url,
        ],
        stage.sourceFolder,
      );
      assert.equal(made.code, 0, made.stderr);
      const host = stage.host('tequio');
      host.watchOutput(proxyHost.address);
      const tequio = stage.use(new TequioPeer(host));
      const folder = stage.newFolder();
      tequio.start(['get', `${url}from-web.torrent`, '--to', folder, '--proxy', proxy.url]);
      await tequio.waitComplete(timeoutMs);
      assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'));
      const { allowed, other } = host.outputCounts();
      assert.ok(allowed > 20, `only ${allowed} packets went to the proxy`);
      assert.equal(other, 0, 'packets that went around the proxy');
      const { connections, requests, clients } = web.counts;
      assert.deepEqual(clients, [proxyHost.address]);
      assert.ok(requests >= 8, `${requests} requests`);
      assert.ok(connections <= requests / 2, `${connections} connections for ${requests} requests`);
    },
  };
}

testCells('proxy', [
  ...cases.map(cellOf),
  dhtOnly,
  webCell('microsocks', 'SOCKS5 web', (host) => LabProxy.microsocks(host)),
  webCell('tinyproxy', 'HTTP web', (host) => LabProxy.tinyproxy(host)),
  deadProxy,
]);
