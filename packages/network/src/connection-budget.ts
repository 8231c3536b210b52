import { addressScope, assert, type IpAddress } from '@tequio/kernel';
import { addressKey } from './address-key.ts';

/** How many connections there may be, of which kind. All are user options within the ceilings of their application. */
export type ConnectionLimits = {
  /** All together, in whatever state. */
  readonly total: number;
  /** Of one group (a torrent, a network). */
  readonly perGroup: number;
  /** Dialled and not open yet, at once: routers and some systems take only so many. */
  readonly halfOpen: number;
  /** Accepted, and no handshake yet: nobody knows what they want. */
  readonly pendingIncoming: number;
  /** Of these, from one address (IPv6: one /64). */
  readonly pendingPerAddress: number;
  /** From and to one address, all groups together. */
  readonly perAddress: number;
  /** From and to one address in one group. */
  readonly perAddressInGroup: number;
};

/** Defaults: 500 is what common routers still carry well; the rest keeps any one part from taking all of it. */
export const defaultConnectionLimits: ConnectionLimits = {
  total: 500,
  perGroup: 80,
  halfOpen: 100,
  pendingIncoming: 200,
  pendingPerAddress: 20,
  // Two nodes may have many torrents in common, and a connection for each of them; a household has several nodes.
  perAddress: 100,
  perAddressInGroup: 8,
};

export type BudgetRefusal = 'total' | 'group' | 'half-open' | 'pending' | 'address';

type SlotState =
  | { readonly kind: 'dialling'; readonly group: string }
  | { readonly kind: 'pending' }
  | { readonly kind: 'open'; readonly group: string }
  | { readonly kind: 'released' };

/**
 * The node's connections, counted in one place.
 *
 *   tryDial ──> dialling ── markOpen ──> open ──┐
 *   tryAccept ──> pending ── tryJoin ──> open ──┴── release ──> released
 *
 * Rules: a slot is taken before the socket is, and released exactly when it is closed (twice is harmless). A tenth of
 * the total is kept for our own dials. On loopback, where one address is many programs, addresses are not counted.
 * Attacker: opens many connections and says nothing: capped by `pendingIncoming`, `pendingPerAddress` and the reserve,
 * so it can keep out other strangers while it pays for the sockets, but never our own dials. Takes part from one
 * address under many names: gets `perAddressInGroup` of a torrent's places.
 * Cost: O(1) a call.
 */
export class ConnectionBudget {
  #limits: ConnectionLimits;
  #totalCount = 0;
  #diallingCount = 0;
  #pendingCount = 0;
  #incomingCount = 0;
  readonly #groupCounts = new Map<string, number>();
  /** By address, and by group and address. */
  readonly #addressCounts = new Map<string, number>();
  readonly #pendingCounts = new Map<string, number>();

  constructor(limits: ConnectionLimits = defaultConnectionLimits) {
    this.#limits = limits;
  }

  get totalCount(): number {
    return this.#totalCount;
  }

  get diallingCount(): number {
    return this.#diallingCount;
  }

  get pendingCount(): number {
    return this.#pendingCount;
  }

  groupCount(group: string): number {
    return this.#groupCounts.get(group) ?? 0;
  }

  /** Lower limits close nothing; they refuse until enough has closed by itself. */
  setLimits(limits: ConnectionLimits): void {
    this.#limits = limits;
  }

