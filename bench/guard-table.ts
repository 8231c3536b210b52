/**
 * What micro-benchmarks may say at most. Each measures a piece of work and a baseline in the same run; the bounds are
 * three times what is usual or more, so that a loaded machine stays below them and a change for the worse does not.
 */
export type Guard = {
  /** As the file says it: "ratio of NAME: 1.23". */
  readonly name: string;
  readonly file: string;
  readonly baseline: string;
  readonly usual: number;
  readonly atMost: number;
};

const onePass = 'one look at each byte';
const wire = 'packages/bittorrent/src/wire';

/** In order of the files. */
export const guards: readonly Guard[] = [
  guard('packages/kernel/src/bitfield.bench.ts', onePass, [
    ['bitfield from bytes', 1, 4],
    ['bitfield searched', 0.25, 4],
  ]),
  guard(`${wire}/bencode.bench.ts`, onePass, [
    ['bencode, a torrent read', 0.025, 0.1],
    ['bencode, a torrent written', 0.33, 1.2],
    ['bencode, a message read', 2, 7],
    ['bencode, a message written', 11, 30],
  ]),
  guard(`${wire}/krpc.bench.ts`, onePass, [
    ['DHT, a question read', 16, 100],
    ['DHT, an answer read', 15, 60],
    ['DHT, an answer written', 1.6, 6],
  ]),
  guard(`${wire}/tracker.bench.ts`, onePass, [
    ['HTTP announce read', 7.6, 25],
    ['HTTP announce answered', 2.9, 10],
    ['UDP announce read', 4.7, 15],
  ]),
  guard(`${wire}/peer-decoder.bench.ts`, 'a copy of the same blocks', [['blocks decoded', 1.3, 3]]),
  guard('packages/network/src/utp/utp-packet.bench.ts', onePass, [
    ['uTP, a packet read', 0.5, 2],
    ['uTP, a packet written', 0.35, 1.5],
  ]),
  guard('packages/bittorrent/src/core/piece-picker.bench.ts', 'the same on 1,000 pieces, not 100,000', [
    ['a pick of blocks', 0.7, 4],
    ['a pick with nothing to find', 2, 6],
  ]),
  guard('packages/bittorrent/src/core/dht/node.bench.ts', 'the same question, decoded in full', [
    ['a DHT question answered', 0.5, 0.95],
  ]),
  guard('packages/runtime/src/disk.bench.ts', 'the same calls on the main thread', [
    ['pieces stored, 4 slabs', 0.7, 3],
    ['pieces stored, 32 slabs', 0.7, 3],
  ]),
].flat();

function guard(
  file: string,
  baseline: string,
  ratios: readonly (readonly [name: string, usual: number, atMost: number])[],
): Guard[] {
  return ratios.map(([name, usual, atMost]) => ({ name, file, baseline, usual, atMost }));
}

/** The table of docs/performance.md. */
export function guardsTable(): string {
  const lines = guards.map(
    ({ name, file, baseline, usual, atMost }) =>
      `| ${name} | ${baseline} | ${usual} | ${atMost} | [${file.split('/').at(-1)}](../${file}) |\n`,
  );
  return `| work | baseline | usual | at most | in |\n| --- | --- | --- | --- | --- |\n${lines.join('')}`;
}
