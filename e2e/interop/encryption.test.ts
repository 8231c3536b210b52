/**
 * Encrypted connections with each of the others, required by one side while the other takes both; either side dials.
 * Success is the proof: who requires it says nothing to a plain peer.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Aria2Peer } from '../lab/aria2.ts';
import { assertSameTree } from '../lab/content.ts';
import type { Host } from '../lab/lab.ts';
import { LibtorrentPeer } from '../lab/libtorrent.ts';
import type { LabPeer } from '../lab/peer.ts';
import { QbittorrentPeer } from '../lab/qbittorrent.ts';
import { RtorrentPeer } from '../lab/rtorrent.ts';
import { TequioPeer } from '../lab/tequio.ts';
import { TransmissionPeer } from '../lab/transmission.ts';
import { type Cell, testCells } from './cell.ts';

const timeoutMs = 40_000;

type Policy = 'prefer' | 'require';
type OurPolicy = Policy | 'allow';
type Encrypted = {
  readonly name: string;
  readonly start: (host: Host, policy: Policy) => Promise<LabPeer>;
};

/** libtorrent's policies: 0 forced, 1 enabled; levels: 2 RC4 alone, 3 both. */
function libtorrentSettings(policy: Policy): Record<string, unknown> {
  const isStrict = policy === 'require';
  const enc = isStrict ? 0 : 1;
  return { in_enc_policy: enc, out_enc_policy: enc, allowed_enc_level: isStrict ? 2 : 3 };
}

const programs: readonly Encrypted[] = [
  { name: 'libtorrent', start: (host, policy) => LibtorrentPeer.start(host, libtorrentSettings(policy)) },
  { name: 'qBittorrent', start: (host, policy) => QbittorrentPeer.start(host, policy) },
  {
    name: 'Transmission',
    start: (host, policy) => TransmissionPeer.start(host, { encryption: policy === 'require' ? 2 : 1 }),
  },
  {
    name: 'aria2',
    start: async (host, policy) =>
      new Aria2Peer(
        host,
        policy === 'require' ? ['--bt-require-crypto=true', '--bt-min-crypto-level=arc4'] : [],
      ),
  },
  {
    name: 'rTorrent',
    start: (host, policy) =>
      RtorrentPeer.start(
        host,
        policy === 'require'
          ? ['allow_incoming', 'try_outgoing', 'require', 'require_RC4']
          : ['allow_incoming', 'try_outgoing', 'enable_retry'],
      ),
  },
];

function cellsOf(
  program: Encrypted,
  theirs: Policy,
  transport: 'tcp' | 'utp' = 'tcp',
  ours: OurPolicy = theirs === 'require' ? 'allow' : 'require',
): Cell[] {
  const over = transport === 'utp' ? ' over uTP' : '';
  const common = { program: program.name, variant: `${ours}/${theirs}${over}` };
  const flags = ['--encryption', ours, '--transport', transport];
  return [
    {
      ...common,
      what: 'encrypted-from',
      title: `Tequio (${ours}) downloads from ${program.name} (${theirs})${over}`,
      run: async (stage) => {
        const torrent = await stage.torrent('v1');
        const seeder = stage.use(await program.start(stage.host('seeder'), theirs));
        await seeder.seed(torrent.file, stage.sourceFolder);
        const tequio = stage.use(new TequioPeer(stage.host('tequio'), flags));
        const folder = stage.newFolder();
        await tequio.download(torrent.file, folder, { peers: [seeder.endpoint] });
        await tequio.waitComplete(timeoutMs);
        const connected = tequio.lines.filter(({ type }) => type === 'bittorrent.peer.connected');
        assert.ok(connected.length > 0);
        for (const { encrypted } of connected) assert.equal(encrypted, true);
        assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'));
      },
    },
    {
      ...common,
      what: 'encrypted-to',
      title: `${program.name} (${theirs}) downloads from Tequio (${ours})${over}`,
      run: async (stage) => {
        const torrent = await stage.torrent('v1');
        const tequio = stage.use(new TequioPeer(stage.host('tequio'), flags));
        await tequio.seed(torrent.file, stage.sourceFolder);
        const leech = stage.use(await program.start(stage.host('leech'), theirs));
        const folder = stage.newFolder();
        await leech.download(torrent.file, folder, { peers: [tequio.endpoint] });
        await leech.waitComplete(timeoutMs);
        assertSameTree(join(folder, 'mixed'), join(stage.sourceFolder, 'mixed'), leech);
      },
    },
  ];
}

/** Under uTP as under TCP. */
const overUtp: Encrypted = {
  name: 'libtorrent',
  start: (host, policy) =>
    LibtorrentPeer.start(host, {
      ...libtorrentSettings(policy),
      enable_incoming_utp: true,
      enable_outgoing_utp: true,
      enable_incoming_tcp: false,
      enable_outgoing_tcp: false,
    }),
};

/** Two of us: encrypted, and nobody has to demand it. */
const ownKind: Encrypted = {
  name: 'Tequio',
  start: async (host, policy) => new TequioPeer(host, ['--encryption', policy]),
};

const preferring = [ownKind, ...programs.slice(0, 3)];

testCells('encryption', [
  ...programs.flatMap((program) => [...cellsOf(program, 'require'), ...cellsOf(program, 'prefer')]),
  ...cellsOf(overUtp, 'require', 'utp'),
  ...preferring.flatMap((program) => cellsOf(program, 'prefer', 'tcp', 'prefer')),
]);
