/**
 * Drives one torrent machine: connections, disk and time go in, its effects are carried out. One loop for everything:
 * take an input, drain the effects, hand the jobs to the disk, arm one timer.
 *
 *   socket -> handleBytes ─┐                      ┌─> write / destroy / dial
 *   disk result -> handleJob ├─> torrent ─ drain ─┼─> disk.submit
 *   timer -> handleTimeout ─┘                     └─> facts for the session (verified, finished, trouble …)
 *
 * Whom to dial is decided by the peer list and the connection budget; this file only does it.
 */
import {
  type Endpoint,
  type Fault,
  formatEndpoint,
  type StreamConnection,
  type StreamHandler,
  type Timer,
} from '@tequio/kernel';
import type { Ban, ConnectionSlot } from '@tequio/network';
import type { ContentJob } from '../core/content.ts';
import type { PeerKey } from '../core/peer.ts';
import type { PeerList } from '../core/peer-list.ts';
import { peerPriorityLimits, pickToReplace } from '../core/peer-priority.ts';
import type { ReadExtent } from '../core/read-cache.ts';
import type { Torrent } from '../core/torrent.ts';
import type { TorrentEffect } from '../core/torrent-effect.ts';
import { tryInfoHashOfPrefix } from '../wire/peer-message.ts';
import { type PexPeer, pexFlag } from '../wire/pex.ts';
import { connectionFault, replacedFault } from './connection-faults.ts';
import { submitContentJob } from './content-jobs.ts';
import type { DriverDeps, DriverHost } from './driver-host.ts';
import { writeHandshakeApart } from './handshake-apart.ts';

export const driverLimits = {
  connectTimeoutMs: 10_000,
  /** Connections being made at once, for one torrent. */
  dialingCountMax: 30,
  /** After the node had no place for one more connection, until it is asked again. */
  fullWaitMs: 1000,
} as const;

type Link = {
  readonly connection: StreamConnection;
  readonly endpoint: Endpoint;
  readonly incoming: boolean;
  readonly slot: ConnectionSlot;
  /** The entry in the peer list that this connection is to; null: it did not say where it listens. */
  contact: Endpoint | null;
  isHandshaken: boolean;
  /** Nothing has come from it yet. */
  isSilent: boolean;
  /** Extents of the read cache whose bytes the system has not taken yet, in the order of the writes. */
  readonly leased: (readonly ReadExtent[])[];
};

export class TorrentDriver {
  readonly torrent: Torrent;
  readonly peerList: PeerList;
  readonly #deps: DriverDeps;
  readonly #host: DriverHost;
  readonly #links = new Map<PeerKey, Link>();
  readonly #effects: TorrentEffect[] = [];
  #dialingCount = 0;
  #timer: Timer | null = null;
  #timerAtMs = 0;
  #isDriving = false;
  /** Jobs have come back, and more may have come with them: what follows is carried out after the last. */
  #isAnswered = false;
  #isClosed = false;
  #mayDial = false;
  #mayReplaceAtMs = 0;

  constructor(torrent: Torrent, peerList: PeerList, deps: DriverDeps, host: DriverHost) {
    this.torrent = torrent;
    this.peerList = peerList;
    this.#deps = deps;
    this.#host = host;
  }

  get connectionCount(): number {
    return this.#links.size;
  }

  /** Somebody is connected or being dialled. */
  get isBusy(): boolean {
    return this.#links.size > 0 || this.#dialingCount > 0;
  }

  /** From now on peers are dialled. */
  start(): void {
    this.#mayDial = true;
    this.drive();
  }

  /** No more dialling; the torrent closes its connections by itself (`setPaused`). */
  stop(): void {
    this.#mayDial = false;
  }

