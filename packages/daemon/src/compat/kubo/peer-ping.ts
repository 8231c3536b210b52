/** One ping: 32 bytes there and back. Source: libp2p specs, ping. */

import { randomBytes } from 'node:crypto';
import { bytesEqual, type Clock, type OverlayPort } from '@tequio/kernel';

const protocol = '/ipfs/ping/1.0.0';
const bytesOfPing = 32;
const timeoutMs = 10_000;

/** How long it took, in ms; null: no answer, or a wrong one. */
export function pingPeer(
  overlay: Pick<OverlayPort, 'dial'>,
  peer: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | null> {
  const sent = new Uint8Array(randomBytes(bytesOfPing));
  const answer = new Uint8Array(bytesOfPing);
  let [filled, startMs] = [0, 0];
  return new Promise((resolve) => {
    const done = (tookMs: number | null): void => {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
      stream.reset();
      resolve(tookMs);
    };
    const giveUp = (): void => done(null);
    const timer = clock.setTimer(timeoutMs, giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    const stream = overlay.dial(
      peer,
      [protocol],
      { timeoutMs, acceptRelayed: true },
      {
        onOpen: () => {
          startMs = clock.nowMs();
          stream.write(sent.slice());
        },
        onBytes: (bytes) => {
          const taken = bytes.subarray(0, bytesOfPing - filled);
          answer.set(taken, filled);
          filled += taken.length;
          if (filled === bytesOfPing) done(bytesEqual(answer, sent) ? clock.nowMs() - startMs : null);
        },
        onClose: () => done(null),
      },
    );
  });
}
