/**
 * Hole punching (BEP 55): two machines, each behind a router that lets in only answers, and a third on a public
 * address that is connected to both and tells them of each other. Neither can be dialled; in the end bytes of the
 * torrent go from one to the other. Tequio and libtorrent in every part.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { makeContent } from '../lab/content.ts';
import type { Host } from '../lab/lab.ts';
import { LibtorrentPeer } from '../lab/libtorrent.ts';
import type { LabPeer } from '../lab/peer.ts';
import { versionOf } from '../lab/programs.ts';
import { runTequio, TequioPeer } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';
import { NatLab, type Site } from './nat-lab.ts';
import { areRequired, whatIsMissing, writeNatResults } from './nat-programs.ts';

const missing =
  whatIsMissing() ?? (versionOf('libtorrent') === null ? 'not installed here: libtorrent' : null);
const skip = missing !== null && !areRequired ? missing : false;
const port = 6881;
const punchedMs = 60_000;

type Name = 'Tequio' | 'libtorrent';

type PunchResult = {
  readonly relay: Name;
  readonly seed: Name;
  readonly leech: Name;
  readonly seconds: number;
};

const casts: readonly { readonly relay: Name; readonly seed: Name; readonly leech: Name }[] = [
  { relay: 'Tequio', seed: 'Tequio', leech: 'Tequio' },
  { relay: 'libtorrent', seed: 'Tequio', leech: 'Tequio' },
  { relay: 'Tequio', seed: 'libtorrent', leech: 'libtorrent' },
  { relay: 'libtorrent', seed: 'Tequio', leech: 'libtorrent' },
  { relay: 'libtorrent', seed: 'libtorrent', leech: 'Tequio' },
];

describe('hole punching', { skip }, () => {
  let lab: NatLab;
  let torrent: string;
  let source: string;
  let siteCount = 0;
  const started: LabPeer[] = [];
  const results: PunchResult[] = [];

  before(async () => {
    if (missing !== null) throw new Error(missing);
    lab = NatLab.open();
    source = join(lab.folder, 'source');
    makeContent(join(source, 'shared'), [{ path: 'a.bin', bytes: 4_000_000 }], 9);
    torrent = join(lab.folder, 'shared.torrent');
    const made = await runTequio(['create', join(source, 'shared'), '-o', torrent, '--v1'], lab.folder);
    assert.equal(made.code, 0, made.stderr);
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((peer) => peer.stop()));
  });

  after(() => {
    lab?.close();
    if (results.length === casts.length) writeNatResults('punch', { results });
  });

  /** All of them by uTP, as a libtorrent dials: the relay then knows the port that a router keeps open. */
  async function start(name: Name, host: Host): Promise<LabPeer> {
    // Little, so that nobody is done, and goes, before they have met.
    const peer =
      name === 'Tequio'
        ? new TequioPeer(host, ['--transport', 'utp', '--limit-up', '16K', '--no-port-mapping'])
        : await LibtorrentPeer.start(host, {
            enable_incoming_utp: true,
            enable_outgoing_utp: true,
            upload_rate_limit: 16_384,
          });
    started.push(peer);
    return peer;
  }

  function addSite(kind: 'none' | 'port-restricted'): Site {
    return lab.addSite(`m${++siteCount}`, { kind, hasIpv6: false });
  }

  for (const { relay, seed, leech } of casts) {
    test(`${seed} gives to ${leech}, each behind its router, with the help of ${relay}`, async () => {
      const relaySite = addSite('none');
      const [seedSite, leechSite] = [addSite('port-restricted'), addSite('port-restricted')];
      const relayPeer = await start(relay, relaySite.host);
      await relayPeer.download(torrent, join(relaySite.host.folder, 'got'), { peers: [] });
      const seedPeer = await start(seed, seedSite.host);
      await seedPeer.seed(torrent, source);
      const relayEndpoint = `${relaySite.publicAddress}:${port}`;
      await dial(seedPeer, relayEndpoint, torrent, source);
      const leechPeer = await start(leech, leechSite.host);
      const startMs = performance.now();
      await leechPeer.download(torrent, join(leechSite.host.folder, 'got'), { peers: [relayEndpoint] });
      await until(`the ${leech} gets something from the ${seed}`, punchedMs, () =>
        hasReceivedFrom(leechPeer, seedSite.publicAddress),
      ).catch((error: Error) => {
        const said = [relayPeer, seedPeer, leechPeer].map(
          (peer) => peer instanceof TequioPeer && peer.describe(),
        );
        throw new Error(`${error.message}\n${said.filter(Boolean).join('\n')}`);
      });
      const seconds = Math.round((performance.now() - startMs) / 100) / 10;
      results.push({ relay, seed, leech, seconds });
    });
  }
});

/** A seed that runs already dials the relay. */
async function dial(peer: LabPeer, endpoint: string, torrent: string, source: string): Promise<void> {
  if (peer instanceof LibtorrentPeer) {
    await peer.connect(endpoint);
    return;
  }
  await peer.stop();
  (peer as TequioPeer).start([
    ...['seed', torrent, '--from', source, '--port', String(port), '--peer', endpoint],
    // It hears of nobody from others, so that it dials only when the relay tells it to.
    ...['--no-pex', '--transport', 'utp', '--limit-up', '16K', '--no-port-mapping'],
  ]);
}

async function hasReceivedFrom(peer: LabPeer, address: string): Promise<boolean> {
  if (peer instanceof LibtorrentPeer) {
    const { peers } = await peer.status();
    return peers.some(({ endpoint, bytes }) => endpoint.startsWith(`${address}:`) && bytes > 0);
  }
  const line = (peer as TequioPeer).lines.findLast(({ type }) => type === 'progress');
  const peers = (line?.['peers'] ?? []) as readonly {
    readonly endpoint: string;
    readonly downRate: number;
  }[];
  return peers.some(({ endpoint, downRate }) => endpoint.startsWith(`${address}:`) && downRate > 0);
}
