import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { constants, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { plainBytes } from './plain-bytes.ts';

/** What the body of one answer does. */
export type BodyReader = {
  pause(): void;
  /** Also starts it. */
  resume(): void;
  destroy(): void;
};

export type BodyEvents = {
  readonly bytesMax: number;
  /** Decompressed. */
  onBytes(bytes: Uint8Array): void;
  /** Once, last. */
  onEnd(error: { readonly code: string; readonly message: string } | null): void;
};

/**
 * Reads the body of an answer and undoes its compression. The ceiling counts bytes after decompression, and the
 * decompressor makes at most one small chunk before it is asked whether it may go on: a "bomb" costs nothing.
 * Paused until `resume`.
 */
export function createBodyReader(
  response: IncomingMessage,
  encoding: string,
  events: BodyEvents,
): BodyReader {
  let byteCount = 0;
  let done = false;
  const finish = (code: string | null, message = ''): void => {
    if (done) return;
    done = true;
    events.onEnd(code === null ? null : { code, message });
  };
  const handleBytes = (bytes: Uint8Array): void => {
    if (done) return;
    byteCount += bytes.length;
    if (byteCount > events.bytesMax)
      finish('HTTP_TOO_LONG', `the answer is longer than ${events.bytesMax} bytes`);
    else events.onBytes(plainBytes(bytes));
  };

  const name = encoding.trim().toLowerCase();
  const kind = name === 'x-gzip' ? 'gzip' : name;
  if (kind === '' || kind === 'identity') read(response, handleBytes, finish);
  else if (kind === 'gzip' || kind === 'deflate') return readCompressed(response, kind, handleBytes, finish);
  else {
    // The server compressed in a way that was not offered; said later, for the head comes first.
    setImmediate(() => finish('HTTP_BAD_ENCODING', 'the answer is compressed in an unknown way'));
    response.on('error', () => {});
  }
  return {
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    destroy: () => void response.destroy(),
  };
}

type Finish = (code: string | null, message?: string) => void;

function read(source: Readable, handleBytes: (bytes: Uint8Array) => void, finish: Finish): void {
  source.pause();
  source.on('data', handleBytes);
  source.on('end', () => finish(null));
  source.on('error', () => finish('HTTP_CLOSED', 'the connection ended before the answer did'));
  source.on('close', () => finish('HTTP_CLOSED', 'the connection ended before the answer did'));
}

function readCompressed(
  response: IncomingMessage,
  kind: 'gzip' | 'deflate',
  handleBytes: (bytes: Uint8Array) => void,
  finish: Finish,
): BodyReader {
  let decoder: Transform | null = null;
  let paused = true;
  const start = (first: Uint8Array): Transform => {
    const made = createDecoder(kind, first);
    made.on('data', handleBytes);
    made.on('end', () => finish(null));
    made.on('error', () => finish('HTTP_BAD_ENCODING', 'the answer is compressed badly'));
    made.on('drain', () => response.resume());
    if (paused) made.pause();
    return made;
  };
  response.pause();
  response.on('data', (bytes: Uint8Array) => {
    decoder ??= start(bytes);
    if (!decoder.write(bytes)) response.pause();
  });
  response.on('end', () => {
    if (decoder === null) finish(null);
    else decoder.end();
  });
  const handleLoss = (): void => {
    if (!response.complete) finish('HTTP_CLOSED', 'the connection ended before the answer did');
  };
  response.on('error', handleLoss);
  response.on('close', handleLoss);
  return {
    pause() {
      paused = true;
      decoder?.pause();
      response.pause();
    },
    resume() {
      paused = false;
      decoder?.resume();
      if (decoder === null || !decoder.writableNeedDrain) response.resume();
    },
    destroy() {
      response.destroy();
      decoder?.destroy();
    },
  };
}

/** RFC 9110 calls zlib's format "deflate", but some servers send the bare stream: the first byte tells. */
function createDecoder(kind: 'gzip' | 'deflate', first: Uint8Array): Transform {
  const options = { chunkSize: 16 * 1024, finishFlush: constants.Z_FINISH };
  if (kind === 'gzip') return createGunzip(options);
  return (first[0]! & 0x0f) === 8 ? createInflate(options) : createInflateRaw(options);
}
