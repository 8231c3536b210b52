/**
 * Peer exchange of one torrent (BEP 11): what we tell which peer about the others, and what we believe of what they
 * tell us. The same memory says who could introduce us to a peer that nobody can dial (BEP 55).
 *
 * Telling. A peer that speaks `ut_pex` is a listener. It is told the peers that we are connected to and whose endpoint
 * can be dialled: those that we dialled, and those that named their listening port. First `firstDelayMs` after it said
 * that it listens, then at most one message a minute, with at most 50 added and 50 dropped; what does not fit waits for
 * the next one. Where nothing has changed nothing is said, and then the next change is told at once. Not told:
 *   the listener itself; a seed to a seed, who are of no use to each other; an address of a narrower scope than the
 *   listener's own (one of this machine to another machine, one of our network to the Internet), for there it would
 *   name somebody else, or nobody, and tells strangers how our network looks.
 * Everything told is taken back once the connection is gone: the listener's picture is the set that may be told, as
 * soon as its messages have room for it.
 *
 * Believing. Attacker: somebody who wants to fill our list of peers, or to aim us at a third party.
 *   messages: one a minute and four more; beyond that they are not read, and cost the peer a fault (small: programs
 *   whose clock is a little ahead are innocent);
 *   endpoints: 150 of one peer at once and 30 a minute, 200 that it says it is connected to now; two ports of one
 *   address in a message (people behind one router); local addresses only from peers that are local themselves.
 *   A flood therefore adds at most 30 a minute to a list where untried strangers do not displace each other, and the
 *   driver tries them faster than they come.
 *
 * Cost: O(1) a change; O(peers) for each listener that is due, when something has changed: at most once a minute.
 */
import {
  addressScope,
  type Endpoint,
  type Fault,
  formatEndpoint,
  isLocalAddress,
  type Prng,
} from '@tequio/kernel';
import { type PexMessage, type PexPeer, pexFlag, pexLimits } from '../wire/pex.ts';
import { Allowance } from './allowance.ts';

export const peerExchangeLimits = {
  intervalMs: 60_000,
  /** So that listeners are not all due in the same second. */
  jitterMs: 5000,
  /** A new listener waits so long: by then others are there whom it can be told of. */
  firstDelayMs: 2000,
  messages: { burst: 5, perMinute: 1.2 },
  contacts: { burst: 150, perMinute: 30 },
  /** Endpoints that one peer may be connected to at once, as far as we remember. */
  rememberedCountMax: 200,
  /** Of one address in a message, where addresses are not those of one local network. */
  portsPerAddressMax: 2,
} as const;

/** What is known of a connected peer. */
export type ExchangePeer = {
  /** The other end of the connection. */
  readonly remote: Endpoint;
  /** Where it can be dialled; null: it did not say. */
  readonly contact: Endpoint | null;
  /** Bits of `pexFlag`. */
  readonly flags: number;
  /** It wants to be told. */
  readonly listens: boolean;
};

type Listener = {
  /** What its picture holds, by endpoint. */
  readonly told: Map<string, Endpoint>;
  dueMs: number;
  /** As of which change everything has been told; -1: not everything. */
  toldVersion: number;
};

type Entry = {
  peer: ExchangePeer;
  listener: Listener | null;
  /** Whom it says it is connected to, and their flags. */
  readonly remembered: Map<string, number>;
  readonly messages: Allowance;
  readonly contacts: Allowance;
};

