/**
 * Peers that nobody but another peer names (PEX, BEP 11), and peers that only the local network knows (LSD, BEP 14).
 * No tracker, no DHT. Downloads begin with a magnet link.
 */
import { join } from 'node:path';
import { assertSameTree } from '../lab/content.ts';
import type { Host } from '../lab/lab.ts';
import { LibtorrentPeer } from '../lab/libtorrent.ts';
import type { LabPeer } from '../lab/peer.ts';
import { QbittorrentPeer } from '../lab/qbittorrent.ts';
import { type JsonLine, TequioPeer } from '../lab/tequio.ts';
import { TransmissionPeer } from '../lab/transmission.ts';
import { type Cell, type Stage, testCells } from './cell.ts';

/** Transmission tells its peers every 90 s. */
const toldMs = 120_000;
const completeMs = 90_000;
/** So little that nobody is done before everybody has met: half a minute for one. */
const seedRate = '60K';

type Program = {
  readonly name: string;
  readonly withPex: (host: Host) => Promise<LabPeer>;
  readonly withLsd: (host: Host) => Promise<LabPeer>;
};

const programs: readonly Program[] = [
  {
    name: 'libtorrent',
    withPex: (host) => LibtorrentPeer.start(host),
    withLsd: (host) => LibtorrentPeer.start(host, { enable_lsd: true }),
  },
  {
    name: 'qBittorrent',
    withPex: (host) => QbittorrentPeer.start(host, 'off', { pex: true }),
    withLsd: (host) => QbittorrentPeer.start(host, 'off', { lsd: true }),
  },
  {
    name: 'Transmission',
    withPex: (host) => TransmissionPeer.start(host, { 'pex-enabled': true }),
    withLsd: (host) => TransmissionPeer.start(host, { 'lpd-enabled': true }),
  },
];

/**
 * A seed that gives little; a teller that downloads from it; a newcomer that knows the teller alone. When the newcomer
 * has reached the seed, which itself tells and dials nobody, the teller must have told of it.
 */
async function meetThroughTeller(
  stage: Stage,
  startTeller: (host: Host) => Promise<LabPeer>,
  startNewcomer: (host: Host) => Promise<LabPeer>,
): Promise<void> {
  const torrent = await stage.torrent('v1');
  const seedOptions = ['--no-pex', '--transport', 'tcp', '--limit-up', seedRate];
  const seed = stage.use(new TequioPeer(stage.host('seed'), seedOptions));
  await seed.seed(torrent.file, stage.sourceFolder);
  const teller = stage.use(await startTeller(stage.host('teller')));
  await teller.download(torrent.file, stage.newFolder(), { peers: [seed.endpoint] });
  const hasMet = (peer: LabPeer) => (line: JsonLine) =>
    String(line['endpoint']).startsWith(`${peer.host.address}:`);
  await seed.waitLine('bittorrent.peer.connected', 30_000, hasMet(teller));
  const newcomer = stage.use(await startNewcomer(stage.host('newcomer')));
  const folder = stage.newFolder();
  await newcomer.download(torrent.magnet, folder, { peers: [teller.endpoint] });
  await seed.waitLine('bittorrent.peer.connected', toldMs, hasMet(newcomer));
  await newcomer.waitComplete(completeMs);
  assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'), newcomer);
}

/** Two hosts that know nothing of each other. */
async function meetOnLocalNetwork(
  stage: Stage,
  startSeed: (host: Host) => Promise<LabPeer>,
  startLeech: (host: Host) => Promise<LabPeer>,
): Promise<void> {
  const torrent = await stage.torrent('v1');
  const [seedHost, leechHost] = [stage.host('seed'), stage.host('leech')];
  for (const host of [seedHost, leechHost]) host.routeMulticast();
  const seed = stage.use(await startSeed(seedHost));
  await seed.seed(torrent.file, stage.sourceFolder);
  const leech = stage.use(await startLeech(leechHost));
  const folder = stage.newFolder();
  await leech.download(torrent.magnet, folder, {});
  await leech.waitComplete(completeMs);
  assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'), leech);
}

const tequio = async (host: Host): Promise<LabPeer> => new TequioPeer(host);
const tequioWithLsd = async (host: Host): Promise<LabPeer> => new TequioPeer(host, [], true);

function cellsOf({ name, withPex, withLsd }: Program): Cell[] {
  const common = { program: name, variant: 'v1' };
  return [
    {
      ...common,
      what: 'told-by',
      title: `${name} tells Tequio of a seed, which is all that Tequio knows of it`,
      run: (stage) => meetThroughTeller(stage, withPex, tequio),
    },
    {
      ...common,
      what: 'told-to',
      title: `Tequio tells ${name} of a seed, which is all that ${name} knows of it`,
      run: (stage) => meetThroughTeller(stage, tequio, withPex),
    },
    {
      ...common,
      what: 'lsd-from',
      title: `Tequio and a seeding ${name} find each other on the local network`,
      run: (stage) => meetOnLocalNetwork(stage, withLsd, tequioWithLsd),
    },
    {
      ...common,
      what: 'lsd-to',
      title: `${name} and a seeding Tequio find each other on the local network`,
      run: (stage) => meetOnLocalNetwork(stage, tequioWithLsd, withLsd),
    },
  ];
}

testCells('discovery', programs.flatMap(cellsOf));
