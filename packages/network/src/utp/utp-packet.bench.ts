/**
 * The head of a uTP packet, read and written, against one look at each of its bytes.
 * Run: node packages/network/src/utp/utp-packet.bench.ts
 */
import { passOver, runMicroBenches } from '@tequio/kernel/compliance/micro-bench';
import {
  decodeUtpPacket,
  UtpPacket,
  utpExtension,
  utpHeaderBytes,
  utpType,
  writeUtpIdentity,
  writeUtpMoment,
} from './utp-packet.ts';

const plain = new Uint8Array(utpHeaderBytes);
writeUtpIdentity(plain, utpType.data, utpExtension.none, 4711, 99);
const withSack = new Uint8Array(utpHeaderBytes + 6);
writeUtpIdentity(withSack, utpType.state, utpExtension.sack, 4711, 99);
withSack.set([utpExtension.none, 4, 0x0f, 0, 0, 1], utpHeaderBytes);
const packet = new UtpPacket();

runMicroBenches([
  {
    name: 'uTP, a packet read',
    work: (times) => {
      let sum = 0;
      for (let i = 0; i < times; i++) {
        if (!decodeUtpPacket((i & 7) === 0 ? withSack : plain, packet)) throw new Error('it was not read');
        sum += packet.sequence + packet.sackBytes;
      }
      return sum;
    },
    baseline: passOver(plain),
  },
  {
    name: 'uTP, a packet written',
    work: (times) => {
      for (let i = 0; i < times; i++) {
        writeUtpIdentity(plain, utpType.data, utpExtension.none, 4711, i & 0xffff);
        writeUtpMoment(plain, i, i * 3, 1 << 20, (i * 7) & 0xffff);
      }
      return plain[5]!;
    },
    baseline: passOver(plain),
  },
]);
