/** When a connection on which nothing comes is given up. */
import type { Fault } from '@tequio/kernel';
import { wireFault } from '../wire/peer-decoder.ts';
import type { Peer } from './peer.ts';

export const silenceLimits = {
  handshakeTimeoutMs: 15_000,
  /** BEP 3: two minutes of silence end a connection; keep-alives go out a little before. */
  silenceTimeoutMs: 150_000,
  keepAliveMs: 100_000,
} as const;

/** Why the connection ends now, or null. Nobody is blamed. */
export function faultOfSilence(peer: Peer, nowMs: number): Fault | null {
  if (peer.handshake === null && nowMs - peer.connectedMs > silenceLimits.handshakeTimeoutMs)
    return handshakeFault;
  const lastMs = Math.max(peer.lastReceivedMs, peer.lastBlockMs);
  return nowMs - lastMs > silenceLimits.silenceTimeoutMs ? silenceFault : null;
}

const handshakeFault: Fault = {
  ...wireFault('HANDSHAKE_TIMEOUT', 'The peer did not finish its handshake in time.', 0),
  blame: 'none',
};

const silenceFault: Fault = {
  ...wireFault('SILENCE', 'The peer has been silent for too long.', 0),
  blame: 'none',
};
