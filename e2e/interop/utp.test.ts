/**
 * uTP and nothing else with the programs that speak it, either side dialling: 32 MB each way. TCP between peers is
 * dropped by a firewall on every host, which counts what it drops.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { assertSameTree, largeFiles, makeContent } from '../lab/content.ts';
import type { Host } from '../lab/lab.ts';
import { LibtorrentPeer } from '../lab/libtorrent.ts';
import type { LabPeer } from '../lab/peer.ts';
import { TequioPeer } from '../lab/tequio.ts';
import { TransmissionPeer } from '../lab/transmission.ts';
import { type Cell, type Stage, testCells } from './cell.ts';

const timeoutMs = 60_000;
const contentBytes = 32_000_000;
const peerPorts = '{ 6881, 51413 }';

const programs: readonly { readonly name: string; readonly start: (host: Host) => Promise<LabPeer> }[] = [
  {
    name: 'libtorrent',
    start: (host) =>
      LibtorrentPeer.start(host, {
        enable_incoming_utp: true,
        enable_outgoing_utp: true,
        enable_incoming_tcp: false,
        enable_outgoing_tcp: false,
      }),
  },
  // It cannot do without TCP by itself.
  { name: 'Transmission', start: (host) => TransmissionPeer.start(host, { 'utp-enabled': true }) },
];

/** A host on which peers cannot use TCP, and how many packets of it were dropped. */
async function hostWithoutTcp(stage: Stage, name: string): Promise<Host> {
  const host = stage.host(name);
  const rules = [
    'table inet peers {',
    `chain in { type filter hook input priority 0; tcp dport ${peerPorts} counter drop; }`,
    `chain out { type filter hook output priority 0; tcp dport ${peerPorts} counter drop; }`,
    '}',
  ];
  const { code } = await host.run('nft', [rules.join('\n')]).wait(10_000);
  assert.equal(code, 0, 'the firewall takes the rules');
  return host;
}

let made: Promise<{ readonly file: string; readonly folder: string }> | null = null;

/** A torrent of 32 MB, made once. */
function largeTorrent(stage: Stage): NonNullable<typeof made> {
  const folder = join(stage.lab.folder, 'large-source');
  const file = join(stage.lab.folder, 'large.torrent');
  made ??= (async () => {
    makeContent(join(folder, 'large'), largeFiles(contentBytes), 7);
    await stage.tool.create({ path: join(folder, 'large'), out: file, version: 'v1', pieceBytes: 262_144 });
    return { file, folder };
  })();
  return made;
}

async function transfer(seeder: LabPeer, leecher: LabPeer, stage: Stage): Promise<void> {
  const torrent = await largeTorrent(stage);
  await seeder.seed(torrent.file, torrent.folder);
  const folder = stage.newFolder();
  await leecher.download(torrent.file, folder, { peers: [seeder.endpoint] });
  await leecher.waitComplete(timeoutMs);
  assertSameTree(join(folder, 'large'), join(torrent.folder, 'large'));
}

function cellsOf(program: (typeof programs)[number]): Cell[] {
  const common = { program: program.name, variant: 'uTP' };
  const flags = ['--transport', 'utp'];
  return [
    {
      ...common,
      what: 'utp-from',
      title: `Tequio downloads over uTP from ${program.name}`,
      run: async (stage) => {
        const seeder = stage.use(await program.start(await hostWithoutTcp(stage, 'seeder')));
        const tequio = stage.use(new TequioPeer(await hostWithoutTcp(stage, 'tequio'), flags));
        await transfer(seeder, tequio, stage);
      },
    },
    {
      ...common,
      what: 'utp-to',
      title: `${program.name} downloads over uTP from Tequio`,
      run: async (stage) => {
        const tequio = stage.use(new TequioPeer(await hostWithoutTcp(stage, 'tequio'), flags));
        const leecher = stage.use(await program.start(await hostWithoutTcp(stage, 'leecher')));
        await transfer(tequio, leecher, stage);
      },
    },
  ];
}

/** With both allowed, what TCP does not reach is reached all the same. */
const fallback: Cell = {
  program: 'libtorrent',
  variant: 'no TCP',
  what: 'utp-from',
  title: 'Tequio, told nothing, downloads over uTP when TCP does not get through',
  run: async (stage) => {
    const seeder = stage.use(await programs[0]!.start(await hostWithoutTcp(stage, 'seeder')));
    const tequio = stage.use(new TequioPeer(await hostWithoutTcp(stage, 'tequio')));
    await transfer(seeder, tequio, stage);
  },
};

testCells('utp', [...programs.flatMap(cellsOf), fallback]);
