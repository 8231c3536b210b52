/**
 * One uTP connection (BEP 29), without I/O: packets and time in, packets out.
 *
 *   dialling ── their answer ──> open ── both ends sent, ours acknowledged, theirs read ──> glowing ──> gone
 *   unconfirmed ── any packet that knows our number ──^
 *   all but glowing ── reset, time-outs, destroy ──> gone
 *
 * unconfirmed: somebody has sent a SYN, perhaps with another's address, so nothing but one answer as short as the SYN is
 * sent, and nobody is told. glowing: closed for its user, but their last packet is still acknowledged when it is repeated.
 * As with TCP here, an end from the other side ends ours when all that is queued was sent.
 *
 * Sending: new bytes leave as packets while the congestion window and the other side's window allow; lost ones first.
 * Receiving: every second packet is acknowledged at once, a gap or a repetition immediately, a single one after a
 * moment, or with bytes of our own.
 * Cost: O(1) a packet; see utp-sender.ts for losses.
 */
import type { Endpoint } from '@tequio/kernel';
import { limits } from '../limits.ts';
import { Ledbat } from './ledbat.ts';
import { UtpDelay } from './utp-delay.ts';
import { UtpMtu } from './utp-mtu.ts';
import {
  isSequenceAfter,
  type UtpPacket,
  utpCapacityBytes,
  utpExtension,
  utpHeaderBytes,
  utpType,
  writeUtpCapacity,
  writeUtpIdentity,
  writeUtpMoment,
  writeUtpPadding,
} from './utp-packet.ts';
import { type Arrival, UtpReceiver, type UtpRoom } from './utp-receiver.ts';
import { UtpRoundTrip } from './utp-round-trip.ts';
import { type AckOutcome, type SentPacket, UtpSender } from './utp-sender.ts';
import type { UtpSlab } from './utp-slab.ts';

const never = Number.POSITIVE_INFINITY;
const figures = limits.utp;

/** What a port does for the sake of its connections. */
export type UtpEffect =
  | { readonly kind: 'send'; readonly bytes: Uint8Array; readonly to: Endpoint }
  /** Somebody has come; `destroy` it to refuse. */
  | { readonly kind: 'accept'; readonly connection: UtpConnection }
  | { readonly kind: 'open'; readonly connection: UtpConnection }
  /** There is something to `read`, or `takenBytes` has grown, or both. */
  | { readonly kind: 'ready'; readonly connection: UtpConnection }
  /** The last of a connection. The error is null after an orderly end, and after `destroy`. */
  | { readonly kind: 'close'; readonly connection: UtpConnection; readonly error: string | null };

/** What the connections of a port share. */
export type UtpShared = {
  readonly effects: UtpEffect[];
  readonly slab: UtpSlab;
  readonly room: UtpRoom;
  readonly counts: { sentPackets: number; repeatedPackets: number };
  /** This connection wants its `handleTimeout` at that time. */
  wake(atMs: number): void;
  /** It has changed its state. */
  moved(connection: UtpConnection, from: UtpState): void;
};

export type UtpState = 'dialling' | 'unconfirmed' | 'open' | 'glowing' | 'gone';

export type UtpIdentity = {
  readonly remote: Endpoint;
  /** In packets to us, and in packets from us. */
  readonly receiveId: number;
  readonly sendId: number;
  /** Our first packet's number. */
  readonly firstSequence: number;
  readonly mtuBytes: number;
  /** What we take ourselves, and say so; 0: nothing is said. */
  readonly capacityBytes: number;
};

export class UtpConnection {
  readonly remote: Endpoint;
  readonly receiveId: number;
  readonly sendId: number;
  /** The next connection in the port's table under the same key. */
  nextInTable: UtpConnection | null = null;
  /** Its user's own; not looked at here. */
  user: unknown = null;
  /** A 'ready' effect waits to be drained. */
  isNoticed = false;

