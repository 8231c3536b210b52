/**
 * One uTP connection (BEP 29), without I/O: packets and time in, packets out.
 *
 *   dialling ── their answer ──> open ── both ends sent, ours acknowledged, theirs read ──> glowing ──> gone
 *   unconfirmed ── any packet that knows our number ──^
 *   all but glowing ── reset, time-outs, destroy ──> gone
 *
 * unconfirmed: somebody has sent a SYN, perhaps with another's address, so nothing but one answer as short as the SYN
 * is sent, and nobody is told. glowing: closed for its user, but their last packet is still acknowledged when it is
 * repeated.
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
import { UtpAckClock } from './utp-ack-clock.ts';
import { microseconds, UtpClocks } from './utp-clocks.ts';
import { UtpMtu } from './utp-mtu.ts';
import { isSequenceAfter, type UtpPacket, utpHeaderBytes, utpType, writeUtpMoment } from './utp-packet.ts';
import { paddingFor, UtpPacketMaker } from './utp-packet-maker.ts';
import { UtpReceiver } from './utp-receiver.ts';
import { UtpRoundTrip } from './utp-round-trip.ts';
import { type AckOutcome, type SentPacket, UtpSender } from './utp-sender.ts';
import type { UtpFigures, UtpIdentity, UtpShared, UtpState } from './utp-shared.ts';

const never = Number.POSITIVE_INFINITY;
const figures = limits.utp;

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

  readonly #shared: UtpShared<UtpConnection>;
  readonly #capacityBytes: number;
  readonly #sender: UtpSender;
  readonly #maker: UtpPacketMaker;
  readonly #receiver: UtpReceiver;
  readonly #ledbat: Ledbat;
  readonly #mtu: UtpMtu;
  readonly #roundTrip = new UtpRoundTrip();
  readonly #clocks = new UtpClocks();
  readonly #acks = new UtpAckClock();
  #state: UtpState;
  #peerWindowBytes = 0;
  #noticedBytes = 0;
  /** Our end is wanted, and its packet's number once it was sent. */
  #endAsked = false;
  #endSequence: number | null = null;
  #timeoutCount = 0;
  #advertisedBytes = 0;
  #lastSentMs: number;
  #lastDataMs: number;
  #heardMs: number;
  // When something is to be done.
  #resendAtMs = never;
  #lingerAtMs = never;
  /** Of the present state: a dial, an unconfirmed one, the afterglow. */
  #stateEndMs = never;

  constructor(shared: UtpShared<UtpConnection>, identity: UtpIdentity, state: UtpState, nowMs: number) {
    this.#shared = shared;
    this.#capacityBytes = identity.capacityBytes;
    this.remote = identity.remote;
    this.receiveId = identity.receiveId;
    this.sendId = identity.sendId;
    this.#state = state;
    this.#sender = new UtpSender(identity.firstSequence);
    this.#maker = new UtpPacketMaker(shared.slab, this.#sender, identity.sendId);
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
  get figures(): UtpFigures {
    return {
      roundTripMs: this.#roundTrip.ms,
      queueingMs: this.#clocks.queueingMs ?? 0,
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
    return Math.min(this.#acks.deadlineMs, this.#resendAtMs, this.#lingerAtMs, this.#stateEndMs, upkeep);
  }

  // What the user wants.

  /** Sends the SYN. */
  dial(timeoutMs: number, nowMs: number): void {
    this.#stateEndMs = nowMs + timeoutMs;
    const bytes = this.#maker.greeting(utpType.syn, this.receiveId, this.#capacityBytes);
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
  read(nowMs: number): Uint8Array | null {
    return this.#receiver.read(nowMs);
  }

  /** What came with the last datagram and was not read is kept. */
  release(): void {
    this.#receiver.release();
  }

  /** All was read for now: the other side may want to hear that there is room again, or we were waiting to end. */
  markRead(nowMs: number): void {
    if (this.#state !== 'open') return;
    const { ms } = this.#roundTrip;
    if (this.#receiver.markRead(this.#advertisedBytes, ms, nowMs)) this.#sendState(nowMs);
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
    this.#transmit(this.#maker.bare(utpType.reset), nowMs);
    this.#leave(null);
  }

  // What the network brings.

  /** A SYN has made this connection, or has come again. */
  handleSyn(packet: UtpPacket, nowMs: number): void {
    if (this.#state !== 'unconfirmed') return;
    this.#receiver.begin(packet.sequence);
    this.#peerWindowBytes = packet.windowBytes;
    this.#stateEndMs = nowMs + figures.unconfirmedMs;
    this.#clocks.handlePacket(packet, nowMs);
    this.#mtu.raise(Math.min(packet.capacityBytes, this.#capacityBytes));
    // As short as the SYN, which may bear another's address.
    if (packet.capacityBytes === 0) this.#sendState(nowMs);
    else this.#transmit(this.#maker.greeting(utpType.state, this.sendId, this.#capacityBytes), nowMs);
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
      this.#mtu.raise(Math.min(packet.capacityBytes, this.#capacityBytes));
      this.#open('open');
      this.#acks.markUrgent();
    } else if (this.#state === 'unconfirmed') {
      // Our answer to the SYN went there, and this came back: who only receives has no other sample.
      this.#roundTrip.handleSample(nowMs - this.#lastSentMs);
      this.#open('accept');
    }
    this.#heardMs = nowMs;
    this.#clocks.handlePacket(packet, nowMs);
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
      const arrival = this.#receiver.handleData(packet.sequence, payload);
      this.#acks.noteArrival(arrival === 'in-order' && !this.#receiver.hasGap);
    } else if (packet.type === utpType.fin) {
      this.#receiver.handleEnd(packet.sequence);
      this.#acks.markUrgent();
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
      if (this.#state === 'glowing' || this.#state === 'unconfirmed') this.#move('gone');
      else this.#fail('timed out', nowMs);
      return;
    }
    if (this.#state === 'gone' || this.#state === 'glowing') return;
    if (this.#lingerAtMs <= nowMs || this.#heardMs + figures.idleMs <= nowMs) {
      this.#fail('timed out', nowMs);
      return;
    }
    if (this.#resendAtMs <= nowMs) this.#handleResendTime(nowMs);
    if (this.#acks.deadlineMs <= nowMs) this.#sendState(nowMs);
    if (this.#lastSentMs + figures.keepAliveMs <= nowMs && this.#state === 'open') this.#sendState(nowMs);
    this.#notice();
  }

  // Acknowledgements that came.

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
      const { queueingMs } = this.#clocks;
      const boundMs = queueingMs === null ? null : Math.min(queueingMs, outcome.roundTripMs ?? never);
      this.#ledbat.handleAck(outcome.ackedBytes, outcome.flightBytes, boundMs, roundTripMs, nowMs);
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
    const paddingBytes = probeBytes === null ? 0 : paddingFor(probeBytes, payloadBytes);
    if (probeBytes !== null) payloadBytes = probeBytes - utpHeaderBytes - paddingBytes;
    this.#sendData(payloadBytes, paddingBytes, nowMs);
    return true;
  }

  #sendData(payloadBytes: number, paddingBytes: number, nowMs: number): void {
    const bytes = this.#maker.data(payloadBytes, paddingBytes);
    if (paddingBytes > 0) this.#mtu.markProbeSent(bytes.length);
    this.#sender.markSent(bytes, payloadBytes, paddingBytes > 0, nowMs);
    this.#lastDataMs = nowMs;
    this.#transmit(bytes, nowMs);
  }

  #sendEnd(nowMs: number): void {
    this.#endSequence = this.#sender.next;
    const bytes = this.#maker.bare(utpType.fin);
    this.#sender.markSent(bytes, 0, false, nowMs);
    this.#transmit(bytes, nowMs);
  }

  #sendAgain(lost: SentPacket, nowMs: number): void {
    // A probe was lost, perhaps for its length.
    const packet = lost.isProbe ? this.#sender.replaceProbe(lost, this.#maker.withoutPadding(lost)) : lost;
    this.#sender.markSentAgain(packet, nowMs);
    this.#shared.counts.repeatedPackets++;
    this.#transmit(packet.bytes, nowMs);
  }

  #sendState(nowMs: number): void {
    this.#transmit(this.#maker.state(this.#receiver), nowMs);
    this.#acks.handleSent(true, nowMs);
  }

  /** Every packet says what has arrived here. */
  #transmit(bytes: Uint8Array, nowMs: number): void {
    const windowBytes = this.#receiver.windowBytes;
    const timestampUs = microseconds(nowMs);
    writeUtpMoment(bytes, timestampUs, this.#clocks.replyUs, windowBytes, this.#receiver.acknowledged);
    this.#advertisedBytes = windowBytes;
    this.#acks.handleSent(false, nowMs);
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

  /** Says what has arrived, if it has to be now and no bytes of ours have said it. */
  #report(nowMs: number): void {
    if (this.#state !== 'open') return;
    if (this.#acks.isDue(nowMs)) this.#sendState(nowMs);
    else this.#shared.wake(this.#acks.deadlineMs);
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
    if (this.#acks.isOwed) this.#sendState(nowMs);
    this.#stateEndMs = nowMs + figures.afterglowMs;
    this.#shared.wake(this.#stateEndMs);
    this.#shared.effects.push({ kind: 'close', connection: this, error: null });
    this.#move('glowing');
  }

  #fail(error: string, nowMs: number): void {
    this.#transmit(this.#maker.bare(utpType.reset), nowMs);
    this.#leave(error);
  }

  /** dialling, unconfirmed, open -> gone */
  #leave(error: string | null): void {
    if (this.#state !== 'unconfirmed') {
      this.#notice();
      this.#shared.effects.push({ kind: 'close', connection: this, error });
    }
    this.#move('gone');
  }

  /** dialling, unconfirmed -> open */
  #open(kind: 'open' | 'accept'): void {
    this.#stateEndMs = never;
    this.#shared.effects.push({ kind, connection: this });
    this.#move('open');
  }

  #move(state: UtpState): void {
    const from = this.#state;
    this.#state = state;
    if (state !== 'open') {
      this.#sender.close();
      this.#receiver.close();
    }
    this.#shared.moved(this, from);
  }
}
