/**
 * Can others reach us? For each address family and transport, what is known, how, and what the user can do.
 *
 *   open       others have come in, and no router was asked for it (no NAT, or ports that the user has forwarded)
 *   mapped     a router has let the port through for us; `isSeen` says whether anybody has come in that way
 *   punchable  nobody can come by himself, but a third peer can bring us together (UDP only)
 *   closed     nobody can, or this node lets nobody in
 *   unknown    not enough has happened yet
 *
 * Rules
 * - Only others can tell. Proof is a connection that came in from an address of the Internet; a router's word is only
 *   a mapping, and none at all when its own address is private (double NAT).
 * - TCP: one comer is proof, for no NAT lets a strange TCP connection in. UDP behind a NAT: a datagram may come
 *   through because we had written to that peer before (the DHT writes to thousands), so it takes comers from four
 *   networks that we have not dialled. Proof lasts two hours.
 * - Punchable: nodes of three networks, which have seen our UDP port, saw the same one; if they saw different ones the
 *   NAT is symmetric, and UDP is closed.
 * - Closed is said after ten minutes with three connections of our own and nobody who came; or at once when this
 *   machine has no address of the family.
 * Attacker: who connects to us can make us say "open", which is true then; who lies about our port makes us punch in
 * vain. Cost: O(1) an event; every set is bounded.
 */
import { addressScope, type IpAddress, isIpv6, isLocalAddress } from '@tequio/kernel';
import { addressKey } from './address-key.ts';
import { limits } from './limits.ts';
import type { Transport } from './port-mapping/mapping.ts';
import type { WayStatus } from './port-mapping/router-way.ts';

export type ReachabilityState = 'unknown' | 'open' | 'mapped' | 'punchable' | 'closed';

/** How it is known. */
export type ReachabilityBasis =
  /** Others have come in. */
  | 'incoming'
  /** A router says that it lets the port through. */
  | 'mapping'
  /** Others see our UDP port as the same, or as different ones. */
  | 'same-port'
  | 'different-ports'
  /** This machine has no address of this family that the Internet knows. */
  | 'no-address'
  /** This node does not listen there: the user wants it so, or a proxy stands between. */
  | 'not-listening'
  /** Time has passed, our own connections opened, and nobody came. */
  | 'nobody-came'
  /** Nothing says anything yet. */
  | 'nothing';

/** What to do about it. */
export type ReachabilityAdvice =
  | 'none'
  | 'wait'
  /** Name a port: without one a node behind a proxy lets nobody in. */
  | 'name-port'
  /** Let the port through the router by hand, or let its UPnP, NAT-PMP or PCP on. */
  | 'forward-port'
  /** Let the port through the firewall of this machine or of the router. */
  | 'open-firewall'
  /** The provider shares one address among customers: ask for one of your own, or for IPv6. */
  | 'ask-provider';

export type Reachability = {
  readonly family: 4 | 6;
  readonly transport: Transport;
  readonly state: ReachabilityState;
  readonly basis: ReachabilityBasis;
  /** Others have come in, lately. */
  readonly isSeen: boolean;
  readonly advice: ReachabilityAdvice;
};

const bounds = limits.reachability;

/** A set of keys, each with the time of its latest mention; the oldest go first. */
class RecentKeys {
  readonly #times = new Map<string, number>();

