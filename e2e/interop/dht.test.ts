/**
 * One DHT of several programs: items put on one side and got on the other, and magnet links with no tracker and no peer
 * in them, so that only the DHT can say who has the torrent. Each side is
 * the other's way in.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertSameTree, makeContent, mixedFiles } from '../lab/content.ts';
import type { Host } from '../lab/lab.ts';
import { LibtorrentPeer } from '../lab/libtorrent.ts';
import type { LabPeer } from '../lab/peer.ts';
import { QbittorrentPeer } from '../lab/qbittorrent.ts';
import { type JsonLine, TequioPeer } from '../lab/tequio.ts';
import { TransmissionPeer } from '../lab/transmission.ts';
import { until } from '../lab/until.ts';
import { type Cell, type Stage, testCells } from './cell.ts';

/** Transmission takes its time to trust a DHT. */
const timeoutMs = 150_000;
/** Nodes besides the two: Transmission speaks to nobody before it knows more than eight. */
const crowdCount = 12;
const crowdPort = 7001;
/** RFC 8032, section 7.1, test 1. */
const secretKey = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

/** @param dht the nodes that it may begin with */
type StartForeign = (host: Host, dht: readonly string[], stage: Stage) => Promise<LabPeer>;

const foreign: readonly { readonly name: string; readonly start: StartForeign }[] = [
  { name: 'libtorrent', start: (host, dht) => LibtorrentPeer.start(host, {}, dht) },
  { name: 'qBittorrent', start: startGuided },
  { name: 'Transmission', start: (host, dht) => TransmissionPeer.start(host, {}, dht) },
];

/** It has no setting for the nodes to begin with: a node of ours that knows them asks it, so it knows that node. */
async function startGuided(host: Host, dht: readonly string[], stage: Stage): Promise<LabPeer> {
  const peer = await QbittorrentPeer.start(host, 'off', { dht: true });
  const guide = stage.use(new TequioPeer(stage.host('guide')));
  const known = [peer.endpoint, ...dht].flatMap((node) => ['--dht-bootstrap', node]);
  guide.start(['dht', 'serve', '--port', '6881', ...known]);
  await guide.waitLine('serving', 20_000);
  return peer;
}

/**
 * A DHT of libtorrent's nodes around one of ours, for libtorrent's alone take a minute to find each other: each only
 * looks for more every few seconds. Returns when they have come together.
 */
async function startCrowd(stage: Stage, hub: TequioPeer | null = null): Promise<Crowd> {
  const first = hub ?? (await startHub(stage));
  const host = stage.host('crowd');
  const crowd = stage.use(await LibtorrentPeer.start(host, {}, [first.endpoint]));
  await crowd.startCrowd(crowdCount, crowdPort, [first.endpoint]);
  const scout = stage.use(new TequioPeer(stage.host('scout')));
  await until('the nodes know each other', 40_000, async () => {
    const found = await ask(scout, ['lookup', '00'.repeat(20)], 'peers', first.endpoint);
    return (found['nodes'] as readonly unknown[]).length >= 8;
  });
  const nodes = Array.from({ length: crowdCount }, (_, i) => `${host.address}:${crowdPort + i}`);
  return { hub: first, libtorrent: crowd, nodes };
}

type Crowd = {
  readonly hub: TequioPeer;
  readonly libtorrent: LibtorrentPeer;
  readonly nodes: readonly string[];
};

/** A node of ours that begins alone: where it asks for nodes nobody listens. */
async function startHub(stage: Stage): Promise<TequioPeer> {
  const hub = stage.use(new TequioPeer(stage.host('hub')));
  const file = join(hub.host.folder, 'something-else');
  writeFileSync(file, 'x'.repeat(50_000));
  hub.start(['seed', file, '--port', '6881', '--dht-bootstrap', `${hub.host.gateway}:9`]);
  await hub.waitLine('seeding', 20_000);
  return hub;
}

