/**
 * Our place in the DHT of one address family (BEP 32: there are two, which share nothing but the program): the id, the
 * contacts, how we are seen, and what must be done to stay there.
 *
 *   without contacts: bootstrap from what we kept, then from hosts too, again after 1 s, 2 s, ... 5 min
 *   every 15 min:     look for our own id (who is near us), and for a random id in each bucket with room
 *   every 5 s:        the contact that was silent for longest, if longer than 15 min, is asked for nodes in its own
 *                     part of the id space, so one query tells whether it lives and refreshes its bucket
 *
 * The id is kept between starts as long as it fits the address that others see (BEP 42); when they agree on another
 * one, we take an id that fits and sort our contacts anew.
 */
import type { Endpoint, IpAddress, Prng } from '@tequio/kernel';
import { addressToBytes } from '@tequio/kernel';
import type { AddressFamily } from '../../wire/compact-peers.ts';
import { isSecureNodeId, nodeIdBytes, secureNodeId } from '../../wire/dht-node-id.ts';
import type { NodeInfo } from '../../wire/dht-node-info.ts';
import { dhtLimits } from './dht-limits.ts';
import { OwnAddress } from './own-address.ts';
import { RoutingTable } from './routing-table.ts';

const { bootstrapMinMs, bootstrapMaxMs, bootstrapHostCountMax, savedContactCountMax, enoughContactCount } =
  dhtLimits;

/** What is to be done now for the side's own sake. */
export type Upkeep =
  | { readonly type: 'bootstrap' | 'refresh'; readonly target: Uint8Array }
  | { readonly type: 'check'; readonly node: NodeInfo; readonly target: Uint8Array };

export class DhtSide {
  readonly family: AddressFamily;
  readonly #prng: Prng;
  readonly #address = new OwnAddress();
  #table: RoutingTable;
  /** Known from an earlier run, or from elsewhere: to be asked first. */
  #hints: NodeInfo[] = [];
  readonly #hosts: Endpoint[] = [];
  #bootstrapMs = Number.POSITIVE_INFINITY;
  #backOffMs: number = bootstrapMinMs;
  #selfMs = Number.POSITIVE_INFINITY;
  #upkeepMs = Number.POSITIVE_INFINITY;
  /** Buckets with room that are still to be looked into in this round. */
  #sparse: number[] = [];
  /** A lookup for our own sake is under way. */
  isLooking = false;
  /** There were contacts: `ready` has been said. */
  isReady = false;

  constructor(family: AddressFamily, id: Uint8Array | null, prng: Prng) {
    this.family = family;
    this.#prng = prng;
    this.#table = new RoutingTable(id?.slice() ?? prng.bytes(nodeIdBytes));
  }

  get table(): RoutingTable {
    return this.#table;
  }

  get id(): Uint8Array {
    return this.#table.ownId;
  }

  /** As others agree to see us. */
  /** Our port as the latest voters saw it, one entry each. */
  get portsSeen(): readonly number[] {
    return this.#address.ports;
  }

  get address(): IpAddress | null {
    return this.#address.address;
  }

  get hosts(): readonly Endpoint[] {
    return this.#hosts;
  }

  start(nowMs: number): void {
    this.#bootstrapMs = nowMs;
    this.#upkeepMs = nowMs + this.#prng.nextFloat() * dhtLimits.upkeepMs;
    this.#selfMs = nowMs + this.#jitter(dhtLimits.refreshMs);
  }

  /** Nodes that were contacts in an earlier run. */
  addHints(nodes: readonly NodeInfo[], nowMs: number): void {
    this.#hints.push(...nodes.slice(0, savedContactCountMax - this.#hints.length));
    this.#bootstrapSoon(nowMs);
  }