  add(key: string, nowMs: number): void {
    this.#times.delete(key);
    this.#times.set(key, nowMs);
    for (const [oldest, atMs] of this.#times) {
      if (this.#times.size <= bounds.keyCountMax && nowMs - atMs <= bounds.memoryMs) return;
      this.#times.delete(oldest);
    }
  }

  has(key: string, nowMs: number): boolean {
    return nowMs - (this.#times.get(key) ?? Number.NEGATIVE_INFINITY) <= bounds.memoryMs;
  }

  count(nowMs: number): number {
    let count = 0;
    for (const atMs of this.#times.values()) if (nowMs - atMs <= bounds.memoryMs) count++;
    return count;
  }
}

/** What is known of one family and transport. */
class Evidence {
  readonly comers = new RecentKeys();
  readonly dialled = new RecentKeys();
  openedCount = 0;
}

/** Gathers what happens, and says what it shows. The sources feed it; it steers nothing. */
export class ReachabilityJudge {
  readonly #startMs: number;
  readonly #evidence = new Map<string, Evidence>();
  readonly #portsSeen: { 4: readonly number[]; 6: readonly number[] } = { 4: [], 6: [] };
  #ways: readonly WayStatus[] = [];
  #ownAddresses: readonly IpAddress[] = [];
  readonly #isListening = { tcp: true, udp: true };
  readonly #external: { 4: IpAddress | null; 6: IpAddress | null } = { 4: null, 6: null };

  constructor(nowMs: number) {
    this.#startMs = nowMs;
  }

  /** Somebody has connected to us. */
  handleIncoming(transport: Transport, from: IpAddress, nowMs: number): void {
    if (isLocalAddress(from)) return;
    const evidence = this.#of(familyOf(from), transport);
    const key = addressKey(from);
    if (transport === 'tcp' || !evidence.dialled.has(key, nowMs)) evidence.comers.add(key, nowMs);
  }

  /** We have dialled somebody. */
  handleDial(transport: Transport, to: IpAddress, nowMs: number): void {
    if (!isLocalAddress(to)) this.#of(familyOf(to), transport).dialled.add(addressKey(to), nowMs);
  }

  /** And that has opened. */
  handleOpened(transport: Transport, to: IpAddress): void {
    if (!isLocalAddress(to)) this.#of(familyOf(to), transport).openedCount++;
  }

  /** What port mapping has come to: see `PortMapper.ways`. */
  handleWays(ways: readonly WayStatus[]): void {
    this.#ways = ways;
  }

  /** Addresses of this machine. */
  handleOwnAddresses(addresses: readonly IpAddress[]): void {
    this.#ownAddresses = addresses;
  }

  /** Whether this node listens at all. */
  handleListening(transport: Transport, isListening: boolean): void {
    this.#isListening[transport] = isListening;
  }

  /** Our address as others see it, when enough of them say the same. */
  handleExternalAddress(address: IpAddress): void {
    this.#external[familyOf(address)] = address;
  }

  /** Our UDP port as others saw it lately: one entry for each network of theirs. */
  handlePortsSeen(family: 4 | 6, ports: readonly number[]): void {
    this.#portsSeen[family] = ports;
  }

  /** IPv4 before IPv6, TCP before UDP. */
  report(nowMs: number): readonly Reachability[] {
    return ([4, 6] as const).flatMap((family) =>
      (['tcp', 'udp'] as const).map((transport) => this.#judge(family, transport, nowMs)),
    );
  }

  #judge(family: 4 | 6, transport: Transport, nowMs: number): Reachability {
    const isNat = this.#isBehindNat(family);
    const evidence = this.#of(family, transport);
    const needed = transport === 'udp' && isNat ? bounds.udpComerCountMin : 1;
    const isSeen = evidence.comers.count(nowMs) >= needed;
    const say = (
      state: ReachabilityState,
      basis: ReachabilityBasis,
      advice: ReachabilityAdvice = 'none',
    ): Reachability => ({ family, transport, state, basis, isSeen, advice });
    if (!this.#isListening[transport]) {
      return say('closed', 'not-listening', transport === 'tcp' ? 'name-port' : 'none');
    }
    const isMapped = this.#isMapped(family, transport);
    if (isSeen) return say(isMapped ? 'mapped' : 'open', 'incoming');
    if (isMapped) return say('mapped', 'mapping');
    if (!this.#hasAddress(family)) return say('closed', 'no-address', family === 6 ? 'none' : 'wait');
    const advice = !isNat
      ? 'open-firewall'
      : this.#isDoubleNat() && family === 4
        ? 'ask-provider'
        : 'forward-port';
    const ports = this.#portsSeen[family];
    if (transport === 'udp' && ports.length >= bounds.portVoterCountMin) {
      return new Set(ports).size === 1
        ? say('punchable', 'same-port', advice)
        : say('closed', 'different-ports', advice);
    }
    const hadTime =
      nowMs - this.#startMs >= bounds.patienceMs && evidence.openedCount >= bounds.openedCountMin;
    return hadTime ? say('closed', 'nobody-came', advice) : say('unknown', 'nothing', 'wait');
  }

  #of(family: 4 | 6, transport: Transport): Evidence {
    const key = `${family} ${transport}`;
    let evidence = this.#evidence.get(key);
    if (evidence === undefined) {
      evidence = new Evidence();
      this.#evidence.set(key, evidence);
    }
    return evidence;
  }

  #isMapped(family: 4 | 6, transport: Transport): boolean {
    return this.#ways.some(
      (way) =>
        way.family === family &&
        !way.isDoubleNat &&
        way.mappings.some((mapping) => mapping.transport === transport && mapping.state === 'mapped'),
    );
  }

  #isDoubleNat(): boolean {
    return this.#ways.some((way) => way.isDoubleNat);
  }

  /** True unless an address of ours is of the Internet, and others see that one (or have not said). */
  #isBehindNat(family: 4 | 6): boolean {
    const external = this.#external[family];
    const own = this.#ownAddresses.filter(
      (address) => familyOf(address) === family && addressScope(address) === 'global',
    );
    return own.length === 0 || (external !== null && !own.includes(external));
  }

  #hasAddress(family: 4 | 6): boolean {
    const useful = family === 4 ? ['private', 'global'] : ['global'];
    const hasOwn = this.#ownAddresses.some(
      (address) => familyOf(address) === family && useful.includes(addressScope(address)),
    );
    return hasOwn || this.#external[family] !== null;
  }
}

function familyOf(address: IpAddress): 4 | 6 {
  return isIpv6(address) ? 6 : 4;
}