/** Runs a `dht` command and gives its line. */
async function ask(
  tequio: TequioPeer,
  args: readonly string[],
  type: string,
  dht: string,
): Promise<JsonLine> {
  tequio.start(['dht', ...args, '--dht-bootstrap', dht]);
  const line = await tequio.waitLine(type, 40_000);
  await tequio.stop();
  return line;
}

const items: Cell = {
  program: 'libtorrent',
  what: 'dht-items',
  variant: 'BEP 44',
  title: 'items of the DHT, put by Tequio and got by libtorrent, and back',
  run: async (stage) => {
    const { hub, libtorrent: crowd } = await startCrowd(stage);
    const tequio = stage.use(new TequioPeer(stage.host('tequio')));
    const dht = hub.endpoint;
    const put = await ask(tequio, ['put', 'from Tequio'], 'stored', dht);
    assert.ok(Number(put['storedCount']) >= 8, JSON.stringify(put));
    assert.equal((await crowd.getItem({ target: String(put['target']) })).item, 'from Tequio');
    const { target } = await crowd.putItem('from libtorrent');
    assert.equal((await ask(tequio, ['get', target!], 'item', dht))['text'], 'from libtorrent');

    const keyFile = join(tequio.host.folder, 'key');
    writeFileSync(keyFile, secretKey);
    const signed = ['put', 'first', '--key', keyFile, '--salt', 'news'];
    const first = await ask(tequio, signed, 'stored', dht);
    assert.equal(first['publicKey'], publicKey);
    const read = await crowd.getItem({ publicKey, salt: 'news' });
    assert.deepEqual([read.item, read.sequence], ['first', 1]);
    const second = await crowd.putItem('second', { secretKey, publicKey, salt: 'news' });
    assert.ok(second.count >= 1);
    const got = await ask(tequio, ['get', publicKey, '--salt', 'news'], 'item', dht);
    assert.deepEqual([got['text'], got['sequence']], ['second', '2']);
  },
};

function magnetCells({ name, start }: (typeof foreign)[number]): Cell[] {
  const common = { program: name, variant: 'DHT', needs: ['libtorrent'] };
  return [
    {
      ...common,
      what: 'dht-from',
      title: `Tequio finds ${name} by the DHT alone, and downloads by magnet link`,
      run: async (stage) => {
        const torrent = await stage.torrent('v1');
        const { hub, libtorrent, nodes } = await startCrowd(stage);
        const seeder = stage.use(await start(stage.host('seeder'), [hub.endpoint, ...nodes], stage));
        await seeder.seed(torrent.file, stage.sourceFolder);
        const wayIn = ['--dht-bootstrap', libtorrent.endpoint];
        const tequio = stage.use(new TequioPeer(stage.host('tequio'), wayIn));
        await downloadByMagnet(stage, tequio, torrent.magnet);
      },
    },
    {
      ...common,
      what: 'dht-to',
      title: `${name} finds Tequio by the DHT alone, of which Tequio is the way in`,
      run: async (stage) => {
        const torrent = await stage.torrent('v1');
        const host = stage.host('tequio');
        // Nobody listens there: it begins alone.
        const tequio = stage.use(new TequioPeer(host, ['--dht-bootstrap', `${host.gateway}:9`]));
        await tequio.seed(torrent.file, stage.sourceFolder);
        await startCrowd(stage, tequio);
        const leech = stage.use(await start(stage.host('leech'), [tequio.endpoint], stage));
        await downloadByMagnet(stage, leech, torrent.magnet);
      },
    },
  ];
}

async function downloadByMagnet(stage: Stage, leech: LabPeer, magnet: string): Promise<void> {
  const folder = stage.newFolder();
  await leech.download(magnet, folder, {});
  await leech.waitComplete(timeoutMs);
  assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'), leech);
}

