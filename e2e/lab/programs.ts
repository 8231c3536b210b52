import { spawnSync } from 'node:child_process';
import { Aria2Peer } from './aria2.ts';
import type { Host } from './lab.ts';
import { LibtorrentPeer } from './libtorrent.ts';
import type { LabPeer } from './peer.ts';
import { QbittorrentPeer } from './qbittorrent.ts';
import { RtorrentPeer } from './rtorrent.ts';
import { cleanEnvironment } from './running.ts';
import { TransmissionPeer } from './transmission.ts';

export type TorrentVersion = 'v1' | 'v2' | 'hybrid';

export type ForeignProgram = {
  readonly name: string;
  /** Prints the version, and proves that the program is here. */
  readonly versionCommand: readonly [string, ...string[]];
  /** Formats of torrent that it downloads. */
  readonly versions: readonly TorrentVersion[];
  readonly start: (host: Host) => Promise<LabPeer>;
};

/** The five that download and seed. */
export const foreignPeers: readonly ForeignProgram[] = [
  {
    name: 'libtorrent',
    versionCommand: ['/usr/bin/python3', '-c', 'import libtorrent; print(libtorrent.version)'],
    versions: ['v1', 'v2', 'hybrid'],
    start: (host) => LibtorrentPeer.start(host),
  },
  {
    name: 'qBittorrent',
    versionCommand: ['qbittorrent-nox', '--version'],
    versions: ['v1', 'v2', 'hybrid'],
    start: (host) => QbittorrentPeer.start(host),
  },
  {
    name: 'Transmission',
    versionCommand: ['transmission-daemon', '--version'],
    versions: ['v1'],
    start: (host) => TransmissionPeer.start(host),
  },
  {
    name: 'aria2',
    versionCommand: ['aria2c', '--version'],
    versions: ['v1'],
    start: async (host) => new Aria2Peer(host),
  },
  {
    name: 'rTorrent',
    versionCommand: ['rtorrent', '-h'],
    versions: ['v1'],
    start: (host) => RtorrentPeer.start(host),
  },
];

/** Others that are needed: what proves that they are here. */
export const foreignTools: Readonly<Record<string, readonly [string, ...string[]]>> = {
  opentracker: ['opentracker', '-h'],
  mktorrent: ['mktorrent', '-h'],
  microsocks: ['microsocks', '-h'],
  tinyproxy: ['tinyproxy', '-v'],
  dante: ['danted', '-v'],
  'transmission-create': ['transmission-create', '--version'],
};

const versions = new Map<string, string | null>();

/** The version that a program says, empty when it says none, null when it is not here. */
export function versionOf(name: string): string | null {
  const known = versions.get(name);
  if (known !== undefined) return known;
  const command = foreignPeers.find((peer) => peer.name === name)?.versionCommand ?? foreignTools[name];
  if (command === undefined) throw new Error(`no program is called ${name}`);
  const [program, ...args] = command;
  const run = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000, env: cleanEnvironment('/tmp') });
  const isHere = run.error === undefined && !/No module named|ImportError/.test(run.stderr);
  // Some helps name an address, which is no version.
  const said = (run.stdout + run.stderr).replaceAll(/\b(?:127|10|0)(?:\.\d+){3}\b/g, '');
  const version = isHere ? (/\d+\.\d+(?:\.\d+)?/.exec(said)?.[0] ?? '') : null;
  versions.set(name, version);
  return version;
}
