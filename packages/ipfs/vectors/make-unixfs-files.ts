/**
 * `node packages/ipfs/vectors/make-unixfs-files.ts IPFS > packages/ipfs/vectors/unixfs-files.json`: has kubo (the
 * program IPFS, with a folder of its own in IPFS_PATH) name files of many sizes in every layout and by every chunker.
 */
import { execFileSync } from 'node:child_process';
import { argv, stdout } from 'node:process';
import { seededContent } from './seeded-content.ts';

const [, , ipfs] = argv;
const flags = {
  'unixfs-v1-2025': ['--cid-version=1', '--raw-leaves'],
  'unixfs-v0-2015': ['--cid-version=0', '--raw-leaves=false'],
};
const sizes = [0, 1, 11, 127, 128, 262_143, 262_144, 262_145, 1 << 20, (1 << 20) + 1, 5_000_000];
const cases: [bytes: number, chunker: string, fileLinks?: number][] = [
  ...sizes.flatMap((bytes): [number, string][] => [
    [bytes, 'size-262144'],
    [bytes, 'size-1048576'],
  ]),
  // Many levels, where a last block has one child, and where a level is just full.
  ...[26, 27, 28, 81, 82, 100, 244].map((n): [number, string, number] => [n, 'size-1', 3]),
  ...[300_000, 3_000_000].flatMap((bytes): [number, string][] => [
    [bytes, 'buzhash'],
    [bytes, 'rabin'],
    [bytes, 'rabin-65536'],
    [bytes, 'rabin-16-1000-30000'],
    [bytes, 'rabin-min:4000-avg:10000-max:20000'],
  ]),
  [131_072, 'buzhash'],
  [131_071, 'buzhash'],
  [524_289, 'buzhash'],
];
const files = cases.flatMap(([bytes, chunker, fileLinks]) =>
  Object.entries(flags).flatMap(([profile, options]) =>
    ['balanced', 'trickle'].map((layout) => {
      const links = fileLinks ?? (profile === 'unixfs-v1-2025' ? 1024 : 174);
      const trickle = layout === 'trickle' ? ['--trickle'] : [];
      const cid = execFileSync(
        ipfs!,
        [
          'add',
          '-Q',
          '--only-hash',
          ...options,
          ...trickle,
          `--max-file-links=${links}`,
          `--chunker=${chunker}`,
        ],
        { input: seededContent('unixfs', bytes), encoding: 'utf8' },
      ).trim();
      return { bytes, profile, layout, chunker, fileLinks, cid };
    }),
  ),
);
const version = execFileSync(ipfs!, ['version', '-n'], { encoding: 'utf8' }).trim();
const lines = files.map((file) => JSON.stringify(file)).join(',\n');
stdout.write(
  `{"origin": "made by kubo ${version} with make-unixfs-files.ts", "seed": "unixfs", "files": [\n${lines}\n]}\n`,
);
