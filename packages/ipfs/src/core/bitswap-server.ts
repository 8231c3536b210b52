import type { Fault, Machine } from '@tequio/kernel';
import {
  type BitswapBlock,
  type BitswapEntry,
  type BitswapMessage,
  type BitswapPresence,
  emptyBitswapMessage,
} from '../wire/bitswap-message.ts';
import { type CidKey, cidKeyOf, encodeCidPrefix, hashCode, tryReadCid } from '../wire/cid-bytes.ts';
import { BitswapDebtor, type ServedWant } from './bitswap-debtor.ts';
import type { BitswapServerPeerView } from './bitswap-ledger.ts';
import { bitswapLimits, bitswapPenalty } from './bitswap-limits.ts';

export type BitswapServerInput =
  /** `protocol` is that of the stream on which we answer. */
  | { readonly type: 'peer-open'; readonly peer: string; readonly protocol: string }
  | { readonly type: 'peer-gone'; readonly peer: string }
  | {
      readonly type: 'wants';
      readonly peer: string;
      readonly full: boolean;
      readonly entries: readonly BitswapEntry[];
    }
  /** The store's answer to `look`: bytes of each, null for what is not here or not given away. */
  | { readonly type: 'looked'; readonly job: number; readonly sizes: readonly (number | null)[] }
  /** The store's answer to `read`. */
  | { readonly type: 'read'; readonly job: number; readonly blocks: readonly (Uint8Array | null)[] }
  /** The peer's stream took so many bytes of what it was given. */
  | { readonly type: 'sent'; readonly peer: string; readonly bytes: number }
  /** Blocks have come to be here. */
  | { readonly type: 'stored'; readonly cids: readonly Uint8Array[] };

export type BitswapServerEffect =
  | { readonly type: 'look'; readonly job: number; readonly cids: readonly Uint8Array[] }
  | { readonly type: 'read'; readonly job: number; readonly cids: readonly Uint8Array[] }
  /** `bytes` are blocks' alone, as `sent` counts them. */
  | {
      readonly type: 'send';
      readonly peer: string;
      readonly message: BitswapMessage;
      readonly bytes: number;
    }
  | { readonly type: 'fault'; readonly peer: string; readonly fault: Fault };

/** Bytes a second; a `RateLimiter` of packages/network is one. */
export interface Allowance {
  tryTake(bytes: number, nowMs: number): boolean;
  nextMs(nowMs: number): number;
}

export type BitswapServerOptions = {
  /** Upload limits; null: none. */
  readonly allowance: ((peer: string) => Allowance) | null;
};

type LookJob = { readonly peer: string; readonly wants: readonly ServedWant[] };
type ReadJob = LookJob & { readonly bytes: number };

/**
 * Answers wants.
 *
 * Fairness: bytes. Each peer has a count of what it was given, on a scale that all share; who has the least is next,
 * and who comes (or comes back after a pause) starts where the least of the others stands, so that nobody saves up and
 * nobody has to catch up. Within a peer its own priorities count.
 *
 * Bounds: 1024 wants a peer (a new one takes the place of one that is not here, else it is refused and counted), 1 MiB
 * in a peer's stream, 16 MiB of reads for all. Who goes on sending wants for which there is no place is named
 * (`IPFS_BITSWAP_FLOOD`). A want costs one look in the store, however often it is repeated while it is kept.
 *
 * 1.2: `have` is answered with HAVE, or with the block when that is no larger than a kilobyte; DONT_HAVE is said to who
 * wants to hear it. What is not here stays on the list, and is answered when it comes.
 */
export class BitswapServer implements Machine<BitswapServerInput, BitswapServerEffect> {
  readonly #allowance: ((peer: string) => Allowance) | null;
  readonly #debtors = new Map<string, BitswapDebtor>();
  /** Who waits for what is not here. */
  readonly #waiting = new Map<CidKey, Set<BitswapDebtor>>();
  readonly #looks = new Map<number, LookJob>();
  readonly #reads = new Map<number, ReadJob>();
  #lastJob = 0;
  #readBytes = 0;
  #lookCount = 0;
  #waitUntilMs: number | null = null;
  #effects: BitswapServerEffect[] = [];

  constructor(options: BitswapServerOptions) {
    this.#allowance = options.allowance;
  }