  readonly #shared: UtpShared;
  readonly #capacityBytes: number;
  readonly #sender: UtpSender;
  readonly #receiver: UtpReceiver;
  readonly #ledbat: Ledbat;
  readonly #mtu: UtpMtu;
  readonly #roundTrip = new UtpRoundTrip();
  readonly #delay = new UtpDelay();
  readonly #theirDelay = new UtpDelay();
  #state: UtpState;
  #replyUs = 0;
  #peerWindowBytes = 0;
  #noticedBytes = 0;
  /** Our end is wanted, and its packet's number once it was sent. */
  #endAsked = false;
  #endSequence: number | null = null;
  #timeoutCount = 0;
  /** Packets that came since we last said so. */
  #owedCount = 0;
  /** They must hear where we are, by a packet of its own. */
  #mustReport = false;
  #advertisedBytes = 0;
  #lastAckMs = Number.NEGATIVE_INFINITY;
  #lastSentMs: number;
  #lastDataMs: number;
  #heardMs: number;
  // When something is to be done.
  #ackAtMs = never;
  #resendAtMs = never;
  #lingerAtMs = never;
  /** Of the present state: a dial, an unconfirmed one, the afterglow. */
  #stateEndMs = never;

  constructor(shared: UtpShared, identity: UtpIdentity, state: 'dialling' | 'unconfirmed', nowMs: number) {
    this.#shared = shared;
    this.#capacityBytes = identity.capacityBytes;
    this.remote = identity.remote;
    this.receiveId = identity.receiveId;
    this.sendId = identity.sendId;
    this.#state = state;
    this.#sender = new UtpSender(identity.firstSequence);
    this.#receiver = new UtpReceiver(shared.room);
    this.#mtu = new UtpMtu(identity.mtuBytes);
    this.#ledbat = new Ledbat(this.#mtu.packetBytes - utpHeaderBytes);
    this.#lastSentMs = nowMs;
    this.#lastDataMs = nowMs;
    this.#heardMs = nowMs;
  }

  get state(): UtpState {
    return this.#state;
  }

  /** Bytes written that have not become packets yet. */
  get queuedBytes(): number {
    return this.#sender.queuedBytes;
  }

  /** Bytes written that have become packets: whose memory is free again. */
  get takenBytes(): number {
    return this.#sender.takenBytes;
  }

  /** For showing and testing. */
  get figures(): {
    readonly roundTripMs: number;
    readonly queueingMs: number;
    readonly windowBytes: number;
    readonly flightBytes: number;
    readonly packetBytes: number;
    readonly waitingBytes: number;
  } {
    return {
      roundTripMs: this.#roundTrip.ms,
      queueingMs: this.#delay.queueingUs / 1000,
      windowBytes: this.#ledbat.windowBytes,
      flightBytes: this.#sender.flightBytes,
      packetBytes: this.#mtu.packetBytes,
      waitingBytes: this.#receiver.waitingBytes,
    };
  }