  /** A host that may know nodes; its id is not known. */
  addHost(host: Endpoint, nowMs: number): void {
    const isKnown = this.#hosts.some(({ address, port }) => address === host.address && port === host.port);
    if (isKnown || this.#hosts.length >= bootstrapHostCountMax) return;
    this.#hosts.push(host);
    this.#bootstrapSoon(nowMs);
  }

  /** Nodes and hosts to begin a lookup with: contacts, and as long as there are few, whatever else we have. */
  seedsFor(target: Uint8Array): { readonly nodes: readonly NodeInfo[]; readonly hosts: readonly Endpoint[] } {
    const nodes = this.#table.closest(target, 2 * dhtLimits.bucketSize);
    if (this.#table.count >= enoughContactCount) return { nodes, hosts: [] };
    // What we kept is tried before anybody's hosts are bothered.
    const isFirst = this.#backOffMs === bootstrapMinMs && this.#hints.length > 0;
    return { nodes: [...nodes, ...this.#hints], hosts: isFirst ? [] : this.#hosts };
  }

  /** @returns the address, when others have come to agree on another one than before */
  handleSeenAs(voterBlock: string, seenAs: Endpoint, nowMs: number): IpAddress | null {
    const { address } = seenAs;
    if (!this.#address.vote(voterBlock, seenAs)) return null;
    if (!isSecureNodeId(this.id, addressToBytes(address))) this.#takeId(address, nowMs);
    return address;
  }

  nextTimeoutMs(): number {
    return this.#upkeepMs;
  }

  /** What is to be done now; null: nothing. Sets the time of the next call. */
  pickUpkeep(nowMs: number): Upkeep | null {
    if (nowMs < this.#upkeepMs) return null;
    this.#upkeepMs = nowMs + dhtLimits.upkeepMs;
    if (!this.isLooking) {
      const upkeep = this.#pickLookup(nowMs);
      if (upkeep !== null) {
        this.isLooking = true;
        return upkeep;
      }
    }
    const stale = this.#table.pickStale();
    if (stale === null) {
      if (this.#bootstrapMs > nowMs) this.#upkeepMs = Math.min(this.#upkeepMs, this.#bootstrapMs);
      return null;
    }
    if (stale.dueMs > nowMs) {
      this.#sleepUntil(stale.dueMs, nowMs);
      return null;
    }
    const { node, bucket } = stale.contact;
    return { type: 'check', node, target: this.#idIn(bucket) };
  }

  /** A lookup for our own sake has ended. */
  handleLooked(nowMs: number): void {
    this.isLooking = false;
    if (this.#table.count < enoughContactCount) {
      this.#bootstrapMs = nowMs + this.#jitter(this.#backOffMs);
      this.#backOffMs = Math.min(2 * this.#backOffMs, bootstrapMaxMs);
    } else {
      this.#backOffMs = 2 * bootstrapMinMs;
      this.#hints = [];
    }
    this.#upkeepMs = Math.min(this.#upkeepMs, nowMs + 100);
  }

  #pickLookup(nowMs: number): Upkeep | null {
    if (this.#table.count < enoughContactCount) {
      const hasSomebody = this.#table.count + this.#hints.length + this.#hosts.length > 0;
      if (nowMs < this.#bootstrapMs || !hasSomebody) return null;
      this.#selfMs = nowMs + this.#jitter(dhtLimits.refreshMs);
      this.#findSparse();
      return { type: 'bootstrap', target: this.id };
    }
    if (nowMs >= this.#selfMs) {
      this.#selfMs = nowMs + this.#jitter(dhtLimits.refreshMs);
      this.#findSparse();
      return { type: 'refresh', target: this.id };
    }
    const bucket = this.#sparse.pop();
    return bucket === undefined ? null : { type: 'refresh', target: this.#idIn(bucket) };
  }

  /** Far buckets should be full; near ones hold whoever is there, and the lookup of our own id finds those. */
  #findSparse(): void {
    this.#sparse = [];
    // Before the first lookup the depth is not known: six is right for a DHT of some thousand nodes.
    const depth = Math.max(6, this.#table.depth - 2);
    for (let i = 0; i < depth; i++) if (this.#table.countOf(i) < dhtLimits.bucketSize) this.#sparse.push(i);
  }

  /** Nothing is due before: the next look is then, or when something else is, at most a minute from now. */
  #sleepUntil(dueMs: number, nowMs: number): void {
    if (this.#sparse.length > 0 || this.#table.count < enoughContactCount) return;
    this.#upkeepMs = Math.max(this.#upkeepMs, Math.min(dueMs, this.#selfMs, nowMs + 60_000));
  }

  #bootstrapSoon(nowMs: number): void {
    if (this.#upkeepMs === Number.POSITIVE_INFINITY) return;
    if (this.#table.count >= enoughContactCount) return;
    this.#bootstrapMs = Math.min(this.#bootstrapMs, nowMs);
    this.#upkeepMs = Math.min(this.#upkeepMs, nowMs);
  }

  #takeId(address: IpAddress, nowMs: number): void {
    const old = this.#table;
    this.#table = new RoutingTable(secureNodeId(addressToBytes(address), this.#prng.bytes(nodeIdBytes)));
    for (const contact of old.contacts())
      if (contact.failCount === 0) this.#table.handleAnswered(contact.node, contact.heardMs);
    this.#selfMs = nowMs;
    this.#upkeepMs = Math.min(this.#upkeepMs, nowMs);
  }

  /** A random id that shares exactly so many leading bits with ours. */
  #idIn(bucket: number): Uint8Array {
    const id = this.#prng.bytes(nodeIdBytes);
    for (let bit = 0; bit <= bucket && bit < nodeIdBytes * 8; bit++) {
      const mask = 0x80 >> (bit & 7);
      const own = this.id[bit >> 3]! & mask;
      const wanted = bit === bucket ? own ^ mask : own;
      id[bit >> 3] = (id[bit >> 3]! & ~mask) | wanted;
    }
    return id;
  }

  /** A quarter less to a quarter more. */
  #jitter(ms: number): number {
    return ms * (0.75 + this.#prng.nextFloat() / 2);
  }
}
