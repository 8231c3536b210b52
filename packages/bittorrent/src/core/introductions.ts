/**
 * How the peers of one torrent come to know each other through us, and we others through them: peer exchange and hole
 * punching over the connections that there are. It turns messages into calls on core/peer-exchange and
 * core/hole-punch, which decide, and what those want said into messages.
 *
 * A private torrent (BEP 27) has neither: its peers come from its trackers and the user. Where only the info-hash is
 * known nobody can know whether it is private; once that is known, both are turned off and what was heard is forgotten.
 */
import { type Endpoint, type Fault, formatEndpoint, isIpv6, isLocalAddress, type Prng } from '@tequio/kernel';
import { type ExtensionIds, ourExtensionIds } from '../wire/extension.ts';
import { decodeHolepunch, encodeHolepunch } from '../wire/holepunch.ts';
import { decodePex, encodePex, type PexPeer, pexFlag } from '../wire/pex.ts';
import { HolePunch, type HolePunchEffect } from './hole-punch.ts';
import type { Peer, PeerKey } from './peer.ts';
import { PeerExchange } from './peer-exchange.ts';

export interface IntroductionsHost {
  readonly peers: ReadonlyMap<PeerKey, Peer>;
  touched(peer: Peer): void;
}

export type IntroductionsOptions = {
  readonly pex: boolean;
  /** Only where uTP is spoken. */
  readonly holepunch: boolean;
  /** Where others see us; null: not known. */
  readonly ownEndpoint: (family: 4 | 6) => Endpoint | null;
};

/** A dial that is not open by then goes to a router that lets nobody in, or to nobody: both take the whole time-out. */
const patienceMs = 2500;

export type IntroductionEffect =
  /** Peers that others know; `isFromLocal`: said by somebody of our own network. */
  | { readonly type: 'heard'; readonly contacts: readonly PexPeer[]; readonly isFromLocal: boolean }
  | Extract<HolePunchEffect, { type: 'punch' }>;

export class Introductions {
  readonly #host: IntroductionsHost;
  readonly #options: IntroductionsOptions;
  readonly #exchange: PeerExchange;
  readonly #punch = new HolePunch();
  readonly #heard: IntroductionEffect[] = [];
  /** Dials that have not been given up: when it is time to ask for help all the same. */
  readonly #dialling = new Map<string, { readonly endpoint: Endpoint; readonly askAtMs: number }>();
  #isPrivate = false;
  #wasOffered = false;

  constructor(host: IntroductionsHost, options: IntroductionsOptions, prng: Prng) {
    this.#host = host;
    this.#options = options;
    this.#exchange = new PeerExchange(prng);
  }

