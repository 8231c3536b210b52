/**
 * The kill switch: everything goes through one address, or one interface, of this machine, or not at all.
 *
 *   down ── an address is there ──> up ── it is gone, or another one came ──> down …
 *
 * An interface is asked for its addresses again and again, for systems take them away and give others (a VPN that
 * reconnects). Of each family one is used: a global one before a private one before a link-local one. A line that
 * gets another address goes down first, so that nothing is left of the old one.
 *
 * What this cannot do: an interface that is only set down keeps its IPv4 addresses on Linux, and between two looks the
 * system sends packets of open connections another way if it has one, from the old address; each connection's last is
 * the reset that ends it. Only sockets bound to the device could prevent that, and Node.js cannot bind them. Where the
 * interface or its address vanishes, as those of VPNs do, Linux sends nothing. Who wants it sure in every case lets the
 * firewall say it: `nft add rule inet filter output ip saddr ADDRESS oifname != "vpn0" drop`.
 */
import {
  addressScope,
  type Clock,
  type IpAddress,
  isIpv6,
  type LocalNetwork,
  type LocalNetworks,
  type Timer,
  tryParseAddress,
} from '@tequio/kernel';
import { limits } from './limits.ts';

/** One address of each family at most; both null: down. */
export type LineAddresses = { readonly v4: IpAddress | null; readonly v6: IpAddress | null };

export type BoundLineDeps = { readonly clock: Clock; readonly networks: LocalNetworks };

const nowhere: LineAddresses = { v4: null, v6: null };

/** See the head of this file. */
export class BoundLine {
  /** As the user named it: an address or an interface. */
  readonly name: string;
  readonly #deps: BoundLineDeps;
  readonly #listeners = new Set<() => void>();
  #addresses = nowhere;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(name: string, deps: BoundLineDeps) {
    this.name = tryParseAddress(name) ?? name;
    this.#deps = deps;
  }

  get isUp(): boolean {
    return this.#addresses.v4 !== null || this.#addresses.v6 !== null;
  }

  get addresses(): LineAddresses {
    return this.#addresses;
  }

  /** Why nothing is sent, or null. */
  get trouble(): string | null {
    if (this.isUp) return null;
    const what = tryParseAddress(this.name) === null ? 'network interface' : 'address';
    return `The ${what} ${this.name} is not there: nothing is sent until it is.`;
  }

  /** Our own address for talking to this one; null: it cannot be reached over this line, or the line is down. */
  fromFor(to: IpAddress): IpAddress | null {
    return isIpv6(to) ? this.#addresses.v6 : this.#addresses.v4;
  }

  /** Looks for the first time, and goes on looking until `close`. */
  async start(): Promise<void> {
    await this.#look();
  }

  /** Told of every change; down comes between two sets of addresses. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  async #look(): Promise<void> {
    let found = nowhere;
    try {
      found = pickAddresses(this.name, await this.#deps.networks.list());
    } catch {
      // Who cannot say what is there cannot say that the line is up.
    }
    if (this.#isClosed) return;
    this.#set(found);
    this.#timer = this.#deps.clock.setTimer(limits.line.lookMs, () => void this.#look());
  }

  #set(next: LineAddresses): void {
    const { v4, v6 } = this.#addresses;
    if (v4 === next.v4 && v6 === next.v6) return;
    if (this.isUp) {
      this.#addresses = nowhere;
      for (const listener of this.#listeners) listener();
    }
    this.#addresses = next;
    if (this.isUp) for (const listener of this.#listeners) listener();
  }
}

const rankOfScope: Readonly<Record<string, number>> = { global: 3, private: 2, loopback: 2, link: 1 };

/** The addresses of a line among those of the machine. */
export function pickAddresses(name: string, networks: readonly LocalNetwork[]): LineAddresses {
  let best = nowhere;
  for (const { name: interfaceName, address } of networks) {
    if (interfaceName !== name && address !== name) continue;
    const family = isIpv6(address) ? 'v6' : 'v4';
    if (best[family] === null || rankOf(address) > rankOf(best[family]))
      best = { ...best, [family]: address };
  }
  return best;
}

function rankOf(address: IpAddress): number {
  return rankOfScope[addressScope(address)] ?? 0;
}
