/**
 * Hole punching of one torrent (BEP 55): two peers behind routers that let in only answers reach each other by uTP when
 * both send at the same time. A third peer, connected to both (the relay), tells them when. We play all three parts:
 *
 *   asking    a dial failed; some peer says that it is connected to that endpoint -> rendezvous to it
 *   relaying  a rendezvous arrives -> connect to both, each with the endpoint of the other
 *   dialling  a connect arrives -> dial by uTP at once
 *
 * Asking: only relays whose peer exchange said that the endpoint speaks `ut_holepunch`, or said nothing of it by
 * flags at all; one question for an endpoint at a time, the next relay when one refuses or is silent for
 * `answerTimeoutMs`, three relays at most, and then not again for `retryMs`.
 *
 * Relaying: only between two peers of this torrent that both speak it, and only if the asking one could know the other:
 * an address of this network is not named to a stranger. An endpoint is found by the far end of its connection or by
 * what it said of its listening port; named is the one through which its router lets answers in.
 * Attacker: uses us to make many peers send to a victim. The victim must be connected to us, gets one short message,
 * and sends to the attacker alone: nothing is amplified. 10 a minute from one peer, 20 a minute to one.
 *
 * Dialling. Attacker: a relay that names victims to everybody. A connect that we did not ask for is followed 10 times a
 * minute for one relay, 30 for all; one that we asked for always. No stranger may send us to a local address, nor to
 * this node itself. The driver refuses whom it is connected to or may not dial.
 *
 * Cost: O(peers) a message, within those limits.
 */
import { type Endpoint, formatEndpoint, isIpv6, isLocalAddress } from '@tequio/kernel';
import { type HolepunchMessage, holepunchError } from '../wire/holepunch.ts';
import { pexFlag } from '../wire/pex.ts';
import { Allowance } from './allowance.ts';

export const holePunchLimits = {
  answerTimeoutMs: 5000,
  relayCountMax: 3,
  retryMs: 300_000,
  /** Endpoints that are, or lately were, asked for. */
  wishCountMax: 256,
  rendezvousFrom: { burst: 10, perMinute: 10 },
  connectsTo: { burst: 20, perMinute: 20 },
  connectsFrom: { burst: 10, perMinute: 10 },
  connectsOfAll: { burst: 30, perMinute: 30 },
} as const;

/** A connected peer that speaks `ut_holepunch`. */
export type PunchPeer = {
  /** The other end of the connection. */
  readonly remote: Endpoint;
  /** Where it says it can be dialled. */
  readonly contact: Endpoint | null;
  /** Through which its router lets answers in; null: unknown. */
  readonly punchable: Endpoint | null;
  readonly speaks: boolean;
};

export type HolePunchEffect =
  | {
      readonly type: 'send';
      readonly peer: number;
      readonly message: Exclude<HolepunchMessage, { type: 'unknown' }>;
    }
  /** Dial by uTP, now. */
  | { readonly type: 'punch'; readonly endpoint: Endpoint; readonly isFromLocal: boolean };

type Entry = {
  readonly key: number;
  peer: PunchPeer;
  readonly rendezvous: Allowance;
  readonly connectsTo: Allowance;
  readonly connectsFrom: Allowance;
};

/** An endpoint that we want to reach. */
type Wish = {
  readonly endpoint: Endpoint;
  /** Still to be asked. */
  readonly relays: number[];
  askedRelay: number | null;
  /** While one is asked: until when; afterwards: not again before. */
  untilMs: number;
};

export class HolePunch {
  readonly #entries = new Map<number, Entry>();
  /** By endpoint, in order of the first question. */
  readonly #wishes = new Map<string, Wish>();
  readonly #ofAll = new Allowance(holePunchLimits.connectsOfAll);
  readonly #effects: HolePunchEffect[] = [];

