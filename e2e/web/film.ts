/** A film to test with: VP8 pictures that a browser has encoded, in a WebM file that can be sought in. */
import type { Page } from 'playwright-core';

export type Frame = { readonly ms: number; readonly isKey: boolean; readonly bytes: Buffer };

const width = 160;
const height = 120;
const framesPerSecond = 5;
/** Each begins with a whole picture: to it a player jumps. */
const clusterMs = 2000;

/** @param page of a secure origin, for others have no encoder */
export async function makeFilm(page: Page, seconds: number): Promise<Buffer> {
  const count = seconds * framesPerSecond;
  const encoded = (await page.evaluate(encodeNoise, {
    width,
    height,
    count,
    framesPerSecond,
    keyEvery: (clusterMs / 1000) * framesPerSecond,
  })) as readonly (readonly [ms: number, isKey: boolean, base64: string])[];
  const frames = encoded.map(([ms, isKey, text]) => ({ ms, isKey, bytes: Buffer.from(text, 'base64') }));
  return webmOf(frames, seconds * 1000);
}

type Wish = {
  readonly width: number;
  readonly height: number;
  readonly count: number;
  readonly framesPerSecond: number;
  readonly keyEvery: number;
};

/** In the page: pictures of coloured noise, which do not become small, encoded as fast as it can. */
async function encodeNoise({
  width,
  height,
  count,
  framesPerSecond,
  keyEvery,
}: Wish): Promise<readonly (readonly [number, boolean, string])[]> {
  type Chunk = { type: string; timestamp: number; byteLength: number; copyTo(into: Uint8Array): void };
  const page = globalThis as unknown as {
    OffscreenCanvas: new (
      width: number,
      height: number,
    ) => {
      getContext(kind: '2d'): {
        fillStyle: string;
        fillRect(x: number, y: number, width: number, height: number): void;
      };
    };
    VideoFrame: new (canvas: unknown, options: { timestamp: number }) => { close(): void };
    VideoEncoder: new (options: {
      output(chunk: Chunk): void;
      error(error: Error): void;
    }) => {
      configure(options: object): void;
      encode(frame: unknown, options: { keyFrame: boolean }): void;
      flush(): Promise<void>;
    };
  };
  const encoded: (readonly [number, boolean, string])[] = [];
  let failure: Error | null = null;
  const encoder = new page.VideoEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
      encoded.push([Math.round(chunk.timestamp / 1000), chunk.type === 'key', text]);
    },
    error: (error) => {
      failure = error;
    },
  });
  encoder.configure({ codec: 'vp8', width, height, bitrate: 200_000, framerate: framesPerSecond });
  const canvas = new page.OffscreenCanvas(width, height);
  const pen = canvas.getContext('2d');
  for (let at = 0; at < count; at++) {
    for (let spot = 0; spot < 40; spot++) {
      const number = (at * 40 + spot) * 2_654_435_761;
      pen.fillStyle = `hsl(${number % 360} 80% 50%)`;
      pen.fillRect(number % width, (number >>> 8) % height, 24, 16);
    }
    const frame = new page.VideoFrame(canvas, { timestamp: (at * 1e6) / framesPerSecond });
    encoder.encode(frame, { keyFrame: at % keyEvery === 0 });
    frame.close();
  }
  await encoder.flush();
  if (failure !== null) throw failure;
  return encoded;
}

/** WebM (RFC 9559): what is needed to play it and to seek in it, and nothing else. */
function webmOf(frames: readonly Frame[], durationMs: number): Buffer {
  const head = element(
    0x1a45dfa3,
    uint(0x4286, 1),
    uint(0x42f7, 1),
    uint(0x42f2, 4),
    uint(0x42f3, 8),
    text(0x4282, 'webm'),
    uint(0x4287, 2),
    uint(0x4285, 2),
  );
  const duration = Buffer.alloc(8);
  duration.writeDoubleBE(durationMs);
  const info = element(
    0x1549a966,
    uint(0x2ad7b1, 1_000_000),
    element(0x4489, duration),
    text(0x4d80, 'test'),
    text(0x5741, 'test'),
  );
  const picture = element(0xe0, uint(0xb0, width), uint(0xba, height));
  const track = element(0xae, uint(0xd7, 1), uint(0x73c5, 1), uint(0x83, 1), text(0x86, 'V_VP8'), picture);
  const front = Buffer.concat([info, element(0x1654ae6b, track)]);
  const clusters = clustersOf(frames);
  // Numbers are all as long: so long is the index, whatever it says.
  const indexBytes = indexOf(clusters, 0).length;
  const index = indexOf(clusters, front.length + indexBytes);
  return Buffer.concat([head, element(0x18538067, front, index, ...clusters.map(({ bytes }) => bytes))]);
}

type Cluster = { readonly ms: number; readonly bytes: Buffer };

function clustersOf(frames: readonly Frame[]): readonly Cluster[] {
  const starts = frames.flatMap(({ isKey }, at) => (isKey ? [at] : []));
  return starts.map((start, at) => {
    const part = frames.slice(start, starts[at + 1]);
    const { ms } = part[0]!;
    const blocks = part.map((frame) => {
      const lead = Buffer.from([0x81, 0, 0, frame.isKey ? 0x80 : 0]);
      lead.writeInt16BE(frame.ms - ms, 1);
      return element(0xa3, lead, frame.bytes);
    });
    return { ms, bytes: element(0x1f43b675, uint(0xe7, ms), ...blocks) };
  });
}

function indexOf(clusters: readonly Cluster[], first: number): Buffer {
  let at = first;
  const points = clusters.map(({ ms, bytes }) => {
    const place = element(0xb7, uint(0xf7, 1), uint(0xf1, at));
    at += bytes.length;
    return element(0xbb, uint(0xb3, ms), place);
  });
  return element(0x1c53bb6b, ...points);
}

function element(id: number, ...parts: readonly Buffer[]): Buffer {
  const name = Buffer.from(id.toString(16), 'hex');
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(parts.reduce((sum, part) => sum + part.length, 0)));
  // Of a number of eight bytes the first says so.
  length[0] = 0x01;
  return Buffer.concat([name, length, ...parts]);
}

function uint(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return element(id, bytes);
}

function text(id: number, value: string): Buffer {
  return element(id, Buffer.from(value));
}