/** IPv6 alone: each binds to that address, so that nothing of the DHT can go the other way. */
const ipv6: Cell = {
  program: 'libtorrent',
  what: 'dht-from',
  variant: 'DHT over IPv6',
  title: 'Tequio finds libtorrent by the DHT over IPv6 alone (BEP 32), each through a node of ours',
  run: async (stage) => {
    const torrent = await stage.torrent('v1');
    const [hubHost, seederHost, leechHost] = [stage.host('hub'), stage.host('seeder'), stage.host('leech')];
    const [hubAddress, seederAddress, leechAddress] = [hubHost, seederHost, leechHost].map((host) =>
      host.addIpv6(),
    );
    const wayIn = `[${hubAddress}]:6881`;
    const hub = stage.use(new TequioPeer(hubHost));
    hub.start(['dht', 'serve', '--bind', hubAddress!, '--port', '6881']);
    await hub.waitLine('serving', 20_000);
    const settings = { listen_interfaces: `[${seederAddress}]:6881` };
    const seeder = stage.use(await LibtorrentPeer.start(seederHost, settings, [wayIn]));
    await seeder.seed(torrent.file, stage.sourceFolder);
    const how = ['--dht-bootstrap', wayIn, '--bind', leechAddress!];
    const tequio = stage.use(new TequioPeer(leechHost, how));
    await downloadByMagnet(stage, tequio, torrent.magnet);
    const connected = tequio.lines.filter(({ type }) => type === 'bittorrent.peer.connected');
    assert.ok(connected.length > 0);
    // Either may have dialled the other.
    for (const { endpoint } of connected)
      assert.ok(String(endpoint).startsWith(`[${seederAddress}]:`), `${endpoint}`);
  },
};

/** One process publishes, another follows the link and takes the new version over while it runs. */
const mutable: Cell = {
  program: 'Tequio',
  what: 'mutable',
  variant: 'BEP 46',
  title:
    'a link that changes, with a salt: published, followed, and the new version taken over while running',
  run: async (stage) => {
    const hub = await startHub(stage);
    const versions = [1, 2].map((seed) => {
      const folder = join(stage.newFolder(), 'show');
      makeContent(folder, [...mixedFiles.slice(0, 3), { path: 'always.bin', bytes: 90_000 * seed }], seed);
      return folder;
    });
    const [first, second] = versions as [string, string];
    const publisher = stage.use(new TequioPeer(stage.host('publisher')));
    const key = ['--key', 'mine', '--salt', 'weekly'];
    publisher.start(['create', first, '-o', join(publisher.host.folder, 'show.torrent'), ...key]);
    const link = String((await publisher.waitLine('created', 20_000))['mutableLink']);
    assert.match(link, /^magnet:\?xs=urn:btpk:[0-9a-f]{64}&s=7765656b6c79$/);
    await publisher.waitEnd(10_000);
    const publish = async (folder: string): Promise<JsonLine> => {
      publisher.start(['seed', folder, '--port', '6881', ...key, '--dht-bootstrap', hub.endpoint]);
      return publisher.waitLine('published', 30_000);
    };
    const published = await publish(first);
    assert.deepEqual([published['link'], published['sequence']], [link, '1']);
    const follower = stage.use(new TequioPeer(stage.host('follower')));
    const folder = stage.newFolder();
    const how = ['--dht-bootstrap', hub.endpoint, '--seed', '--follow-every', '1'];
    follower.start(['get', link, '--to', folder, ...how]);
    await follower.waitLine('done', 40_000);
    assertSameTree(join(folder, 'show'), first);
    await publisher.stop();
    assert.equal((await publish(second))['sequence'], '2');
    const { torrent } = await follower.waitLine('changed', 30_000);
    await follower.waitLine(
      'progress',
      30_000,
      (line) => line['torrent'] === torrent && line['state'] === 'seeding',
    );
    assertSameTree(join(folder, 'show'), second);
  },
};

testCells('dht', [items, ...foreign.flatMap(magnetCells), ipv6, mutable]);
