/**
 * All uTP connections of one port: a machine (see kernel/machine.ts) between datagrams and streams.
 *
 *   handleDatagram ─┐                         ┌─> drain: send, accept, open, ready, close
 *   handleTimeout  ─┼─> connections by number ┤
 *   dial, write … ──┘                         └─> nextTimeoutMs
 *
 * A connection is known by the other side's endpoint and by the number in its packets. Who sends a SYN is answered with
 * as few bytes, and believed when it comes back with the number of that answer: until then it is one of
 * `unconfirmedCountMax`, of which the oldest makes room for a new one. Packets of no connection are answered with a
 * RESET, which is no longer than they are, and so many a second.
 * Attacker: floods with SYNs: cannot be prevented from pushing out others who come in those same moments; open
 * connections are not touched. Uses us as an amplifier: no answer is longer or more often than what asked for it.
 * Cost: O(1) a datagram; a time-out looks at all connections, which happens when one is due.
 */
import {
  addressScope,
  type Endpoint,
  type Entropy,
  type IpAddress,
  isIpv6,
  readUint16,
} from '@tequio/kernel';
import { limits } from '../limits.ts';
import { UtpConnection } from './utp-connection.ts';
import {
  decodeUtpPacket,
  UtpPacket,
  utpExtension,
  utpHeaderBytes,
  utpType,
  writeUtpIdentity,
  writeUtpMoment,
} from './utp-packet.ts';
import { UtpRoom } from './utp-receiver.ts';
import type { UtpEffect, UtpShared, UtpState } from './utp-shared.ts';
import { UtpSlab } from './utp-slab.ts';

const figures = limits.utp;

export type UtpCounts = {
  readonly receivedPackets: number;
  readonly malformedPackets: number;
  readonly sentPackets: number;
  readonly repeatedPackets: number;
  readonly sentResets: number;
  readonly connections: number;
};

export class UtpSocket {
  readonly #entropy: Entropy;
  readonly #dontFragment: (to: IpAddress) => boolean;
  readonly #effects: UtpEffect<UtpConnection>[] = [];
  readonly #shared: UtpShared<UtpConnection>;
  readonly #packet = new UtpPacket();
  /** By port and number, and then one after the other. */
  readonly #table = new Map<number, UtpConnection>();
  readonly #all = new Set<UtpConnection>();
  /** In the order in which they came. */
  readonly #unconfirmed = new Set<UtpConnection>();
  readonly #glowing = new Set<UtpConnection>();
  /** The one that had the last packet: mostly it has the next one too. */
  #last: UtpConnection | null = null;
  #lent: UtpConnection | null = null;
  #nextTimeoutMs: number | null = null;
  #resetCredit: number = figures.resetBurstCount;
  #creditMs = 0;
  #receivedPackets = 0;
  #malformedPackets = 0;
  #sentResets = 0;
  /** Whether strangers may connect. */
  isListening = false;