  setPeer(key: number, peer: PunchPeer): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      entry.peer = peer;
      return;
    }
    this.#entries.set(key, {
      key,
      peer,
      rendezvous: new Allowance(holePunchLimits.rendezvousFrom),
      connectsTo: new Allowance(holePunchLimits.connectsTo),
      connectsFrom: new Allowance(holePunchLimits.connectsFrom),
    });
  }

  removePeer(key: number): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#wishes.clear();
    this.#effects.length = 0;
  }

  /**
   * A dial failed.
   * @param introducers peers that say they are connected to it, with the flags that they gave
   * @returns true when somebody is asked
   */
  handleDialFailed(
    endpoint: Endpoint,
    introducers: readonly { readonly key: number; readonly flags: number }[],
    nowMs: number,
  ): boolean {
    const name = formatEndpoint(endpoint);
    const known = this.#wishes.get(name);
    if (known !== undefined && nowMs < known.untilMs) return false;
    const relays = introducers
      .filter(({ key, flags }) => this.#speaks(key) && (flags === 0 || (flags & pexFlag.holepunch) !== 0))
      .slice(0, holePunchLimits.relayCountMax)
      .map(({ key }) => key);
    if (relays.length === 0) return false;
    this.#wishes.delete(name);
    const wish: Wish = { endpoint, relays, askedRelay: null, untilMs: 0 };
    this.#wishes.set(name, wish);
    if (this.#wishes.size > holePunchLimits.wishCountMax)
      this.#wishes.delete(this.#wishes.keys().next().value!);
    this.#askNext(wish, nowMs);
    return true;
  }

  /** @param isOwn tells an endpoint at which this node itself is reached */
  handleMessage(
    key: number,
    message: HolepunchMessage,
    isOwn: (endpoint: Endpoint) => boolean,
    nowMs: number,
  ): void {
    // BEP 55: whoever does not speak it is not answered.
    if (message.type === 'unknown' || !this.#speaks(key)) return;
    if (message.type === 'rendezvous') this.#relay(key, message.endpoint, isOwn, nowMs);
    else if (message.type === 'connect') this.#connect(key, message.endpoint, isOwn, nowMs);
    else this.#handleError(key, message.endpoint, nowMs);
  }

  /** Relays that did not answer in time: the next one is asked. */
  handleTimeout(nowMs: number): void {
    for (const wish of this.#wishes.values())
      if (wish.askedRelay !== null && nowMs >= wish.untilMs) this.#askNext(wish, nowMs);
  }

  drain(out: HolePunchEffect[]): void {
    for (const effect of this.#effects) out.push(effect);
    this.#effects.length = 0;
  }

  #relay(key: number, endpoint: Endpoint, isOwn: (endpoint: Endpoint) => boolean, nowMs: number): void {
    const asking = this.#entries.get(key)!;
    if (!asking.rendezvous.tryTake(nowMs)) return;
    const target = this.#find(endpoint);
    const error = isOwn(endpoint) ? holepunchError.noSelf : refusalOf(asking.peer, target?.peer ?? null);
    if (error !== null) {
      this.#send(key, { type: 'error', endpoint, error });
      return;
    }
    if (!target!.connectsTo.tryTake(nowMs)) return;
    // The one that was asked for first: its router shall be open when the other's packet comes.
    this.#send(target!.key, { type: 'connect', endpoint: asking.peer.punchable! });
    this.#send(key, { type: 'connect', endpoint: target!.peer.punchable! });
  }

  #connect(key: number, endpoint: Endpoint, isOwn: (endpoint: Endpoint) => boolean, nowMs: number): void {
    const relay = this.#entries.get(key)!;
    const isFromLocal = isLocalAddress(relay.peer.remote.address);
    if (endpoint.port === 0 || isOwn(endpoint)) return;
    if (isLocalAddress(endpoint.address) && !isFromLocal) return;
    const wish = this.#wishOf(key, endpoint);
    if (wish !== null) {
      wish.askedRelay = null;
      wish.untilMs = nowMs + holePunchLimits.retryMs;
    } else if (!relay.connectsFrom.tryTake(nowMs) || !this.#ofAll.tryTake(nowMs)) return;
    this.#effects.push({ type: 'punch', endpoint, isFromLocal });
  }

  #handleError(key: number, endpoint: Endpoint, nowMs: number): void {
    const wish = this.#wishes.get(formatEndpoint(endpoint));
    if (wish?.askedRelay === key) this.#askNext(wish, nowMs);
  }

  #askNext(wish: Wish, nowMs: number): void {
    let relay = wish.relays.shift();
    while (relay !== undefined && !this.#speaks(relay)) relay = wish.relays.shift();
    wish.askedRelay = relay ?? null;
    const { answerTimeoutMs, retryMs } = holePunchLimits;
    wish.untilMs = nowMs + (relay === undefined ? retryMs : answerTimeoutMs);
    if (relay !== undefined) this.#send(relay, { type: 'rendezvous', endpoint: wish.endpoint });
  }

  /** What we asked this relay for: the endpoint itself, or the same address with the port that its router uses. */
  #wishOf(relay: number, endpoint: Endpoint): Wish | null {
    const exact = this.#wishes.get(formatEndpoint(endpoint));
    if (exact?.askedRelay === relay) return exact;
    for (const wish of this.#wishes.values())
      if (wish.askedRelay === relay && wish.endpoint.address === endpoint.address) return wish;
    return null;
  }

  #find(endpoint: Endpoint): Entry | null {
    for (const entry of this.#entries.values()) {
      const { remote, contact } = entry.peer;
      if (isSame(remote, endpoint) || (contact !== null && isSame(contact, endpoint))) return entry;
    }
    return null;
  }

  #speaks(key: number): boolean {
    return this.#entries.get(key)?.peer.speaks === true;
  }

  #send(peer: number, message: Exclude<HolepunchMessage, { type: 'unknown' }>): void {
    this.#effects.push({ type: 'send', peer, message });
  }
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}

/** Why two peers cannot be brought together, as BEP 55 numbers it. */
function refusalOf(asking: PunchPeer, target: PunchPeer | null): number | null {
  if (target === null || !mayMeet(asking, target)) return holepunchError.notConnected;
  if (target === asking) return holepunchError.noSuchPeer;
  const isAble = target.speaks && target.punchable !== null && asking.punchable !== null;
  return isAble ? null : holepunchError.noSupport;
}

/** Two of one network, or two strangers; but no stranger and one of our network, nor IPv4 and IPv6. */
function mayMeet({ remote: a }: PunchPeer, { remote: b }: PunchPeer): boolean {
  return isLocalAddress(a.address) === isLocalAddress(b.address) && isIpv6(a.address) === isIpv6(b.address);
}