  /** Why no address at all can be dialled for this group, or null. */
  refusalOfGroup(group: string): BudgetRefusal | null {
    if (this.#totalCount >= this.#limits.total) return 'total';
    if (this.groupCount(group) >= this.#limits.perGroup) return 'group';
    return this.#diallingCount >= this.#limits.halfOpen ? 'half-open' : null;
  }

  /** Why `tryDial` would return null, or null. */
  refusalOfDial(group: string, address: IpAddress): BudgetRefusal | null {
    return this.refusalOfGroup(group) ?? (this.#isAddressFull(address, group) ? 'address' : null);
  }

  /** Why `tryAccept` would return null, or null. */
  refusalOfAccept(address: IpAddress): BudgetRefusal | null {
    const reserveCount = Math.floor(this.#limits.total / 10);
    if (this.#totalCount >= this.#limits.total) return 'total';
    if (this.#incomingCount >= this.#limits.total - reserveCount) return 'total';
    if (this.#pendingCount >= this.#limits.pendingIncoming) return 'pending';
    const key = keyOf(address);
    if (key !== null && (this.#pendingCounts.get(key) ?? 0) >= this.#limits.pendingPerAddress)
      return 'pending';
    return this.#isAddressFull(address, null) ? 'address' : null;
  }

  /** A slot for a dial, or null. */
  tryDial(group: string, address: IpAddress): ConnectionSlot | null {
    if (this.refusalOfDial(group, address) !== null) return null;
    this.#diallingCount++;
    count(this.#groupCounts, group, 1);
    return this.#makeSlot(address, { kind: 'dialling', group }, false);
  }

  /** A slot for a connection that somebody opened to us, or null: then close it at once. */
  tryAccept(address: IpAddress): ConnectionSlot | null {
    if (this.refusalOfAccept(address) !== null) return null;
    this.#pendingCount++;
    this.#incomingCount++;
    return this.#makeSlot(address, { kind: 'pending' }, true);
  }

  #makeSlot(address: IpAddress, first: SlotState, incoming: boolean): ConnectionSlot {
    const key = keyOf(address);
    this.#totalCount++;
    this.#countAddress(key, first, 1);
    let state = first;
    return {
      markOpen: () => {
        assert(state.kind === 'dialling', 'only a dial becomes open by itself');
        this.#diallingCount--;
        state = { kind: 'open', group: state.group };
      },
      tryJoin: (group) => {
        assert(state.kind === 'pending', 'only an accepted connection joins a group');
        if (this.groupCount(group) >= this.#limits.perGroup || this.#isGroupFullOf(group, key)) return false;
        this.#countAddress(key, state, -1);
        this.#pendingCount--;
        state = { kind: 'open', group };
        this.#countAddress(key, state, 1);
        count(this.#groupCounts, group, 1);
        return true;
      },
      release: () => {
        if (state.kind === 'released') return;
        if (state.kind === 'dialling') this.#diallingCount--;
        if (state.kind === 'pending') this.#pendingCount--;
        else count(this.#groupCounts, state.group, -1);
        if (incoming) this.#incomingCount--;
        this.#totalCount--;
        this.#countAddress(key, state, -1);
        state = { kind: 'released' };
      },
    };
  }

  #countAddress(key: string | null, state: SlotState, difference: 1 | -1): void {
    if (key === null || state.kind === 'released') return;
    count(this.#addressCounts, key, difference);
    if (state.kind === 'pending') count(this.#pendingCounts, key, difference);
    else count(this.#addressCounts, `${state.group} ${key}`, difference);
  }

  #isAddressFull(address: IpAddress, group: string | null): boolean {
    const key = keyOf(address);
    if (key === null) return false;
    if ((this.#addressCounts.get(key) ?? 0) >= this.#limits.perAddress) return true;
    return group !== null && this.#isGroupFullOf(group, key);
  }

  #isGroupFullOf(group: string, key: string | null): boolean {
    if (key === null) return false;
    return (this.#addressCounts.get(`${group} ${key}`) ?? 0) >= this.#limits.perAddressInGroup;
  }
}

/** What an address counts under; null: it is not counted. */
function keyOf(address: IpAddress): string | null {
  return addressScope(address) === 'loopback' ? null : addressKey(address);
}

export type ConnectionSlot = {
  /** dialling -> open */
  markOpen(): void;
  /** pending -> open, when the handshake has said what for. False: the group is full; release the slot. */
  tryJoin(group: string): boolean;
  /** any -> released */
  release(): void;
};

/** Entries that fall to zero are removed, so the maps are never larger than the number of connections. */
function count(counts: Map<string, number>, key: string, difference: 1 | -1): void {
  const next = (counts.get(key) ?? 0) + difference;
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
}