  /** @param deps `dontFragment`: whether what is sent there arrives whole or not at all; absent: that is not known */
  constructor(deps: { readonly entropy: Entropy; readonly dontFragment?: (to: IpAddress) => boolean }) {
    this.#entropy = deps.entropy;
    this.#dontFragment = deps.dontFragment ?? (() => false);
    this.#shared = {
      effects: this.#effects,
      slab: new UtpSlab(),
      room: new UtpRoom(figures.sharedReceiveBytesMax),
      counts: { sentPackets: 0, repeatedPackets: 0 },
      wake: (atMs) => this.#wake(atMs),
      moved: (connection, from) => this.#handleMoved(connection, from),
    };
  }

  get counts(): UtpCounts {
    return {
      receivedPackets: this.#receivedPackets,
      malformedPackets: this.#malformedPackets,
      sentResets: this.#sentResets,
      connections: this.#all.size,
      ...this.#shared.counts,
    };
  }

  /** Bytes of all connections that wait for a reader or behind a gap. */
  get waitingBytes(): number {
    return this.#shared.room.usedBytes;
  }

  /** Starts a connection, or null when there are too many. An 'open' or a 'close' follows. */
  dial(to: Endpoint, timeoutMs: number, nowMs: number): UtpConnection | null {
    if (this.#all.size >= figures.connectionCountMax) return null;
    let receiveId = this.#random16();
    while (this.#find(to, receiveId) !== null) receiveId = (receiveId + 1) & 0xffff;
    const connection = this.#create(to, receiveId, (receiveId + 1) & 0xffff, 'dialling', nowMs);
    connection.dial(timeoutMs, nowMs);
    this.#wake(connection.deadlineMs);
    return connection;
  }

  /** `bytes` are borrowed until `release`, which comes after the effects were drained and their connections read. */
  handleDatagram(bytes: Uint8Array, from: Endpoint, nowMs: number): void {
    this.release();
    this.#receivedPackets++;
    const packet = this.#packet;
    if (!decodeUtpPacket(bytes, packet)) {
      this.#malformedPackets++;
      return;
    }
    if (packet.type === utpType.syn) {
      this.#handleSyn(from, nowMs);
      return;
    }
    if (packet.type === utpType.reset) {
      this.#findByEither(from, packet.connectionId)?.handleReset(packet);
      return;
    }
    const connection = this.#find(from, packet.connectionId);
    if (connection === null) {
      this.#sendReset(packet.connectionId, packet.sequence, from, nowMs);
      return;
    }
    this.#last = connection;
    this.#lent = connection;
    connection.handlePacket(packet, bytes, nowMs);
  }

  /** The bytes of the last datagram go away: what nobody has read of them is copied. */
  release(): void {
    this.#lent?.release();
    this.#lent = null;
  }

  handleTimeout(nowMs: number): void {
    this.#nextTimeoutMs = null;
    for (const connection of this.#all) {
      if (connection.deadlineMs <= nowMs) connection.handleTimeout(nowMs);
    }
    for (const connection of this.#all) this.#wake(connection.deadlineMs);
  }

  nextTimeoutMs(): number | null {
    return this.#nextTimeoutMs;
  }

  /** Moves all waiting effects to the end of `out`. */
  drain(out: UtpEffect<UtpConnection>[]): void {
    for (const effect of this.#effects) {
      if (effect.kind === 'ready') effect.connection.isNoticed = false;
      out.push(effect);
    }
    this.#effects.length = 0;
  }

  /** Ends every connection at once. */
  close(nowMs: number): void {
    for (const connection of [...this.#all]) connection.destroy(nowMs);
  }

  #handleSyn(from: Endpoint, nowMs: number): void {
    const packet = this.#packet;
    const receiveId = (packet.connectionId + 1) & 0xffff;
    const known = this.#find(from, receiveId);
    if (known !== null) {
      known.handleSyn(packet, nowMs);
      return;
    }
    if (!this.isListening || this.#all.size >= figures.connectionCountMax) {
      this.#sendReset(packet.connectionId, packet.sequence, from, nowMs);
      return;
    }
    if (this.#unconfirmed.size >= figures.unconfirmedCountMax) {
      for (const oldest of this.#unconfirmed) {
        oldest.handleTimeout(Number.POSITIVE_INFINITY);
        break;
      }
    }
    const connection = this.#create(from, receiveId, packet.connectionId, 'unconfirmed', nowMs);
    connection.handleSyn(packet, nowMs);
  }

  #create(
    remote: Endpoint,
    receiveId: number,
    sendId: number,
    state: 'dialling' | 'unconfirmed',
    nowMs: number,
  ): UtpConnection {
    const identity = {
      remote,
      receiveId,
      sendId,
      firstSequence: this.#random16(),
      mtuBytes: isIpv6(remote.address) ? figures.mtuIpv6Bytes : figures.mtuIpv4Bytes,
      capacityBytes: this.#capacityFor(remote.address),
    };
    const connection = new UtpConnection(this.#shared, identity, state, nowMs);
    const key = tableKey(remote.port, receiveId);
    connection.nextInTable = this.#table.get(key) ?? null;
    this.#table.set(key, connection);
    this.#all.add(connection);
    if (state === 'unconfirmed') this.#unconfirmed.add(connection);
    return connection;
  }

  /**
   * What we take, and try: more than Ethernet's only within one machine, and on local networks where a datagram that
   * is too long does not arrive in pieces. 0: nothing is said. Beyond them nobody carries more.
   */
  #capacityFor(remote: IpAddress): number {
    const scope = addressScope(remote);
    if (scope === 'loopback') return figures.mtuLoopbackBytes;
    if ((scope !== 'private' && scope !== 'link') || !this.#dontFragment(remote)) return 0;
    return isIpv6(remote) ? figures.mtuJumboIpv6Bytes : figures.mtuJumboIpv4Bytes;
  }

  #handleMoved(connection: UtpConnection, from: UtpState): void {
    if (from === 'unconfirmed') this.#unconfirmed.delete(connection);
    if (connection.state === 'glowing') {
      this.#glowing.add(connection);
      if (this.#glowing.size > figures.afterglowCountMax) {
        for (const oldest of this.#glowing) {
          oldest.handleTimeout(Number.POSITIVE_INFINITY);
          break;
        }
      }
    }
    if (connection.state === 'gone') this.#forget(connection);
  }

  #forget(connection: UtpConnection): void {
    this.#glowing.delete(connection);
    if (!this.#all.delete(connection)) return;
    if (this.#last === connection) this.#last = null;
    if (this.#lent === connection) this.#lent = null;
    const key = tableKey(connection.remote.port, connection.receiveId);
    const first = this.#table.get(key);
    if (first === connection) {
      if (connection.nextInTable === null) this.#table.delete(key);
      else this.#table.set(key, connection.nextInTable);
      return;
    }
    for (let before = first; before !== undefined; before = before.nextInTable ?? undefined) {
      if (before.nextInTable === connection) before.nextInTable = connection.nextInTable;
    }
  }

  #find(from: Endpoint, receiveId: number): UtpConnection | null {
    const last = this.#last;
    if (last !== null && isOf(last, from, receiveId)) return last;
    let found = this.#table.get(tableKey(from.port, receiveId)) ?? null;
    while (found !== null && !isOf(found, from, receiveId)) found = found.nextInTable;
    return found;
  }

  /** Some answer with the number that they got, some with the one that we expect. */
  #findByEither(from: Endpoint, id: number): UtpConnection | null {
    const exact = this.#find(from, id);
    if (exact !== null) return exact;
    for (const neighbour of [(id - 1) & 0xffff, (id + 1) & 0xffff]) {
      const found = this.#find(from, neighbour);
      if (found?.sendId === id) return found;
    }
    return null;
  }

  #sendReset(id: number, acknowledged: number, to: Endpoint, nowMs: number): void {
    const earned = ((nowMs - this.#creditMs) / 1000) * figures.resetsPerSecond;
    this.#resetCredit = Math.min(figures.resetBurstCount, this.#resetCredit + Math.max(0, earned));
    this.#creditMs = nowMs;
    if (this.#resetCredit < 1) return;
    this.#resetCredit--;
    this.#sentResets++;
    const bytes = this.#shared.slab.take(utpHeaderBytes);
    writeUtpIdentity(bytes, utpType.reset, utpExtension.none, id, this.#random16());
    writeUtpMoment(bytes, 0, 0, 0, acknowledged);
    this.#effects.push({ kind: 'send', bytes, to });
  }

  #wake(atMs: number): void {
    if (atMs === Number.POSITIVE_INFINITY) return;
    if (this.#nextTimeoutMs === null || atMs < this.#nextTimeoutMs) this.#nextTimeoutMs = atMs;
  }

  #random16(): number {
    return readUint16(this.#entropy.bytes(2), 0);
  }
}

function isOf(connection: UtpConnection, from: Endpoint, receiveId: number): boolean {
  return (
    connection.receiveId === receiveId &&
    connection.remote.port === from.port &&
    connection.remote.address === from.address
  );
}

function tableKey(port: number, receiveId: number): number {
  return port * 0x10000 + receiveId;
}