  get peers(): readonly BitswapServerPeerView[] {
    return [...this.#debtors.values()].map((debtor) => ({
      peer: debtor.peer,
      sentBlocks: debtor.sentBlocks,
      sentBytes: debtor.sentBytes,
      wantCount: debtor.wants.size,
      queuedCount: debtor.queue.length,
      refusedWants: debtor.refusedWants,
    }));
  }

  /** What one peer wants of us. */
  wantsOf(peer: string): readonly Uint8Array[] {
    return [...(this.#debtors.get(peer)?.wants.values() ?? [])].map((want) => want.cid);
  }

  handle(input: BitswapServerInput, nowMs: number): void {
    switch (input.type) {
      case 'peer-open':
        if (!this.#debtors.has(input.peer))
          this.#debtors.set(
            input.peer,
            new BitswapDebtor(input.peer, input.protocol, this.#leastServed(), nowMs),
          );
        break;
      case 'peer-gone':
        this.#closePeer(input.peer);
        break;
      case 'wants':
        this.#handleWants(input.peer, input.full, input.entries, nowMs);
        break;
      case 'looked':
        this.#handleLooked(input.job, input.sizes);
        break;
      case 'read':
        this.#handleRead(input.job, input.blocks);
        break;
      case 'sent':
        this.#markSent(input.peer, input.bytes);
        break;
      case 'stored':
        for (const cid of input.cids) this.#handleStored(cidKeyOf(cid));
        break;
    }
    this.#serve(nowMs);
  }

  handleTimeout(nowMs: number): void {
    if (this.#waitUntilMs === null || this.#waitUntilMs > nowMs) return;
    this.#waitUntilMs = null;
    this.#serve(nowMs);
  }

  nextTimeoutMs(): number | null {
    return this.#waitUntilMs;
  }

  drain(out: BitswapServerEffect[]): void {
    for (const effect of this.#effects) out.push(effect);
    this.#effects = [];
  }

  // Wants

  #handleWants(peer: string, full: boolean, entries: readonly BitswapEntry[], nowMs: number): void {
    const debtor = this.#debtors.get(peer);
    if (debtor === undefined) return;
    if (full) {
      const kept = new Set(entries.filter((entry) => !entry.cancel).map((entry) => cidKeyOf(entry.cid)));
      for (const want of [...debtor.wants.values()]) if (!kept.has(want.key)) this.#drop(debtor, want);
    }
    const fresh: ServedWant[] = [];
    let isFlood = false;
    for (const entry of entries) {
      const key = cidKeyOf(entry.cid);
      const known = debtor.wants.get(key);
      if (entry.cancel) {
        if (known !== undefined) this.#drop(debtor, known);
      } else if (known !== undefined) this.#repeat(debtor, known, entry, fresh);
      else if (this.#isRefused(debtor, entry)) isFlood = debtor.markRefused(nowMs) || isFlood;
      else fresh.push(addWant(debtor, entry, key));
    }
    if (isFlood)
      this.#fault(peer, 'IPFS_BITSWAP_FLOOD', 'It wants far more than is kept.', bitswapPenalty.flood);
    this.#look(debtor, fresh);
  }

  /** The same want again: perhaps more urgent, or now the block itself. */
  #repeat(debtor: BitswapDebtor, want: ServedWant, entry: BitswapEntry, fresh: ServedWant[]): void {
    want.priority = entry.priority;
    want.sendDontHave = entry.sendDontHave;
    if (entry.type === 'block') want.type = 'block';
    if (want.state !== 'absent') return;
    this.#stopWaiting(debtor, want);
    want.state = 'looking';
    fresh.push(want);
  }

  /** No place for one more want; or one for data that stands in its own name, which nobody needs to be sent. */
  #isRefused(debtor: BitswapDebtor, entry: BitswapEntry): boolean {
    if (tryReadCid(entry.cid)?.hashCode === hashCode.identity) {
      this.#fault(debtor.peer, 'IPFS_BITSWAP_IDENTITY', 'It wants an inline block.', bitswapPenalty.identity);
      return true;
    }
    if (this.#lookCount >= bitswapLimits.lookCountMax) return true;
    if (debtor.wants.size < bitswapLimits.peerWantMax) return false;
    for (const want of debtor.wants.values()) {
      if (want.state !== 'absent') continue;
      this.#drop(debtor, want);
      return false;
    }
    return true;
  }

  #look(debtor: BitswapDebtor, wants: readonly ServedWant[]): void {
    if (wants.length === 0) return;
    const job = ++this.#lastJob;
    this.#looks.set(job, { peer: debtor.peer, wants });
    this.#lookCount += wants.length;
    this.#effects.push({ type: 'look', job, cids: wants.map((want) => want.cid) });
  }

  #handleLooked(id: number, sizes: readonly (number | null)[]): void {
    const job = this.#looks.get(id);
    if (job === undefined) return;
    this.#looks.delete(id);
    this.#lookCount -= job.wants.length;
    const debtor = this.#debtors.get(job.peer);
    if (debtor === undefined) return;
    const presences: BitswapPresence[] = [];
    for (const [index, want] of job.wants.entries()) {
      // Cancelled, or dropped for another, while the store looked.
      if (debtor.wants.get(want.key) !== want || want.state !== 'looking') continue;
      const bytes = sizes[index] ?? null;
      if (bytes === null) this.#waitFor(debtor, want, presences);
      else if (want.type === 'have' && debtor.speaksHave && bytes > bitswapLimits.replaceHaveBytes) {
        presences.push({ cid: want.cid, have: true });
        debtor.remove(want);
      } else {
        want.bytes = bytes;
        if (debtor.queue.length === 0) debtor.servedBytes = Math.max(debtor.servedBytes, this.#leastServed());
        debtor.enqueue(want);
      }
    }
    this.#tell(debtor, presences);
  }

  /** looking, reading -> absent. */
  #waitFor(debtor: BitswapDebtor, want: ServedWant, presences: BitswapPresence[]): void {
    want.state = 'absent';
    if (want.sendDontHave && debtor.speaksHave) presences.push({ cid: want.cid, have: false });
    const waiting = this.#waiting.get(want.key) ?? new Set();
    this.#waiting.set(want.key, waiting.add(debtor));
  }

  #stopWaiting(debtor: BitswapDebtor, want: ServedWant): void {
    const waiting = this.#waiting.get(want.key);
    waiting?.delete(debtor);
    if (waiting?.size === 0) this.#waiting.delete(want.key);
  }

  #handleStored(key: CidKey): void {
    for (const debtor of [...(this.#waiting.get(key) ?? [])]) {
      const want = debtor.wants.get(key);
      if (want === undefined) continue;
      this.#stopWaiting(debtor, want);
      want.state = 'looking';
      this.#look(debtor, [want]);
    }
  }

  /** any -> gone. */
  #drop(debtor: BitswapDebtor, want: ServedWant): void {
    if (want.state === 'absent') this.#stopWaiting(debtor, want);
    debtor.remove(want);
  }

  // Serving

  /** Reads for whoever has been given least, until nobody may get more. */
  #serve(nowMs: number): void {
    if (this.#waitUntilMs !== null && nowMs < this.#waitUntilMs) return;
    this.#waitUntilMs = null;
    const held = new Set<BitswapDebtor>();
    while (this.#readBytes < bitswapLimits.readBytes) {
      const debtor = this.#pickDebtor(held);
      if (debtor === null) return;
      const allowance = this.#allowance?.(debtor.peer) ?? null;
      if (allowance !== null && !allowance.tryTake(batchBytes(debtor), nowMs)) {
        held.add(debtor);
        const waitMs = Math.max(1, allowance.nextMs(nowMs) - nowMs);
        const atMs = nowMs + Math.min(waitMs, bitswapLimits.limitedLookMs);
        this.#waitUntilMs = Math.min(this.#waitUntilMs ?? atMs, atMs);
        continue;
      }
      this.#read(debtor);
    }
  }

  #pickDebtor(held: ReadonlySet<BitswapDebtor>): BitswapDebtor | null {
    let next: BitswapDebtor | null = null;
    for (const debtor of this.#debtors.values())
      if (debtor.mayGetMore && !held.has(debtor) && (next === null || debtor.servedBytes < next.servedBytes))
        next = debtor;
    return next;
  }

  #leastServed(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const debtor of this.#debtors.values())
      if (debtor.queue.length > 0) least = Math.min(least, debtor.servedBytes);
    return Number.isFinite(least) ? least : 0;
  }

  /** queued -> reading, for one message's worth. */
  #read(debtor: BitswapDebtor): void {
    const wants = debtor.queue.splice(0, batchCount(debtor));
    let bytes = 0;
    for (const want of wants) {
      want.state = 'reading';
      bytes += want.bytes;
    }
    const job = ++this.#lastJob;
    debtor.servedBytes += bytes;
    debtor.pendingBytes += bytes;
    this.#readBytes += bytes;
    this.#reads.set(job, { peer: debtor.peer, wants, bytes });
    this.#effects.push({ type: 'read', job, cids: wants.map((want) => want.cid) });
  }

  #handleRead(id: number, found: readonly (Uint8Array | null)[]): void {
    const job = this.#reads.get(id);
    if (job === undefined) return;
    this.#reads.delete(id);
    this.#readBytes -= job.bytes;
    const debtor = this.#debtors.get(job.peer);
    if (debtor === undefined) return;
    const blocks: BitswapBlock[] = [];
    const presences: BitswapPresence[] = [];
    let bytes = 0;
    for (const [index, want] of job.wants.entries()) {
      if (debtor.wants.get(want.key) !== want) continue;
      const data = found[index] ?? null;
      if (data === null) {
        this.#waitFor(debtor, want, presences);
        continue;
      }
      debtor.remove(want);
      blocks.push({ prefix: prefixFor(debtor, want.cid), data });
      bytes += data.length;
    }
    // What was read and is not sent (cancelled, gone) makes room at once; the rest when the stream has taken it.
    debtor.pendingBytes -= job.bytes - bytes;
    debtor.sentBlocks += blocks.length;
    debtor.sentBytes += bytes;
    if (blocks.length + presences.length > 0)
      this.#send(debtor, { ...emptyBitswapMessage, blocks, presences }, bytes);
  }

  #markSent(peer: string, bytes: number): void {
    const debtor = this.#debtors.get(peer);
    if (debtor !== undefined) debtor.pendingBytes = Math.max(0, debtor.pendingBytes - bytes);
  }

  #tell(debtor: BitswapDebtor, presences: readonly BitswapPresence[]): void {
    if (presences.length > 0) this.#send(debtor, { ...emptyBitswapMessage, presences }, 0);
  }

  #send(debtor: BitswapDebtor, message: BitswapMessage, bytes: number): void {
    let queued = 0;
    for (const want of debtor.queue) queued += want.bytes;
    const pendingBytes = Math.min(0x7fff_ffff, queued);
    this.#effects.push({ type: 'send', peer: debtor.peer, message: { ...message, pendingBytes }, bytes });
  }

  #closePeer(peer: string): void {
    const debtor = this.#debtors.get(peer);
    if (debtor === undefined) return;
    this.#debtors.delete(peer);
    for (const want of debtor.wants.values()) if (want.state === 'absent') this.#stopWaiting(debtor, want);
  }

  #fault(peer: string, code: string, message: string, penalty: number): void {
    this.#effects.push({ type: 'fault', peer, fault: { code, message, blame: 'peer', penalty } });
  }
}

function addWant(debtor: BitswapDebtor, entry: BitswapEntry, key: CidKey): ServedWant {
  const want: ServedWant = {
    // The entry's CID is a window onto a whole message, which must not be kept for it.
    cid: entry.cid.slice(),
    key,
    priority: entry.priority,
    type: entry.type,
    sendDontHave: entry.sendDontHave,
    state: 'looking',
    bytes: 0,
  };
  debtor.wants.set(key, want);
  return want;
}

/** How many of the queue's first wants make one message: at least one. */
function batchCount(debtor: BitswapDebtor): number {
  let bytes = 0;
  let count = 0;
  for (const want of debtor.queue) {
    if (count > 0 && bytes + want.bytes > bitswapLimits.messageTargetBytes) break;
    bytes += want.bytes;
    count++;
  }
  return count;
}

function batchBytes(debtor: BitswapDebtor): number {
  let bytes = 0;
  for (const want of debtor.queue.slice(0, batchCount(debtor))) bytes += want.bytes;
  return bytes;
}

function prefixFor(debtor: BitswapDebtor, cid: Uint8Array): Uint8Array | null {
  const prefix = tryReadCid(cid);
  return debtor.speaksPrefix && prefix !== null ? encodeCidPrefix(prefix) : null;
}
