/** The rows of docs/benchmarks.md, in order: names, measures and aims. How each is measured: `rows/`, README.md. */
import type { Measure, RowTable } from './row.ts';

const rate: Measure = { key: 'rate', title: 'MB/s', digits: 0, better: 'more' };
const cpuPerGib: Measure = { key: 'cpuPerGib', title: 'CPU s per GiB', digits: 2, better: 'less' };
const peak: Measure = { key: 'peak', title: 'peak MB', digits: 0, better: 'less' };
const begin: Measure = { key: 'begin', title: 's to begin', digits: 2, better: 'less' };
const seconds: Measure = { key: 'seconds', title: 's', digits: 2, better: 'less' };
const cpu: Measure = { key: 'cpu', title: 'CPU s', digits: 2, better: 'less' };

export const table: readonly RowTable[] = [
  {
    name: 'download',
    title: 'Download',
    about:
      '1 GiB in one file with pieces of 1 MiB, from one seeder over TCP. The limit is a program that only receives, ' +
      'hashes and writes, in C with two threads.',
    measures: [rate, cpuPerGib, peak, begin],
    goals: [
      { kind: 'than-best', measure: 'rate', case: 'warm cache', atLeast: 1.3, besides: ['the limit'] },
      { kind: 'than', measure: 'rate', case: 'warm cache', program: 'the limit', atLeast: 0.75 },
      { kind: 'at-most', measure: 'cpuPerGib', case: 'warm cache', atMost: 2 },
      { kind: 'at-most', measure: 'peak', case: 'warm cache', atMost: 150 },
    ],
  },
  {
    name: 'pieces',
    title: 'Download: cost and number of pieces',
    about: 'As above, with pieces of 64 KiB and more and more of them.',
    measures: [cpu, seconds],
    goals: [{ kind: 'growth', measure: 'cpu', atMost: 1.05 }],
    growth: { size: 'pieces', measures: ['cpu'] },
  },
  {
    name: 'formats',
    title: 'Download: other torrents',
    about:
      '1 GiB as version 2, as a hybrid, with very small and very large pieces, and as 50,000 small files.',
    measures: [rate, cpuPerGib, peak],
    goals: [{ kind: 'than-best', measure: 'rate', atLeast: 1.2 }],
  },
  {
    name: 'seed',
    title: 'Seed',
    about:
      '1 GiB to several downloaders at once, each of which gets all of it. They cost next to nothing: they are one ' +
      'program in C that throws away what arrives.',
    measures: [rate, cpuPerGib, peak, { key: 'spread', title: 'last by first', digits: 2, better: 'less' }],
    goals: [
      { kind: 'than-best', measure: 'rate', atLeast: 1.2 },
      { kind: 'flat', measure: 'cpuPerGib', from: '1 downloader', to: '50 downloaders', atMost: 1 },
    ],
    growth: { size: 'downloaders', measures: ['cpuPerGib'] },
  },
  {
    name: 'swarm',
    title: 'A whole swarm',
    about:
      '30 downloaders that know each other and have nothing, and then one seed, each in a network of its own on one ' +
      'machine. Timed from the first bytes of the seed until the last downloader has all.',
    measures: [
      seconds,
      { key: 'first', title: 's for the first', digits: 2, better: 'less' },
      { key: 'copies', title: 'copies sent by the seed', digits: 2, better: 'less' },
      { key: 'fairness', title: "fairness of what they sent (Jain's index)", digits: 2, better: 'more' },
      cpu,
    ],
    goals: [{ kind: 'than-best', measure: 'seconds', atLeast: 1 }],
  },
  {
    name: 'peers',
    title: 'Many connected peers',
    about:
      'A seeder with more and more peers that are connected and ask for nothing, while 2 or 20 others download 2 GiB ' +
      'together. Memory is what the resident set has grown by since the first peer, divided by the peers.',
    measures: [
      cpuPerGib,
      { key: 'cpu', title: 'CPU s', digits: 2, better: 'less' },
      { key: 'kilobytesEach', title: 'kB each', digits: 1, better: 'less' },
      { key: 'idleCpu', title: '% CPU while nothing is asked', digits: 2, better: 'less' },
    ],
    goals: [
      {
        kind: 'flat',
        measure: 'cpuPerGib',
        from: '2 peers, 2 active',
        to: '500 peers, 20 active',
        atMost: 1.1,
      },
      { kind: 'at-most', measure: 'kilobytesEach', case: '500 peers, 20 active', atMost: 20 },
      { kind: 'growth', measure: 'cpu', atMost: 1.05 },
    ],
    growth: { size: 'connected peers', measures: ['cpu'] },
  },
  {
    name: 'torrents',
    title: 'Many torrents at rest',
    about:
      'Torrents of one small file each, all complete, none with a peer. Added with what an earlier run knew of them, ' +
      'then left alone.',
    measures: [
      { key: 'seconds', title: 's until all seed', digits: 2, better: 'less' },
      { key: 'kilobytesEach', title: 'kB each', digits: 1, better: 'less' },
      { key: 'idleCpu', title: '% CPU at rest', digits: 2, better: 'less' },
    ],
    goals: [
      { kind: 'at-most', measure: 'seconds', case: '10,000 torrents', atMost: 2 },
      { kind: 'at-most', measure: 'kilobytesEach', case: '10,000 torrents', atMost: 10 },
      { kind: 'at-most', measure: 'idleCpu', case: '10,000 torrents', atMost: 1 },
      { kind: 'growth', measure: 'seconds', atMost: 1.05 },
    ],
    growth: { size: 'torrents', measures: ['seconds'] },
  },
  {
    name: 'hashing',
    title: 'Create and check',
    about: 'Whole commands, from start to end: 1 GiB that is in memory, and 20 GiB of files that are not.',
    measures: [{ key: 'rate', title: 'MB/s', digits: 0, better: 'more' }, seconds, cpuPerGib],
    goals: [{ kind: 'than-best', measure: 'rate', atLeast: 1 }],
  },
  {
    name: 'tracker',
    title: 'Tracker',
    about:
      '1,000 swarms, announces from many peers as fast as they are answered; the asking program is in C.',
    measures: [
      { key: 'answers', title: 'announces a second', digits: 0, better: 'more' },
      { key: 'answersPerCpu', title: 'announces a CPU second', digits: 0, better: 'more' },
      peak,
    ],
    goals: [{ kind: 'than', measure: 'answers', program: 'opentracker', atLeast: 1 }],
  },
  {
    name: 'dht',
    title: 'DHT: questions answered',
    about: 'A node in a small DHT is asked as fast as it answers, with its ceiling on answers lifted.',
    measures: [
      { key: 'answersPerCpuSecond', title: 'answers a CPU second', digits: 0, better: 'more' },
      { key: 'answersPerSecond', title: 'answers a second', digits: 0, better: 'more' },
    ],
    goals: [{ kind: 'than-best', measure: 'answersPerCpuSecond', atLeast: 1 }],
  },
  {
    name: 'utp',
    title: 'uTP',
    about: '192 MiB over uTP alone, each program to itself and to the other.',
    measures: [rate],
    goals: [],
  },
  {
    name: 'utp-far',
    title: 'uTP over a long line',
    about:
      'uTP alone, each program to itself, between two machines: without delay, and through a relay that delays each ' +
      'datagram by 25 ms each way, loses one in a hundred and holds 1,000 at most. The last column is the rate by that ' +
      "of the program's own TCP.",
    measures: [
      { ...rate, digits: 2 },
      { key: 'byTcp', title: 'by own TCP', digits: 2, better: 'more' },
    ],
    goals: [
      { kind: 'than-best', measure: 'rate', atLeast: 1 },
      { kind: 'at-least', measure: 'byTcp', case: 'no delay', atLeast: 0.3 },
    ],
  },
  {
    name: 'magnet',
    title: 'From a magnet link to the first piece',
    about: 'Nothing but the link and one node of a DHT of 21 nodes, until the first piece is verified.',
    measures: [
      { key: 'fromLink', title: 's from the link', digits: 2, better: 'less' },
      { key: 'fromStart', title: 's from the start of the process', digits: 2, better: 'less' },
    ],
    goals: [{ kind: 'than-best', measure: 'fromLink', atLeast: 1 }],
  },
  {
    name: 'dht-lookup',
    title: 'DHT: a lookup, by the number of nodes',
    about:
      'A search for peers in a DHT of simulated machines: 10 to 120 ms from each to each, 1 % of datagrams lost. ' +
      'The processor time is that of all nodes that take part in it.',
    measures: [
      { key: 'cpu', title: 'CPU ms a lookup', digits: 2, better: 'less' },
      { key: 'queries', title: 'queries a lookup', digits: 1, better: 'less' },
      { key: 'hops', title: 'hops', digits: 2, better: 'less' },
      { key: 'milliseconds', title: 'ms a lookup', digits: 0, better: 'less' },
    ],
    goals: [{ kind: 'growth', measure: 'queries', atMost: 0.2 }],
    growth: { size: 'nodes', measures: ['queries', 'hops', 'cpu'] },
  },
  {
    name: 'seek',
    title: 'Seek in a stream',
    about:
      'A film of 256 MiB that plays from a seeder whose line carries 20 MB/s: jumps to places far apart, until the ' +
      'first bytes there can be read.',
    measures: [
      { key: 'seek', title: 's to the first byte (middle one)', digits: 3, better: 'less' },
      { key: 'worst', title: 's (slowest)', digits: 3, better: 'less' },
    ],
    goals: [{ kind: 'than-best', measure: 'seek', atLeast: 1 }],
  },
  {
    name: 'start',
    title: 'Start',
    about:
      'From the start of the process, with a .torrent whose tracker names one seeder, to the first connection and ' +
      'the first request there. The seeder knows no encryption, which aria2 always tries first.',
    measures: [
      { key: 'dial', title: 's to the first connection', digits: 2, better: 'less' },
      { key: 'seconds', title: 's to the first request', digits: 2, better: 'less' },
      { key: 'cpu', title: 'CPU s until then', digits: 2, better: 'less' },
    ],
    goals: [],
  },
  {
    name: 'ipfs-add',
    title: 'IPFS: add',
    about:
      'Whole commands, from start to end, with the same CIDs. Tequio has the device confirm what is pinned; kubo does ' +
      'not, so it is also measured with a `sync` of the file system after it.',
    measures: [rate, seconds, cpuPerGib],
    goals: [
      { kind: 'than-best', measure: 'rate', atLeast: 1 },
      { kind: 'than', measure: 'rate', program: 'kubo, and all on the device', atLeast: 2 },
    ],
  },
  {
    name: 'ipfs-fetch',
    title: 'IPFS: fetch over bitswap',
    about:
      '1 GiB from one peer over TCP on loopback, until all of it is in the own repository, verified and pinned.',
    measures: [
      rate,
      cpuPerGib,
      { key: 'servedCpuPerGib', title: 'CPU s per GiB of the server', digits: 2, better: 'less' },
      peak,
    ],
    goals: [{ kind: 'than-best', measure: 'rate', atLeast: 1 }],
  },
  {
    name: 'ipfs-gateway',
    title: 'IPFS: gateway',
    about: 'Content that the node has, over 32 connections that stay open, as fast as it is answered.',
    measures: [
      { key: 'answers', title: 'answers a second', digits: 0, better: 'more' },
      { key: 'answersPerCpu', title: 'answers a CPU second', digits: 0, better: 'more' },
      peak,
    ],
    goals: [{ kind: 'than-best', measure: 'answers', atLeast: 1 }],
  },
  {
    name: 'ipfs-provide',
    title: 'IPFS: telling who has what',
    about: 'Each of 10,000 CIDs is told to the nodes of a DHT that are nearest to it, sixteen at once.',
    measures: [{ key: 'rate', title: 'CIDs a second', digits: 1, better: 'more' }, seconds, cpu, peak],
    goals: [{ kind: 'than-best', measure: 'rate', atLeast: 1 }],
  },
  {
    name: 'ipfs-start',
    title: 'IPFS: start of a node',
    about:
      'From the start of the process until it answers `id`, with libp2p listening; and until its gateway gives content.',
    measures: [seconds, { key: 'gateway', title: 's to the gateway', digits: 2, better: 'less' }, cpu, peak],
    goals: [{ kind: 'than-best', measure: 'seconds', atLeast: 1 }],
  },
  {
    name: 'ipfs-memory',
    title: 'IPFS: memory with many blocks',
    about:
      'A node with 1,000,000 blocks of 1 KiB, at rest, and while its gateway answers requests for 16 KiB at random ' +
      'places. Resident memory, the program itself included.',
    measures: [
      { key: 'idle', title: 'MB at rest', digits: 0, better: 'less' },
      { key: 'peak', title: 'MB at most', digits: 0, better: 'less' },
      { key: 'after', title: 'MB after the last request', digits: 0, better: 'less' },
      { key: 'answers', title: 'answers a second', digits: 0, better: 'more' },
    ],
    goals: [
      { kind: 'than-best', measure: 'idle', atLeast: 1 },
      { kind: 'than-best', measure: 'peak', atLeast: 1 },
    ],
  },
];
