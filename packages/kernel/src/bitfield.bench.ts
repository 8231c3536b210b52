/**
 * A peer's field of 100,000 pieces as it comes, is counted and looked through, against one look at each of its bytes.
 * Run: node packages/kernel/src/bitfield.bench.ts
 */
import { passOver, runMicroBenches } from '../compliance/micro-bench.ts';
import { Bitfield } from './bitfield.ts';
import { Prng } from './prng.ts';

const bitCount = 100_000;
const bytes = new Prng(1).bytes(bitCount / 8);
/** A bit in a hundred: what is looked for is seldom next door. */
const sparse = new Bitfield(bitCount);
for (let bit = 0; bit < bitCount; bit += 97) sparse.set(bit);

runMicroBenches([
  {
    name: 'bitfield from bytes',
    work: (times) => {
      let count = 0;
      for (let i = 0; i < times; i++) count += Bitfield.tryFromBytes(bytes, bitCount)!.setCount;
      return count;
    },
    baseline: passOver(bytes),
  },
  {
    name: 'bitfield searched',
    work: (times) => {
      let count = 0;
      for (let i = 0; i < times; i++)
        for (let bit = sparse.nextSet(0); bit >= 0 && bit < bitCount; bit = sparse.nextSet(bit + 1)) count++;
      return count;
    },
    baseline: passOver(sparse.bytes),
  },
]);
