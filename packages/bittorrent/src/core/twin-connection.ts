/**
 * Two connections to one peer: which of them goes. When both sides dial at the same time (they heard of each other
 * at once, or punched a hole), both must choose the same one, or both connections end.
 *
 * The connection that the greater peer id has dialled stays, as libtorrent does it. But only while the older one is
 * young and from the same address: otherwise whoever claims somebody's peer id could end that one's connection.
 */
import { compareBytes, type Fault } from '@tequio/kernel';
import { wireFault } from '../wire/peer-decoder.ts';
import type { Peer } from './peer.ts';

/** Two dials that crossed shake hands within this. */
export const crossedDialsMs = 10_000;

/** The one to be closed, of two peers that gave the same peer id. */
export function pickTwinToClose(older: Peer, newer: Peer, ourPeerId: Uint8Array, nowMs: number): Peer {
  const isCrossed =
    older.incoming !== newer.incoming &&
    older.endpoint.address === newer.endpoint.address &&
    nowMs - older.connectedMs < crossedDialsMs;
  if (!isCrossed) return newer;
  const isOursGreater = compareBytes(ourPeerId, newer.handshake!.peerId) > 0;
  return newer.incoming === isOursGreater ? newer : older;
}

export const twiceFault: Fault = {
  ...wireFault('TWICE', 'The peer is connected already.', 0),
  blame: 'none',
};