  /** Runs something on the torrent, then carries out what follows from it. */
  run(act: (torrent: Torrent, nowMs: number) => void): void {
    if (this.#isClosed) return;
    act(this.torrent, this.#deps.clock.nowMs());
    this.drive();
  }

  /**
   * Takes over an incoming connection whose handshake has named this torrent.
   * @param prefix the bytes that were read so far
   * @param slot its place in the connection budget; the caller's again when this returns null
   */
  accept(connection: StreamConnection, prefix: Uint8Array, slot: ConnectionSlot): StreamHandler | null {
    const { remote } = connection;
    const { id } = this.#host;
    if (this.#isClosed || !this.#deps.admission.isWelcome(remote)) return null;
    if (!slot.tryJoin(id) && !(this.#makeRoom(remote) && slot.tryJoin(id))) return null;
    // Whoever knows a hybrid by one of its hashes expects that one.
    const named = tryInfoHashOfPrefix(prefix) ?? undefined;
    const handler = this.#link(connection, remote, true, slot, named);
    handler.onBytes(prefix);
    return handler;
  }

  /** All places are taken: somebody of lower priority goes (BEP 40), unless somebody has gone just now. */
  #makeRoom(newcomer: Endpoint): boolean {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs < this.#mayReplaceAtMs) return false;
    const peer = pickToReplace(this.torrent.peers.values(), newcomer, this.#deps.ownEndpoint, nowMs);
    if (peer === null) return false;
    this.#mayReplaceAtMs = nowMs + peerPriorityLimits.betweenMs;
    this.run((torrent) => torrent.closePeer(peer.key, replacedFault, nowMs));
    return true;
  }

  /** Carries out all effects, and what follows from them, until nothing moves. */
  drive(): void {
    if (this.#isDriving || this.#isClosed) return;
    this.#isDriving = true;
    for (;;) {
      this.torrent.drain(this.#effects);
      if (this.#effects.length === 0) break;
      const effects = this.#effects.splice(0);
      for (const effect of effects) this.#carryOut(effect);
    }
    this.#dial();
    this.#isDriving = false;
    this.#host.driven();
    this.#deps.disk.flush();
    this.#arm();
  }

  /** Closes the connections of a peer that was banned, by whichever torrent. */
  expel(ban: Ban): void {
    const fault: Fault = { code: ban.code, message: ban.message, blame: 'none', penalty: 0 };
    for (const [key, { endpoint }] of this.#links) {
      if (!this.#deps.admission.isSamePeer(ban, endpoint)) continue;
      this.run((torrent, nowMs) => torrent.closePeer(key, fault, nowMs));
    }
  }

  /** Closes all connections at once; nothing comes from here any more. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const { connection, slot } of this.#links.values()) {
      connection.destroy();
      slot.release();
      this.#deps.rates.forgotten(connection, null);
    }
    this.#links.clear();
    this.torrent.content?.close();
  }

  #carryOut(effect: TorrentEffect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect);
        break;
      case 'close':
        this.#end(effect.peer, effect.fault, effect.isSeed);
        break;
      case 'job':
        this.#submit(effect.job);
        break;
      case 'handshaken':
        this.#markHandshaken(effect.peer);
        break;
      case 'listens':
        this.#markListening(effect.peer, effect.endpoint);
        break;
      case 'seen':
        this.#deps.seenAt(effect.address, effect.by);
        break;
      case 'dht-node':
        this.#deps.foundDhtNode?.(effect.endpoint);
        break;
      case 'heard':
        this.#addContacts(effect.contacts, effect.isFromLocal);
        break;
      case 'punch':
        this.#punch(effect.endpoint, effect.isFromLocal);
        break;
      case 'blame':
        if (effect.endpoint !== null) this.#blame(effect.endpoint, effect.fault);
        break;
      default:
        this.#host.handleFact(effect);
    }
  }

  #send(effect: Extract<TorrentEffect, { type: 'send' }>): void {
    const { peer, bytes, leases } = effect;
    const link = this.#links.get(peer);
    if (link === undefined) {
      this.torrent.handleSent(peer, bytes, leases, this.#deps.clock.nowMs());
      return;
    }
    if (leases.length > 0) link.leased.push(leases);
    this.#deps.rates.sent(peer, bytes);
    writeHandshakeApart(link.connection, effect.parts, () => {
      if (leases.length > 0) link.leased.shift();
      this.torrent.handleSent(peer, bytes, leases, this.#deps.clock.nowMs());
      this.drive();
    });
  }

  #submit(job: ContentJob): void {
    const { disk, clock } = this.#deps;
    submitContentJob(job, disk, clock, this.#host, (result) => {
      // After the end too: the memory of this job is given back.
      this.torrent.handleJob(job.id, result, clock.nowMs());
      if (this.#isAnswered) return;
      this.#isAnswered = true;
      disk.afterAnswers(() => {
        this.#isAnswered = false;
        this.drive();
      });
    });
  }

  #markHandshaken(key: PeerKey): void {
    const link = this.#links.get(key);
    if (link === undefined) return;
    link.isHandshaken = true;
    if (!link.incoming) {
      this.peerList.markConnected(link.endpoint, this.#deps.clock.nowMs());
      this.#deps.dialer.markUnderstood(link.endpoint);
    }
    const peer = this.torrent.peers.get(key);
    if (peer === undefined) return;
    peer.isEncrypted = link.connection.isEncrypted === true;
    this.#host.connected(link.endpoint, link.incoming, peer);
  }

  /** A peer that dialled us can be dialled there: as long as it is connected it need not. */
  #markListening(key: PeerKey, endpoint: Endpoint): void {
    const link = this.#links.get(key);
    const nowMs = this.#deps.clock.nowMs();
    this.peerList.add(endpoint, 'incoming', nowMs);
    if (link === undefined || this.peerList.get(endpoint)?.state !== 'idle') return;
    link.contact = endpoint;
    this.peerList.markConnected(endpoint, nowMs, false);
  }

  #addContacts(contacts: readonly PexPeer[], isFromLocal: boolean): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const { endpoint, flags } of contacts) {
      this.peerList.add(endpoint, 'pex', nowMs, isFromLocal);
      if ((flags & pexFlag.seed) !== 0) this.peerList.markSeed(endpoint, true);
    }
  }

  /** Somebody has told the other side to dial us now: so do we, whether it is its turn or not. */
  #punch(endpoint: Endpoint, isFromLocal: boolean): void {
    const { admission, clock } = this.#deps;
    this.peerList.add(endpoint, 'pex', clock.nowMs(), isFromLocal);
    const known = this.peerList.get(endpoint);
    if (!this.#mayDial || known === null || known.state === 'connected' || !admission.isWelcome(endpoint))
      return;
    const slot = admission.budget.tryDial(this.#host.id, endpoint.address);
    if (slot !== null) this.#dialOne(endpoint, slot, 'utp');
  }

  /** The torrent has ended a connection: messages before that may still go out when it was nobody's fault. */
  #end(key: PeerKey, fault: Fault | null, isSeed: boolean): void {
    const link = this.#links.get(key);
    if (link === undefined) return;
    // While we want nothing it need not be dialled again.
    this.#markMet(link, isSeed);
    if (fault === null) link.connection.end();
    else link.connection.destroy();
    this.#forget(key, link, fault);
  }

  #markMet(link: Link, isSeed: boolean): void {
    if (link.contact !== null && link.isHandshaken)
      this.peerList.markMet(link.contact, isSeed, this.#deps.clock.nowMs());
  }

  /** The host hears of a ban once: the closing that follows, and later blames, are of the same peer. */
  #blame(endpoint: Endpoint, fault: Fault): void {
    const ban = this.#deps.admission.handleFault(endpoint, fault);
    if (ban !== null) this.#host.banned(endpoint, ban);
  }

  #forget(key: PeerKey, link: Link, fault: Fault | null): void {
    if (!this.#links.delete(key)) return;
    const nowMs = this.#deps.clock.nowMs();
    link.slot.release();
    this.#deps.rates.forgotten(link.connection, key);
    if (link.incoming && link.contact !== null) this.peerList.markClosed(link.contact, nowMs);
    if (!link.incoming) {
      if (link.isHandshaken) this.peerList.markClosed(link.endpoint, nowMs);
      else if (link.isSilent && this.#tryOtherWay(link.endpoint)) return;
      else this.peerList.markFailed(link.endpoint, nowMs);
      if (fault?.code === 'BITTORRENT_WIRE_OURSELVES') this.peerList.markOwn(link.endpoint);
    }
    if (fault !== null) this.#blame(link.endpoint, fault);
    this.#host.closed(link.endpoint, fault, link.isHandshaken);
  }

  /** It hung up on what we said, or on how we said it: if there is another way to say it, it is tried at once. */
  #tryOtherWay(endpoint: Endpoint): boolean {
    const { dialer, admission } = this.#deps;
    if (!this.#mayDial || !dialer.handleSilentEnd(endpoint)) return false;
    const slot = admission.budget.tryDial(this.#host.id, endpoint.address);
    if (slot === null) return false;
    this.#dialOne(endpoint, slot);
    return true;
  }

  /** A connection becomes a peer of the torrent. */
  #link(
    connection: StreamConnection,
    endpoint: Endpoint,
    incoming: boolean,
    slot: ConnectionSlot,
    named?: Uint8Array,
  ): StreamHandler {
    const { clock } = this.#deps;
    const isUtp = connection.transport === 'utp';
    const key = this.torrent.addPeer(endpoint, incoming, clock.nowMs(), isUtp, named);
    const link: Link = {
      connection,
      endpoint,
      incoming,
      slot,
      contact: incoming ? null : endpoint,
      isHandshaken: false,
      isSilent: true,
      leased: [],
    };
    this.#links.set(key, link);
    return {
      onBytes: (bytes) => {
        if (this.#isClosed) return;
        link.isSilent = false;
        this.torrent.handleBytes(key, bytes, clock.nowMs());
        const isHeld = this.#deps.rates.received(connection, bytes.length);
        this.torrent.peers.get(key)?.window.markBytes(isHeld, clock.nowMs());
        this.drive();
      },
      onClose: (error) => {
        // What was written and not sent is never read any more.
        for (const leases of link.leased.splice(0)) this.torrent.handleSent(key, 0, leases, clock.nowMs());
        if (this.#isClosed) return;
        const peer = this.torrent.peers.get(key);
        if (peer !== undefined && link.isHandshaken) this.#markMet(link, peer.isSeed || peer.uploadOnly);
        this.torrent.handleClosed(key, clock.nowMs());
        this.#forget(key, link, error === null ? null : connectionFault(error));
        this.drive();
      },
    };
  }

  #dial(): void {
    if (!this.#mayDial) return;
    const nowMs = this.#deps.clock.nowMs();
    const { admission } = this.#deps;
    const { id } = this.#host;
    while (
      this.#dialingCount < driverLimits.dialingCountMax &&
      admission.budget.refusalOfGroup(id) === null
    ) {
      const endpoint = this.peerList.pickDial(nowMs);
      if (endpoint === null) return;
      if (!admission.isWelcome(endpoint)) {
        this.peerList.forget(endpoint);
        continue;
      }
      const slot = admission.budget.tryDial(id, endpoint.address);
      // Its address has all the places that one may have.
      if (slot === null) this.peerList.markFailed(endpoint, nowMs);
      else this.#dialOne(endpoint, slot);
    }
  }

  /** @param punched the way is just being opened for it: by uTP, and a failure says nothing new */
  #dialOne(endpoint: Endpoint, slot: ConnectionSlot, punched?: 'utp'): void {
    const { dialer, bind } = this.#deps;
    this.peerList.markDialing(endpoint);
    this.#dialingCount++;
    if (punched === undefined) this.torrent.handleDial(endpoint, 'begun', this.#deps.clock.nowMs());
    let inner: StreamHandler | null = null;
    let isOpen = false;
    const connection = dialer.dial(
      endpoint,
      {
        timeoutMs: driverLimits.connectTimeoutMs,
        from: bind,
        infoHash: this.torrent.infoHashes[0]!,
        ...(punched === undefined ? {} : { transport: punched }),
      },
      {
        onOpen: () => {
          isOpen = true;
          slot.markOpen();
          this.torrent.handleDial(endpoint, 'open', this.#deps.clock.nowMs());
          this.#dialingCount--;
          if (this.#isClosed || !this.#mayDial) {
            connection.destroy();
            return;
          }
          inner = this.#link(connection, endpoint, false, slot);
          this.drive();
        },
        onBytes: (bytes) => inner?.onBytes(bytes),
        onClose: (error) => {
          slot.release();
          if (inner !== null) inner.onClose(error);
          else if (!isOpen) this.#dialFailed(endpoint, error ?? 'closed at once', punched === undefined);
        },
      },
    );
  }

  #dialFailed(endpoint: Endpoint, error: string, mayPunch: boolean): void {
    if (this.#isClosed) return;
    this.#dialingCount--;
    const nowMs = this.#deps.clock.nowMs();
    this.#deps.log.debug('peer.unreachable', { endpoint: formatEndpoint(endpoint), error });
    // Dialled twice, by two ways, the other one may be there already.
    if (this.peerList.get(endpoint)?.state !== 'connected') {
      this.peerList.markFailed(endpoint, nowMs);
      if (mayPunch) this.torrent.handleDial(endpoint, 'failed', nowMs);
    }
    this.#host.closed(endpoint, connectionFault(error), false);
    this.drive();
  }

  /** When there may be somebody to dial, and a place; null: not before a connection of our own has ended. */
  #nextDialMs(): number | null {
    if (!this.#mayDial || this.#dialingCount >= driverLimits.dialingCountMax) return null;
    const dialMs = this.peerList.nextDialMs();
    const refusal = this.#deps.admission.budget.refusalOfGroup(this.#host.id);
    if (dialMs === null || refusal === null) return dialMs;
    return refusal === 'group' ? null : Math.max(dialMs, this.#deps.clock.nowMs() + driverLimits.fullWaitMs);
  }

  #arm(): void {
    const times = [this.torrent.nextTimeoutMs(), this.#nextDialMs()].filter((time) => time !== null);
    if (times.length === 0) return;
    const next = Math.min(...times);
    // A timer that comes too early only looks again; arming one for every packet would cost more.
    if (this.#timer !== null && this.#timerAtMs <= next) return;
    this.#timer?.cancel();
    this.#timerAtMs = next;
    const delayMs = Math.max(5, next - this.#deps.clock.nowMs());
    this.#timer = this.#deps.clock.setTimer(delayMs, () => {
      this.#timer = null;
      this.torrent.handleTimeout(this.#deps.clock.nowMs());
      this.drive();
    });
  }
}