export class PeerExchange {
  readonly #prng: Prng;
  readonly #entries = new Map<number, Entry>();
  /** Counts the changes of what may be told. */
  #version = 0;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** A connected peer, when its handshake is done and whenever something about it has changed. */
  setPeer(key: number, peer: ExchangePeer, nowMs: number): void {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const { messages, contacts } = peerExchangeLimits;
      const remembered = new Map<string, number>();
      const allowances = { messages: new Allowance(messages), contacts: new Allowance(contacts) };
      entry = { peer, listener: null, remembered, ...allowances };
      this.#entries.set(key, entry);
      this.#version++;
    } else if (keyOf(entry.peer.contact) !== keyOf(peer.contact)) this.#version++;
    entry.peer = peer;
    if (!peer.listens) entry.listener = null;
    else if (entry.listener === null)
      entry.listener = {
        told: new Map(),
        dueMs: nowMs + peerExchangeLimits.firstDelayMs,
        toldVersion: -1,
      };
  }

  removePeer(key: number): void {
    if (this.#entries.delete(key)) this.#version++;
  }

  /** Forgets everybody: the torrent turned out to be private. */
  clear(): void {
    this.#entries.clear();
    this.#version++;
  }

  /** The messages that are due now, each handed to `send`. */
  tell(nowMs: number, send: (key: number, message: PexMessage) => void): void {
    let contacts: Map<string, { readonly key: number; readonly peer: ExchangePeer }> | null = null;
    for (const [key, { listener, peer }] of this.#entries) {
      if (listener === null || nowMs < listener.dueMs || listener.toldVersion === this.#version) continue;
      contacts ??= this.#contacts();
      const message = this.#messageFor(listener, peer, contacts);
      if (message.added.length === 0 && message.dropped.length === 0) continue;
      const { intervalMs, jitterMs } = peerExchangeLimits;
      listener.dueMs = nowMs + intervalMs + this.#prng.below(jitterMs);
      send(key, message);
    }
  }

  /** What of a message is to be believed; the fault is for a peer that says too much. */
  handleMessage(key: number, message: PexMessage, nowMs: number): readonly PexPeer[] | Fault {
    const entry = this.#entries.get(key);
    if (entry === undefined) return [];
    if (!entry.messages.tryTake(nowMs)) return rateFault;
    for (const endpoint of message.dropped) entry.remembered.delete(formatEndpoint(endpoint));
    const isFromLocal = isLocalAddress(entry.peer.remote.address);
    const portCounts = new Map<string, number>();
    const believed: PexPeer[] = [];
    for (const peer of message.added) {
      const { address } = peer.endpoint;
      const contact = formatEndpoint(peer.endpoint);
      const isLocal = isLocalAddress(address);
      if (entry.remembered.has(contact) || (isLocal && !isFromLocal)) continue;
      const portCount = (portCounts.get(address) ?? 0) + 1;
      portCounts.set(address, portCount);
      if (portCount > peerExchangeLimits.portsPerAddressMax && !isLocal) continue;
      if (entry.remembered.size >= peerExchangeLimits.rememberedCountMax) break;
      if (!entry.contacts.tryTake(nowMs)) break;
      entry.remembered.set(contact, peer.flags);
      believed.push(peer);
    }
    return believed;
  }

  /** Peers that say they are connected to this endpoint, and what they said of it. */
  introducersOf(endpoint: Endpoint): { readonly key: number; readonly flags: number }[] {
    const contact = formatEndpoint(endpoint);
    const found: { key: number; flags: number }[] = [];
    for (const [key, { remembered }] of this.#entries) {
      const flags = remembered.get(contact);
      if (flags !== undefined) found.push({ key, flags });
    }
    return found;
  }

  #contacts(): Map<string, { readonly key: number; readonly peer: ExchangePeer }> {
    const contacts = new Map<string, { key: number; peer: ExchangePeer }>();
    for (const [key, { peer }] of this.#entries)
      if (peer.contact !== null) contacts.set(formatEndpoint(peer.contact), { key, peer });
    return contacts;
  }

  #messageFor(
    listener: Listener,
    self: ExchangePeer,
    contacts: ReadonlyMap<string, { readonly key: number; readonly peer: ExchangePeer }>,
  ): PexMessage {
    const { sentCountMax } = pexLimits;
    const news: [string, PexPeer][] = [];
    for (const [contact, { peer }] of contacts) {
      if (listener.told.has(contact) || !mayTell(self, peer)) continue;
      news.push([contact, { endpoint: peer.contact!, flags: peer.flags }]);
    }
    // Whoever is told only some is not always told the same ones.
    if (news.length > sentCountMax) this.#prng.shuffle(news);
    const dropped: Endpoint[] = [];
    let isComplete = news.length <= sentCountMax;
    for (const [contact, endpoint] of listener.told) {
      if (contacts.has(contact)) continue;
      if (dropped.length === sentCountMax) {
        isComplete = false;
        break;
      }
      dropped.push(endpoint);
      listener.told.delete(contact);
    }
    const added = news.slice(0, sentCountMax);
    for (const [contact, { endpoint }] of added) listener.told.set(contact, endpoint);
    listener.toldVersion = isComplete ? this.#version : -1;
    return { added: added.map(([, peer]) => peer), dropped };
  }
}

function mayTell(listener: ExchangePeer, other: ExchangePeer): boolean {
  if (listener === other) return false;
  const contact = keyOf(other.contact);
  if (contact === keyOf(listener.contact) || contact === keyOf(listener.remote)) return false;
  if ((listener.flags & other.flags & pexFlag.seed) !== 0) return false;
  return reachOf(other.contact!) >= reachOf(listener.remote);
}

/** How far an address means the same: 0 on this machine, 1 in this network, 2 everywhere. */
function reachOf({ address }: Endpoint): number {
  const scope = addressScope(address);
  return scope === 'global' ? 2 : scope === 'loopback' ? 0 : 1;
}

function keyOf(endpoint: Endpoint | null): string {
  return endpoint === null ? '' : formatEndpoint(endpoint);
}

const rateFault: Fault = {
  code: 'BITTORRENT_PEX_RATE',
  message: 'The peer sends peer exchange messages too often.',
  blame: 'peer',
  penalty: 10,
};
