/**
 * The way of bytes through streams of our own: handed on as they are, without the lists and events that libp2p has
 * between any two. A stream of libp2p's own is used as libp2p says.
 */
import type { MessageStream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';

export interface DirectStream extends MessageStream {
  /**
   * From now on what comes is given to `take`, borrowed until it returns. What is held back meanwhile (the stream is
   * paused) comes as events, before anything else.
   */
  lendTo(take: (bytes: Uint8Array) => void): void;
  /** As `send`, which takes bytes for good. False: wait for `drain`. */
  sendParts(parts: readonly Uint8Array[]): boolean;
}

export function tryDirect(stream: MessageStream): DirectStream | null {
  return 'lendTo' in stream && 'sendParts' in stream ? (stream as DirectStream) : null;
}

/** Gives all that comes to `take`, borrowed, whatever stream it is. */
export function lendAll(stream: MessageStream, take: (bytes: Uint8Array) => void): void {
  tryDirect(stream)?.lendTo(take);
  stream.addEventListener('message', ({ data }) => {
    if (data instanceof Uint8Array) take(data);
    else for (const part of data) take(part);
  });
}

export function sendAll(stream: MessageStream, parts: readonly Uint8Array[]): boolean {
  return tryDirect(stream)?.sendParts(parts) ?? stream.send(new Uint8ArrayList(...parts));
}
