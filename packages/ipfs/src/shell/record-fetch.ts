/**
 * libp2p's fetch: one record of one peer, by its key. So whoever begins to follow a name by pubsub asks the others for
 * what was said before.
 */
import type { OverlayPort, OverlayStream, OverlayStreamHandler } from '@tequio/kernel';
import {
  encodeFetchAnswer,
  encodeFetchRequest,
  fetchProtocol,
  tryDecodeFetchAnswer,
  tryDecodeFetchRequest,
} from '../wire/fetch-message.ts';
import { ipnsRecordBytesMax } from '../wire/ipns-record.ts';
import { encodeFrame, FrameDecoder } from '../wire/message-frames.ts';

const timeoutMs = 10_000;
const requestBytesMax = 1024;
const answerBytesMax = ipnsRecordBytesMax + 64;
/** Questions of others that are being answered. */
const answeringMax = 64;

/** What the peer has under the key, checked by nobody; null: nothing, or it did not answer in time. */
export function fetchRecord(
  overlay: Pick<OverlayPort, 'dial'>,
  peer: string,
  key: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve) => {
    const frames = new FrameDecoder(answerBytesMax);
    const finish = (data: Uint8Array | null): void => {
      signal.removeEventListener('abort', onAbort);
      stream.reset();
      resolve(data);
    };
    const onAbort = (): void => finish(null);
    const stream: OverlayStream = overlay.dial(
      peer,
      [fetchProtocol],
      { timeoutMs, acceptRelayed: true },
      {
        onBytes: (bytes) => {
          const read = frames.push(bytes, (message) => finish(tryDecodeFetchAnswer(message)));
          if (!read.ok) finish(null);
        },
        onEnd: () => finish(null),
        onClose: () => finish(null),
      },
    );
    signal.addEventListener('abort', onAbort, { once: true });
    stream.write(encodeFrame(encodeFetchRequest(key)));
    stream.end();
  });
}

/** Answers such questions with what `find` knows. Returns what ends it. */
export function answerFetch(
  overlay: Pick<OverlayPort, 'handle'>,
  find: (key: Uint8Array) => Uint8Array | null,
): () => void {
  let answering = 0;
  return overlay.handle(fetchProtocol, (stream): OverlayStreamHandler | null => {
    if (answering >= answeringMax) return null;
    answering++;
    const frames = new FrameDecoder(requestBytesMax);
    let isAnswered = false;
    return {
      onBytes: (bytes) => {
        const read = frames.push(bytes, (message) => {
          if (isAnswered) return;
          isAnswered = true;
          const key = tryDecodeFetchRequest(message);
          stream.write(encodeFrame(encodeFetchAnswer(key === null ? null : find(key))));
          stream.end();
        });
        if (!read.ok) stream.reset();
      },
      onEnd: () => {
        if (!isAnswered) stream.reset();
      },
      onClose: () => void answering--,
    };
  });
}
