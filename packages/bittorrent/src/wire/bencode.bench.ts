/**
 * What comes in bencoding, read and written, against one look at each of its bytes.
 * Run: node packages/bittorrent/src/wire/bencode.bench.ts
 */
import { fromLatin1, Prng } from '@tequio/kernel';
import { type MicroBench, passOver, runMicroBenches } from '@tequio/kernel/compliance/micro-bench';
import { type BencodeInput, decodeBencode, encodeBencode } from './bencode.ts';

const prng = new Prng(1);

/** A torrent of 200 files with 20,000 pieces: short words, and one long string. */
const torrent: BencodeInput = {
  announce: 'udp://tracker.example:6969/announce',
  'creation date': 1_700_000_000,
  info: {
    files: Array.from({ length: 200 }, (_, i) => ({
      length: 1000 * i,
      path: [`folder ${i % 7}`, `a file with a name, number ${i}.bin`],
    })),
    name: 'content',
    'piece length': 1 << 20,
    pieces: prng.bytes(20 * 20_000),
  },
};
/** An extension message: a few small values, as thousands of peers send it. */
const message: BencodeInput = {
  m: { ut_metadata: 3, ut_pex: 1, ut_holepunch: 4, lt_donthave: 7 },
  p: 51_413,
  reqq: 2000,
  v: 'a program 1.2.3',
  yourip: fromLatin1('\x7f\0\0\x01'),
};

function pairOf(name: string, value: BencodeInput): MicroBench[] {
  const bytes = encodeBencode(value);
  return [
    {
      name: `bencode, ${name} read`,
      work: (times) => {
        let good = 0;
        for (let i = 0; i < times; i++) if (decodeBencode(bytes).ok) good++;
        if (good !== times) throw new Error('it was not read');
        return good;
      },
      baseline: passOver(bytes),
    },
    {
      name: `bencode, ${name} written`,
      work: (times) => {
        let length = 0;
        for (let i = 0; i < times; i++) length += encodeBencode(value).length;
        return length;
      },
      baseline: passOver(bytes),
    },
  ];
}

runMicroBenches([...pairOf('a torrent', torrent), ...pairOf('a message', message)]);
