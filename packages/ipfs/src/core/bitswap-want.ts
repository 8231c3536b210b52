import type { CidKey } from '../wire/cid-bytes.ts';
import type { BitswapPeer } from './bitswap-peer.ts';
import type { BitswapSession } from './bitswap-session.ts';

/** As seen from the client: what peers and sessions are about. */
export type Peer = BitswapPeer<BitswapWant>;
export type Session = BitswapSession<BitswapWant>;

/**
 * Where a want stands, which is also which set of the client's holds it:
 *
 *   searching   nobody is known to have it        -> ready when somebody says HAVE, or joins its session
 *   ready       some have it, none has room       -> asked when a window opens
 *   asked       at least one want-block is out    -> ready or searching when all of those have failed
 */
export type WantState = 'searching' | 'ready' | 'asked';

/** One block that is wanted, by one or more sessions. */
export class BitswapWant {
  readonly cid: Uint8Array;
  readonly key: CidKey;
  readonly priority: number;
  readonly sessions = new Set<Session>();
  state: WantState = 'searching';
  /** Connected peers that said HAVE, and that have not failed since. */
  readonly havers = new Set<Peer>();
  /** Said DONT_HAVE, or let their time pass. Not asked for the block again until the next search. */
  readonly lackers = new Set<Peer>();
  /** Want-blocks under way. */
  readonly asked = new Set<Peer>();
  /** Whose list of our wants has it: they are told when it ends. The time is when they were asked last. */
  readonly told = new Map<Peer, number>();

  constructor(cid: Uint8Array, key: CidKey, priority: number) {
    this.cid = cid;
    this.key = key;
    this.priority = priority;
  }

  forgetPeer(peer: Peer): void {
    this.havers.delete(peer);
    this.lackers.delete(peer);
    this.asked.delete(peer);
    this.told.delete(peer);
  }
}
