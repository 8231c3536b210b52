import {
  type Clock,
  type Database,
  type Endpoint,
  type Fault,
  formatEndpoint,
  type IpAddress,
  tryParseAddress,
} from '@tequio/kernel';
import { addressKey, peerKey } from './address-key.ts';
import { type Ban, BanList } from './ban-list.ts';
import { createBanStore } from './ban-store.ts';
import { ConnectionBudget, type ConnectionLimits } from './connection-budget.ts';

export type AdmissionOptions = {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  /** The user's address filter; by default all pass. */
  readonly allowAddress?: (address: IpAddress) => boolean;
};

/**
 * Who is spoken to, for the whole node: the connection budget, the bans with their reasons, the address filter. There
 * is one, and everything that dials or accepts asks it; whoever finds fault with a peer tells it.
 */
export class Admission {
  readonly budget: ConnectionBudget;
  readonly #bans = new BanList();
  #store: ReturnType<typeof createBanStore> | null = null;
  readonly #clock: Clock;
  readonly #allowAddress: (address: IpAddress) => boolean;

  constructor(options: AdmissionOptions) {
    this.budget = new ConnectionBudget(options.limits);
    this.#clock = options.clock;
    this.#allowAddress = options.allowAddress ?? (() => true);
  }

  /** Takes up the bans of earlier runs, and keeps those to come in this database. */
  open(database: Database): void {
    this.#store = createBanStore(database);
    const nowMs = this.#clock.wallMs();
    this.#bans.restore(this.#store.load(nowMs), nowMs);
  }

  /** False for whoever is banned or filtered: neither dialled nor let in. */
  isWelcome(endpoint: Endpoint): boolean {
    return this.banOf(endpoint) === null && this.#allowAddress(endpoint.address);
  }

  banOf(endpoint: Endpoint): Ban | null {
    return this.#bans.find(endpoint, this.#clock.wallMs());
  }

  /** The bans that last. */
  bans(): readonly Ban[] {
    return this.#bans.list(this.#clock.wallMs());
  }

  /** A peer's fault; the new ban that it led to, or null. Close its connections then ({@link isSamePeer}). */
  handleFault(endpoint: Endpoint, fault: Fault): Ban | null {
    const nowMs = this.#clock.wallMs();
    if (this.#bans.find(endpoint, nowMs) !== null) return null;
    const ban = this.#bans.handleFault(endpoint, fault, nowMs);
    // An endpoint on loopback is somebody else's tomorrow.
    if (ban !== null && ban.key !== formatEndpoint(endpoint)) this.#store?.save(ban);
    return ban;
  }

  /** Somebody whom the user does not want, until he takes it back. */
  ban(endpoint: Endpoint, reason: { readonly code: string; readonly message: string }): Ban {
    const ban = this.#bans.ban(endpoint, reason, this.#clock.wallMs(), Number.POSITIVE_INFINITY);
    if (ban.key !== formatEndpoint(endpoint)) this.#store?.save(ban);
    return ban;
  }

  /** Forgives. @param who an address, or the key of a ban @returns whether there was a ban */
  unban(who: string): boolean {
    const address = tryParseAddress(who);
    const key = address === null ? who : addressKey(address);
    const ban = this.bans().find((known) => known.key === key);
    this.#bans.forgive(key);
    this.#store?.remove(key);
    return ban !== undefined;
  }

  /** Whether a ban is about whoever is at this endpoint. */
  isSamePeer(ban: Ban, endpoint: Endpoint): boolean {
    return peerKey(endpoint) === ban.key;
  }
}
