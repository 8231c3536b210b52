/** Blocks that are not here, from whoever delivers first: peers over bitswap, gateways over HTTP. */
import { type Clock, type Hashes, NodeError } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { matchesCid } from '../core/block-hash.ts';
import type { BitswapDriver } from './bitswap-driver.ts';
import type { BlockReader, BlockWriter } from './blocks.ts';
import { isBroken } from './ipfs-errors.ts';
import type { TrustlessGateways } from './trustless-gateways.ts';

/** Peers get so much of a start while they deliver: what they bring costs nobody's server anything. */
const peersFirstMs = 400;

export type RetrievalDeps = {
  readonly local: BlockReader & BlockWriter;
  readonly bitswap: BitswapDriver | null;
  readonly gateways: TrustlessGateways | null;
  readonly hashes: Hashes;
  readonly clock: Clock;
  /** Whether others may be asked for it: some content is on a list. Absent: for everything. */
  readonly mayFetch?: (cid: CID) => boolean;
};

export type RetrievalCounts = {
  peerBlocks: number;
  peerBytes: number;
  gatewayBlocks: number;
  gatewayBytes: number;
};

/**
 * One thing (a file, a folder) that is read: its blocks are asked for as one session. What comes is checked, kept, and
 * from then on given to others. To be closed.
 */
export class Retrieval implements BlockReader {
  readonly counts: RetrievalCounts = { peerBlocks: 0, peerBytes: 0, gatewayBlocks: 0, gatewayBytes: 0 };
  readonly #deps: RetrievalDeps;
  /** Others are asked at all only when something is not here. */
  #session: number | null = null;
  #end: AbortController | null = null;
  #isClosed = false;

  constructor(deps: RetrievalDeps) {
    this.#deps = deps;
  }

  close(): void {
    this.#isClosed = true;
    this.#end?.abort();
    if (this.#session !== null) this.#deps.bitswap?.closeSession(this.#session);
  }

  has(cid: CID): Promise<boolean> {
    return this.#deps.local.has(cid);
  }

  async get(cid: CID, options: { readonly signal?: AbortSignal } = {}): Promise<Uint8Array | null> {
    // What is broken here, or lies in a file that is gone, is had from others if anybody has it.
    let broken: unknown = null;
    const here = await this.#deps.local.get(cid, options).catch((error: unknown) => {
      if (!isBroken(error)) throw error;
      broken = error;
      return null;
    });
    if (here !== null) return here;
    if (this.#isClosed) return null;
    if (this.#deps.mayFetch?.(cid) === false)
      throw new NodeError('IPFS_DENIED', `${cid} is on a list of content that this node does not fetch.`, {
        op: 'get',
      });
    this.#end ??= new AbortController();
    const stop = new AbortController();
    const signals = [
      this.#end.signal,
      stop.signal,
      ...(options.signal === undefined ? [] : [options.signal]),
    ];
    const bytes = await this.#race(cid, AbortSignal.any(signals));
    stop.abort();
    if (bytes === null && broken !== null) throw broken;
    if (bytes === null) return null;
    await this.#deps.local.put([{ cid, bytes }]);
    this.#deps.bitswap?.markStored([cid.bytes]);
    return bytes;
  }

  /** The first to deliver; null when all have given up. */
  async #race(cid: CID, signal: AbortSignal): Promise<Uint8Array | null> {
    const ways = [this.#fromPeers(cid, signal), this.#fromGateways(cid, signal)];
    return await new Promise((resolve) => {
      let left = ways.length;
      for (const way of ways)
        void way
          .catch(() => null)
          .then((bytes) => {
            left--;
            if (bytes !== null || left === 0) resolve(bytes);
          });
    });
  }

  async #fromPeers(cid: CID, signal: AbortSignal): Promise<Uint8Array | null> {
    const { bitswap } = this.#deps;
    if (bitswap === null) return null;
    this.#session ??= bitswap.openSession();
    const bytes = await bitswap.get(this.#session, cid.bytes, signal);
    if (bytes !== null) {
      this.counts.peerBlocks++;
      this.counts.peerBytes += bytes.length;
    }
    return bytes;
  }

  async #fromGateways(cid: CID, signal: AbortSignal): Promise<Uint8Array | null> {
    const { gateways, clock, hashes, bitswap } = this.#deps;
    if (gateways === null) return null;
    // A router may name some while peers are looked for.
    if (gateways.isEmpty && (bitswap === null || !(await gateways.untilAny(signal)))) return null;
    if (bitswap !== null && bitswap.peers.length > 0 && !(await waited(clock, peersFirstMs, signal)))
      return null;
    const bytes = await gateways.get(cid, (block) => matchesCid(hashes, cid, block), signal);
    if (bytes !== null) {
      this.counts.gatewayBlocks++;
      this.counts.gatewayBytes += bytes.length;
    }
    return bytes;
  }
}

/** False when `signal` came first. */
function waited(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = (): void => {
      timer.cancel();
      resolve(false);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve(true);
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