  /** For our extension handshake: under which numbers we hear of it, and zeros for what we do not hear any more. */
  offerIds(): ExtensionIds {
    if (this.#isPrivate) return this.#wasOffered ? { ut_pex: 0, ut_holepunch: 0 } : {};
    this.#wasOffered = true;
    const { pex, holepunch } = this.#options;
    return {
      ...(pex ? { ut_pex: ourExtensionIds.ut_pex } : {}),
      ...(holepunch ? { ut_holepunch: ourExtensionIds.ut_holepunch } : {}),
    };
  }

  /** The torrent is private after all. */
  setPrivate(): void {
    this.#isPrivate = true;
    this.#exchange.clear();
    this.#punch.clear();
    this.#heard.length = 0;
    this.#dialling.clear();
  }

  /** A peer has shaken hands, or has told more of itself. */
  setPeer(peer: Peer, nowMs: number): void {
    if (this.#isPrivate) return;
    const { pex, holepunch } = this.#options;
    const { endpoint: remote, contact, extensionIds: ids } = peer;
    if (pex) {
      const listens = Boolean(ids.ut_pex);
      const flags = (): number => flagsOf(peer);
      this.#exchange.setPeer(
        peer.key,
        {
          remote,
          contact,
          listens,
          get flags() {
            return flags();
          },
        },
        nowMs,
      );
    }
    if (holepunch) {
      const punchable = peer.isUtp ? remote : contact;
      this.#punch.setPeer(peer.key, { remote, contact, punchable, speaks: Boolean(ids.ut_holepunch) });
    }
  }

  removePeer(peer: Peer): void {
    this.#exchange.removePeer(peer.key);
    this.#punch.removePeer(peer.key);
  }

  handlePex(peer: Peer, payload: Uint8Array, nowMs: number): Fault | null {
    if (this.#isPrivate || !this.#options.pex) return null;
    const message = decodePex(payload);
    if (!message.ok) return message.fault;
    const contacts = this.#exchange.handleMessage(peer.key, message.value, nowMs);
    if ('code' in contacts) return contacts;
    const isFromLocal = isLocalAddress(peer.endpoint.address);
    if (contacts.length > 0) this.#heard.push({ type: 'heard', contacts, isFromLocal });
    return null;
  }

  handleHolepunch(peer: Peer, payload: Uint8Array, nowMs: number): Fault | null {
    if (this.#isPrivate || !this.#options.holepunch) return null;
    const message = decodeHolepunch(payload);
    if (!message.ok) return message.fault;
    this.#punch.handleMessage(peer.key, message.value, (endpoint) => this.#isOwn(endpoint), nowMs);
    return null;
  }

  #isOwn({ address, port }: Endpoint): boolean {
    const own = this.#options.ownEndpoint(isIpv6(address) ? 6 : 4);
    return own !== null && own.address === address && own.port === port;
  }

  /** Where nobody answers at once, or at all, perhaps somebody can open the way. */
  handleDial(endpoint: Endpoint, what: 'begun' | 'open' | 'failed', nowMs: number): void {
    if (this.#isPrivate || !this.#options.holepunch) return;
    if (what === 'begun')
      this.#dialling.set(formatEndpoint(endpoint), { endpoint, askAtMs: nowMs + patienceMs });
    else this.#dialling.delete(formatEndpoint(endpoint));
    if (what === 'failed') this.#askFor(endpoint, nowMs);
  }

  #askFor(endpoint: Endpoint, nowMs: number): void {
    this.#punch.handleDialFailed(endpoint, this.#exchange.introducersOf(endpoint), nowMs);
  }

  /** Once a second. */
  handleTick(nowMs: number): void {
    this.#exchange.tell(nowMs, (key, message) => {
      const peer = this.#host.peers.get(key);
      const id = peer?.extensionIds.ut_pex;
      if (peer === undefined || !id) return;
      peer.writer.writeExtended(id, encodePex(message));
      this.#host.touched(peer);
    });
    for (const [key, { endpoint, askAtMs }] of this.#dialling) {
      if (nowMs < askAtMs) continue;
      this.#dialling.delete(key);
      this.#askFor(endpoint, nowMs);
    }
    this.#punch.handleTimeout(nowMs);
  }

  /** Writes what is to be said; moves what is to be done to the end of `out`. */
  drain(out: IntroductionEffect[]): void {
    for (const effect of this.#heard) out.push(effect);
    this.#heard.length = 0;
    const effects: HolePunchEffect[] = [];
    this.#punch.drain(effects);
    for (const effect of effects) {
      if (effect.type === 'punch') {
        out.push(effect);
        continue;
      }
      const peer = this.#host.peers.get(effect.peer);
      const id = peer?.extensionIds.ut_holepunch;
      if (peer === undefined || !id) continue;
      peer.writer.writeExtended(id, encodeHolepunch(effect.message));
      this.#host.touched(peer);
    }
  }
}

function flagsOf(peer: Peer): number {
  return (
    (peer.isSeed || peer.uploadOnly ? pexFlag.seed : 0) |
    (peer.isEncrypted ? pexFlag.prefersEncryption : 0) |
    (peer.isUtp ? pexFlag.utp : 0) |
    (peer.extensionIds.ut_holepunch ? pexFlag.holepunch : 0) |
    (peer.incoming ? 0 : pexFlag.outgoing)
  );
}
