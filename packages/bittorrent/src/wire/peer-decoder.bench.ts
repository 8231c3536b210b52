/**
 * What the decoder adds to the copy that every block needs: a stream of blocks in portions as a socket gives them,
 * against the same bytes copied and nothing else, in turn. Run: node packages/bittorrent/src/wire/peer-decoder.bench.ts
 */
import { PlainMemory } from '@tequio/kernel';
import { runMicroBenches, type Work } from '@tequio/kernel/compliance/micro-bench';
import { PeerDecoder, type PeerSink } from './peer-decoder.ts';
import { encodeHandshake, messageId } from './peer-message.ts';
import { blockBytes } from './torrent-info.ts';

const blockCount = 512;
const headBytes = 13;
const portionBytes = 200_000;

const slab = new PlainMemory(new Uint8Array(1 << 20));
const blocksPerSlab = slab.bytes.length / blockBytes;

class CountingSink implements PeerSink {
  blockTarget: PlainMemory | null = null;
  blockTargetAt = 0;
  count = 0;

  onHandshake(): null {
    return null;
  }

  onMessage(): null {
    return null;
  }

  onBlockHead(_piece: number, offset: number): null {
    this.blockTarget = slab;
    this.blockTargetAt = offset;
    return null;
  }

  onBlockEnd(): null {
    this.count++;
    return null;
  }
}

function makeStream(): Uint8Array {
  const stream = new Uint8Array(blockCount * (headBytes + blockBytes));
  const view = new DataView(stream.buffer);
  for (let block = 0; block < blockCount; block++) {
    const at = block * (headBytes + blockBytes);
    view.setUint32(at, headBytes - 4 + blockBytes);
    view.setUint8(at + 4, messageId.piece);
    view.setUint32(at + 5, Math.floor(block / blocksPerSlab));
    view.setUint32(at + 9, (block % blocksPerSlab) * blockBytes);
  }
  return stream;
}

function decode(stream: Uint8Array): number {
  const sink = new CountingSink();
  const decoder = new PeerDecoder(sink);
  const id = new Uint8Array(20);
  decoder.push(
    encodeHandshake({ infoHash: id, peerId: id, extended: false, fast: false, v2: false, dht: false }),
  );
  for (let at = 0; at < stream.length; at += portionBytes)
    decoder.push(stream.subarray(at, at + portionBytes));
  if (sink.count !== blockCount) throw new Error(`${sink.count} of ${blockCount} blocks`);
  return sink.count;
}

function copy(stream: Uint8Array): number {
  for (let block = 0; block < blockCount; block++) {
    const from = block * (headBytes + blockBytes) + headBytes;
    slab.copyFrom(stream, from, from + blockBytes, (block % blocksPerSlab) * blockBytes);
  }
  return slab.bytes[0]!;
}

const stream = makeStream();
const repeated =
  (once: (stream: Uint8Array) => number): Work =>
  (times) => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += once(stream);
    return sum;
  };
runMicroBenches([{ name: 'blocks decoded', work: repeated(decode), baseline: repeated(copy) }]);