  /** When `handleTimeout` has something to do. */
  get deadlineMs(): number {
    if (this.#state === 'gone') return never;
    if (this.#state === 'glowing') return this.#stateEndMs;
    const upkeep = Math.min(this.#lastSentMs + figures.keepAliveMs, this.#heardMs + figures.idleMs);
    return Math.min(this.#ackAtMs, this.#resendAtMs, this.#lingerAtMs, this.#stateEndMs, upkeep);
  }

  // What the user wants.

  /** Sends the SYN. */
  dial(timeoutMs: number, nowMs: number): void {
    this.#stateEndMs = nowMs + timeoutMs;
    const bytes = this.#takeGreeting(utpType.syn, this.receiveId);
    this.#sender.markSent(bytes, 0, false, nowMs);
    this.#transmit(bytes, nowMs);
    this.#armResend(nowMs);
  }

  /** Queues `parts`, whose memory must not change until `takenBytes` has counted them. False: too late, nothing done. */
  write(parts: readonly Uint8Array[], nowMs: number): boolean {
    if (this.#endAsked || this.#state === 'gone' || this.#state === 'glowing') return false;
    for (const part of parts) this.#sender.add(part);
    this.#flush(nowMs);
    return true;
  }

  /** The next bytes in order, or null. Borrowed until the next call of anything here. */
  read(): Uint8Array | null {
    return this.#receiver.read();
  }

  /** What came with the last datagram and was not read is kept. */
  release(): void {
    this.#receiver.release();
  }

  /** All was read for now: the other side may want to hear that there is room again, or we were waiting to end. */
  markRead(nowMs: number): void {
    if (this.#state !== 'open') return;
    const windowBytes = this.#receiver.windowBytes;
    const grown = windowBytes - this.#advertisedBytes;
    if (this.#advertisedBytes < figures.receiveBytesMax / 4 && grown >= figures.receiveBytesMax / 4) {
      this.#sendState(nowMs);
    }
    this.#settle(nowMs);
  }

  /** Sends what is queued, then our end; what still comes is thrown away. */
  end(nowMs: number): void {
    if (this.#endAsked || this.#state === 'gone' || this.#state === 'glowing') return;
    this.#receiver.discard();
    this.#startEnd(nowMs);
    this.#flush(nowMs);
    this.#settle(nowMs);
  }

  /** any -> gone */
  destroy(nowMs: number): void {
    if (this.#state === 'gone' || this.#state === 'glowing') return;
    this.#sendReset(nowMs);
    this.#leave(null);
  }

  // What the network brings.

  /** A SYN has made this connection, or has come again. */
  handleSyn(packet: UtpPacket, nowMs: number): void {
    if (this.#state !== 'unconfirmed') return;
    this.#receiver.begin(packet.sequence);
    this.#peerWindowBytes = packet.windowBytes;
    this.#stateEndMs = nowMs + figures.unconfirmedMs;
    this.#takeTime(packet, nowMs);
    this.#takeCapacity(packet);
    // As short as the SYN, which may bear another's address.
    if (packet.capacityBytes === 0) this.#sendState(nowMs);
    else this.#transmit(this.#takeGreeting(utpType.state, this.sendId), nowMs);
    this.#shared.wake(this.#stateEndMs);
  }

  /** Any packet but SYN and RESET with our id. `bytes` are borrowed until `release`. */
  handlePacket(packet: UtpPacket, bytes: Uint8Array, nowMs: number): void {
    if (this.#state === 'gone') return;
    if (this.#state === 'glowing') {
      if (packet.type !== utpType.state) this.#sendState(nowMs);
      return;
    }
    if (!this.#sender.isPlausibleAck(packet.acknowledged)) return;
    if (this.#state === 'dialling') {
      if (packet.type !== utpType.state || packet.acknowledged !== this.#sender.oldest) return;
      this.#receiver.begin((packet.sequence - 1) & 0xffff);
      this.#takeCapacity(packet);
      this.#enter('open', 'open');
      this.#mustReport = true;
    } else if (this.#state === 'unconfirmed') this.#enter('open', 'accept');
    this.#heardMs = nowMs;
    this.#takeTime(packet, nowMs);
    const isBare = packet.type === utpType.state;
    const { acknowledged, sackAt, sackBytes } = packet;
    const roundTripMs = this.#roundTrip.ms;
    const outcome = this.#sender.handleAck(
      acknowledged,
      bytes,
      sackAt,
      sackBytes,
      isBare,
      roundTripMs,
      nowMs,
    );
    this.#peerWindowBytes = packet.windowBytes;
    this.#applyAck(outcome, nowMs);
    if (packet.type === utpType.data) {
      const payload = bytes.subarray(packet.payloadAt);
      this.#noteArrival(this.#receiver.handleData(packet.sequence, payload));
    } else if (packet.type === utpType.fin) {
      this.#noteArrival(this.#receiver.handleEnd(packet.sequence));
      this.#mustReport = true;
    }
    this.#flush(nowMs);
    this.#report(nowMs);
    this.#settle(nowMs);
    this.#notice();
  }

  /** The other side knows nothing of this connection, or wants no more of it. */
  handleReset(packet: UtpPacket): void {
    if (this.#state === 'gone' || this.#state === 'glowing') return;
    // What it answers was sent by us: a blind attacker would have to guess that number too.
    if (!this.#sender.isPlausibleAck(packet.acknowledged) && packet.acknowledged !== this.#sender.next)
      return;
    if (this.#state === 'dialling') this.#leave('connection refused');
    else this.#leave(this.#isEndAcknowledged ? null : 'reset by the other side');
  }

  handleTimeout(nowMs: number): void {
    if (this.#stateEndMs <= nowMs) {
      if (this.#state === 'glowing' || this.#state === 'unconfirmed') this.#vanish();
      else this.#fail('timed out', nowMs);
      return;
    }
    if (this.#state === 'gone' || this.#state === 'glowing') return;
    if (this.#lingerAtMs <= nowMs || this.#heardMs + figures.idleMs <= nowMs) {
      this.#fail('timed out', nowMs);
      return;
    }
    if (this.#resendAtMs <= nowMs) this.#handleResendTime(nowMs);
    if (this.#ackAtMs <= nowMs) this.#sendState(nowMs);
    if (this.#lastSentMs + figures.keepAliveMs <= nowMs && this.#state === 'open') this.#sendState(nowMs);
    this.#notice();
  }

  // Acknowledgements that came.

  #takeTime(packet: UtpPacket, nowMs: number): void {
    if (packet.timestampUs !== 0) {
      this.#replyUs = (microseconds(nowMs) - packet.timestampUs) >>> 0;
      const hadSamples = this.#theirDelay.hasSamples;
      const before = this.#theirDelay.baseUs;
      this.#theirDelay.handleSample(this.#replyUs, nowMs);
      // Their packets seem to get faster: the clocks drift apart, so ours would seem to get slower.
      const driftUs = (before - this.#theirDelay.baseUs) | 0;
      if (hadSamples && driftUs > 0 && driftUs < 10_000 && this.#delay.hasSamples)
        this.#delay.shiftBase(driftUs);
    }
    // Some send the largest signed number when they mean none.
    if (packet.delayUs !== 0 && packet.delayUs !== 0x7fffffff)
      this.#delay.handleSample(packet.delayUs, nowMs);
  }

  #applyAck(outcome: AckOutcome, nowMs: number): void {
    if (outcome.ackedCount > 0) {
      if (outcome.roundTripMs !== null) this.#roundTrip.handleSample(outcome.roundTripMs);
      this.#roundTrip.handleProgress();
      this.#timeoutCount = 0;
      if (this.#lingerAtMs !== never) this.#lingerAtMs = nowMs + figures.lingerMs;
      this.#resendAtMs = never;
      this.#armResend(nowMs);
    }
    const roundTripMs = this.#roundTrip.ms;
    if (outcome.ackedBytes > 0) {
      // No packet waits longer than it takes to go and be acknowledged.
      const queueingMs = this.#delay.hasSamples
        ? Math.min(this.#delay.queueingUs / 1000, outcome.roundTripMs ?? never)
        : null;
      this.#ledbat.handleAck(outcome.ackedBytes, outcome.flightBytes, queueingMs, roundTripMs, nowMs);
    }
    if (outcome.isLoss) this.#ledbat.handleLoss(roundTripMs, nowMs);
    if (outcome.isProbeLost) this.#mtu.handleProbeLost();
    if (outcome.isProbeAcked) {
      this.#mtu.handleProbeAcked();
      this.#ledbat.setPacketBytes(this.#mtu.packetBytes - utpHeaderBytes);
    }
  }

  #handleResendTime(nowMs: number): void {
    this.#resendAtMs = never;
    if (this.#sender.outstandingCount === 0) {
      // Their window is shut, and the news that it has opened may have been lost.
      if (this.#sender.queuedBytes > 0) this.#sendData(1, 0, nowMs);
    } else {
      const isShut = this.#peerWindowBytes === 0 && this.#state === 'open';
      if (!isShut && ++this.#timeoutCount > figures.timeoutCountMax) {
        this.#fail('timed out', nowMs);
        return;
      }
      if (this.#timeoutCount > figures.endTimeoutCountMax && this.#isOnlyEndUnheard) {
        this.#leave(null);
        return;
      }
      if (this.#sender.handleTimeout()) this.#mtu.handleTimeout();
      if (this.#timeoutCount === 3 && this.#state === 'open') {
        this.#mtu.handleBlackHole();
        this.#ledbat.setPacketBytes(this.#mtu.packetBytes - utpHeaderBytes);
      }
      this.#ledbat.handleTimeout();
    }
    this.#roundTrip.handleTimeout();
    this.#flush(nowMs);
    this.#armResend(nowMs);
  }

  // Sending.

  /** Sends what may be sent now. */
  #flush(nowMs: number): void {
    const sender = this.#sender;
    if (this.#state === 'dialling' && sender.lostCount > 0) this.#sendAgain(sender.pickLost()!, nowMs);
    if (this.#state !== 'open') return;
    if (!this.#flushLost(nowMs)) return;
    if (sender.outstandingCount === 0 && nowMs - this.#lastDataMs > this.#roundTrip.timeoutMs) {
      this.#ledbat.handleIdle();
    }
    while (sender.queuedBytes > 0 && sender.outstandingCount < figures.outstandingPacketCountMax) {
      if (!this.#trySendNext(nowMs)) break;
    }
    const isAllSent = sender.queuedBytes === 0 && sender.outstandingCount < figures.outstandingPacketCountMax;
    if (this.#endAsked && this.#endSequence === null && isAllSent) this.#sendEnd(nowMs);
    if (sender.queuedBytes > 0 || sender.outstandingCount > 0) this.#armResend(nowMs);
  }

  /** Lost packets first. False: some must wait. */
  #flushLost(nowMs: number): boolean {
    const sender = this.#sender;
    for (;;) {
      const packet = sender.pickLost();
      if (packet === null) return true;
      const roomBytes = this.#ledbat.windowBytes - sender.flightBytes;
      if (packet.payloadBytes > roomBytes && sender.flightBytes > 0) return false;
      this.#sendAgain(packet, nowMs);
    }
  }

  #trySendNext(nowMs: number): boolean {
    const { queuedBytes, flightBytes } = this.#sender;
    const mostBytes = this.#mtu.packetBytes - utpHeaderBytes;
    let payloadBytes = Math.min(queuedBytes, mostBytes);
    const roomBytes = Math.min(this.#ledbat.windowBytes, this.#peerWindowBytes) - flightBytes;
    if (payloadBytes > roomBytes) {
      // Less than a packet is sent only where nothing is on its way whose arrival could make room.
      if (flightBytes > 0 || this.#peerWindowBytes === 0) return false;
      payloadBytes = Math.min(payloadBytes, this.#peerWindowBytes);
    }
    // A probe travels among other packets, so that its loss can be told from theirs.
    const mayProbe =
      payloadBytes === mostBytes && flightBytes > 0 && this.#ledbat.windowBytes > 4 * mostBytes;
    const probeBytes = mayProbe ? this.#mtu.tryProbeBytes(nowMs) : null;
    const paddingBytes = probeBytes === null ? 0 : probeBytes - utpHeaderBytes - payloadBytes;
    this.#sendData(payloadBytes, paddingBytes, nowMs);
    return true;
  }

  /** A SYN or the answer to one. */
  #takeGreeting(type: number, id: number): Uint8Array {
    const says = this.#capacityBytes > 0;
    const bytes = this.#shared.slab.take(utpHeaderBytes + (says ? utpCapacityBytes : 0));
    writeUtpIdentity(bytes, type, says ? utpExtension.capacity : utpExtension.none, id, this.#sender.next);
    if (says) writeUtpCapacity(bytes, utpHeaderBytes, this.#capacityBytes);
    return bytes;
  }

  #takeCapacity(packet: UtpPacket): void {
    this.#mtu.raise(Math.min(packet.capacityBytes, this.#capacityBytes));
  }

  #sendData(payloadBytes: number, paddingBytes: number, nowMs: number): void {
    const at = utpHeaderBytes + paddingBytes;
    const bytes = this.#shared.slab.take(at + payloadBytes);
    const extension = paddingBytes > 0 ? utpExtension.padding : utpExtension.none;
    writeUtpIdentity(bytes, utpType.data, extension, this.sendId, this.#sender.next);
    if (paddingBytes > 0) {
      writeUtpPadding(bytes, utpHeaderBytes, paddingBytes);
      this.#mtu.markProbeSent(bytes.length);
    }
    this.#sender.takeQueued(bytes, at, payloadBytes);
    this.#sender.markSent(bytes, payloadBytes, paddingBytes > 0, nowMs);
    this.#lastDataMs = nowMs;
    this.#transmit(bytes, nowMs);
  }

  #sendEnd(nowMs: number): void {
    const bytes = this.#shared.slab.take(utpHeaderBytes);
    this.#endSequence = this.#sender.next;
    writeUtpIdentity(bytes, utpType.fin, utpExtension.none, this.sendId, this.#endSequence);
    this.#sender.markSent(bytes, 0, false, nowMs);
    this.#transmit(bytes, nowMs);
  }

  #sendAgain(lost: SentPacket, nowMs: number): void {
    const packet = lost.isProbe ? this.#withoutPadding(lost) : lost;
    this.#sender.markSentAgain(packet, nowMs);
    this.#shared.counts.repeatedPackets++;
    this.#transmit(packet.bytes, nowMs);
  }

  /** A probe was lost, perhaps for its length. */
  #withoutPadding(probe: SentPacket): SentPacket {
    const payload = probe.bytes.subarray(probe.bytes.length - probe.payloadBytes);
    const bytes = this.#shared.slab.take(utpHeaderBytes + payload.length);
    writeUtpIdentity(bytes, utpType.data, utpExtension.none, this.sendId, probe.sequence);
    bytes.set(payload, utpHeaderBytes);
    return this.#sender.replaceProbe(probe, bytes);
  }

  /** A packet without bytes: what has arrived here, and what is missing. */
  #sendState(nowMs: number): void {
    const sackBytes = this.#receiver.sackBytes;
    const bytes = this.#shared.slab.take(utpHeaderBytes + (sackBytes === 0 ? 0 : 2 + sackBytes));
    const extension = sackBytes === 0 ? utpExtension.none : utpExtension.sack;
    writeUtpIdentity(bytes, utpType.state, extension, this.sendId, this.#sender.next);
    if (sackBytes > 0) {
      bytes[utpHeaderBytes] = utpExtension.none;
      bytes[utpHeaderBytes + 1] = sackBytes;
      this.#receiver.writeSack(bytes, utpHeaderBytes + 2, sackBytes);
    }
    this.#mustReport = false;
    this.#transmit(bytes, nowMs);
  }

  #sendReset(nowMs: number): void {
    const bytes = this.#shared.slab.take(utpHeaderBytes);
    writeUtpIdentity(bytes, utpType.reset, utpExtension.none, this.sendId, this.#sender.next);
    this.#transmit(bytes, nowMs);
  }

  /** Every packet says what has arrived here. */
  #transmit(bytes: Uint8Array, nowMs: number): void {
    const windowBytes = this.#receiver.windowBytes;
    const timestampUs = microseconds(nowMs);
    writeUtpMoment(bytes, timestampUs, this.#replyUs, windowBytes, this.#receiver.acknowledged);
    this.#advertisedBytes = windowBytes;
    this.#owedCount = 0;
    this.#ackAtMs = never;
    this.#lastAckMs = nowMs;
    this.#lastSentMs = nowMs;
    this.#shared.counts.sentPackets++;
    this.#shared.effects.push({ kind: 'send', bytes, to: this.remote });
  }

  /** From now until `timeoutMs` later something must be heard. */
  #armResend(nowMs: number): void {
    const isWaiting = this.#sender.outstandingCount > 0 || this.#sender.queuedBytes > 0;
    if (!isWaiting) this.#resendAtMs = never;
    else if (this.#resendAtMs === never) {
      this.#resendAtMs = nowMs + this.#roundTrip.timeoutMs;
      this.#shared.wake(this.#resendAtMs);
    }
  }

  // Acknowledging.

  #noteArrival(arrival: Arrival): void {
    this.#owedCount++;
    if (arrival !== 'in-order' || this.#receiver.hasGap) this.#mustReport = true;
  }

  /** Says what has arrived, if it has to be now and no bytes of ours have said it. */
  #report(nowMs: number): void {
    if (this.#state !== 'open') return;
    const sinceMs = nowMs - this.#lastAckMs;
    const isDue = this.#owedCount >= figures.ackPacketCountMax || sinceMs >= figures.ackEveryMs;
    if (this.#mustReport || (this.#owedCount >= 2 && isDue)) this.#sendState(nowMs);
    else if (this.#owedCount > 0 && this.#ackAtMs === never) {
      this.#ackAtMs = nowMs + (this.#owedCount >= 2 ? figures.ackEveryMs : figures.ackDelayMs);
      this.#shared.wake(this.#ackAtMs);
    }
  }

  /** Tells the user, once until it has looked. */
  #notice(): void {
    if (this.isNoticed || this.#state === 'gone') return;
    const { takenBytes } = this.#sender;
    if (this.#receiver.readyBytes === 0 && takenBytes === this.#noticedBytes) return;
    this.#noticedBytes = takenBytes;
    this.isNoticed = true;
    this.#shared.effects.push({ kind: 'ready', connection: this });
  }

  // Ends.

  get #isEndAcknowledged(): boolean {
    return this.#endSequence !== null && isSequenceAfter(this.#sender.oldest, this.#endSequence);
  }

  /** Their end has come, and all of ours but the end itself is with them: some are gone once they have said theirs. */
  get #isOnlyEndUnheard(): boolean {
    return this.#receiver.isAtEnd && this.#endSequence !== null && this.#sender.outstandingCount === 1;
  }

  #startEnd(nowMs: number): void {
    this.#endAsked = true;
    this.#lingerAtMs = nowMs + figures.lingerMs;
    this.#shared.wake(this.#lingerAtMs);
  }

  /** Their end has been read: ours follows. Both are through: it is over. */
  #settle(nowMs: number): void {
    if (this.#state !== 'open' || !this.#receiver.isAtEnd) return;
    if (!this.#endAsked) {
      this.#startEnd(nowMs);
      this.#flush(nowMs);
    }
    if (!this.#isEndAcknowledged) return;
    if (this.#owedCount > 0 || this.#mustReport) this.#sendState(nowMs);
    this.#stateEndMs = nowMs + figures.afterglowMs;
    this.#shared.wake(this.#stateEndMs);
    this.#free();
    this.#shared.effects.push({ kind: 'close', connection: this, error: null });
    this.#move('glowing');
  }

  #fail(error: string, nowMs: number): void {
    this.#sendReset(nowMs);
    this.#leave(error);
  }

  /** dialling, unconfirmed, open -> gone */
  #leave(error: string | null): void {
    if (this.#state !== 'unconfirmed') {
      this.#notice();
      this.#shared.effects.push({ kind: 'close', connection: this, error });
    }
    this.#vanish();
  }

  #vanish(): void {
    this.#free();
    this.#move('gone');
  }

  #free(): void {
    this.#sender.close();
    this.#receiver.close();
  }

  /** dialling, unconfirmed -> open */
  #enter(state: 'open', kind: 'open' | 'accept'): void {
    this.#stateEndMs = never;
    this.#shared.effects.push({ kind, connection: this });
    this.#move(state);
  }

  #move(state: UtpState): void {
    const from = this.#state;
    this.#state = state;
    this.#shared.moved(this, from);
  }
}

/** The clock of timestamps: microseconds, modulo 2^32, never 0. */
function microseconds(nowMs: number): number {
  return Math.floor(nowMs * 1000) >>> 0 || 1;
}
