/**
 * The sending half of a connection: bytes become numbered packets, which are kept until they are acknowledged.
 *
 *   queued -> on its way -> acknowledged (forgotten)
 *                 ^  |
 *                 |  v
 *                lost (waits to be sent again)
 *
 * A packet is lost when three sent after it have arrived, or one that was sent a quarter of a round trip later (so a
 * packet that was sent again can be lost again), or when nothing was heard for a time-out.
 * Cost: O(1) a packet; an acknowledgement that leaves gaps costs the span of the gaps.
 */
import { isSequenceAfter, sequenceDistance } from './utp-packet.ts';
import { UtpRing } from './utp-ring.ts';

/** How many later packets must have arrived. */
const laterCount = 3;

export type SentPacket = {
  readonly sequence: number;
  /** The whole datagram; its changing fields are written anew each time it is sent. */
  readonly bytes: Uint8Array;
  readonly payloadBytes: number;
  /** This one tries how long packets may be. */
  readonly isProbe: boolean;
  sentAtMs: number;
  sentCount: number;
  isLost: boolean;
};

/** What an acknowledgement has changed. One object, good until the next one. */
export class AckOutcome {
  /** Payload that has arrived, and what was on its way before. */
  ackedBytes = 0;
  flightBytes = 0;
  ackedCount = 0;
  /** Of the last packet that was sent once only; null: of none. */
  roundTripMs: number | null = null;
  /** Packets that are no probes were found lost, and not yet in this round trip. */
  isLoss = false;
  isProbeAcked = false;
  isProbeLost = false;
}

export class UtpSender {
  readonly #ring = new UtpRing<SentPacket>();
  readonly #queue: Uint8Array[] = [];
  #queueAt = 0;
  /** Of the first in the queue, so many bytes are taken. */
  #partAt = 0;
  #queuedBytes = 0;
  #takenBytes = 0;
  #next: number;
  #oldest: number;
  /** The highest number that has arrived. */
  #highestAcked: number;
  /** The latest sending time of all that has arrived. */
  #newestAckedMs = Number.NEGATIVE_INFINITY;
  #flightBytes = 0;
  #lostCount = 0;
  /** No packet before this number is lost. */
  #lostFrom = 0;
  /** Losses of packets before this number have been answered for. */
  #recoverUntil: number;
  #repeatCount = 0;
  readonly #outcome = new AckOutcome();

  constructor(first: number) {
    this.#next = first;
    this.#oldest = first;
    this.#highestAcked = (first - 1) & 0xffff;
    this.#recoverUntil = first;
  }

  /** The number of the next new packet. */
  get next(): number {
    return this.#next;
  }

  /** The first number that has not arrived. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Packets that were sent and have not arrived, with those between that have. */
  get outstandingCount(): number {
    return sequenceDistance(this.#oldest, this.#next);
  }

  /** Payload on its way. */
  get flightBytes(): number {
    return this.#flightBytes;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes that have left the queue, since the beginning. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  get lostCount(): number {
    return this.#lostCount;
  }

  /** Queues bytes, which must not change until they are taken. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  /** Copies the next `length` bytes of the queue, which has so many. */
  takeQueued(into: Uint8Array, at: number, length: number): void {
    let left = length;
    let to = at;
    while (left > 0) {
      const part = this.#queue[this.#queueAt]!;
      const count = Math.min(left, part.length - this.#partAt);
      if (count === part.length) into.set(part, to);
      else into.set(part.subarray(this.#partAt, this.#partAt + count), to);
      to += count;
      left -= count;
      this.#partAt += count;
      if (this.#partAt === part.length) this.#dropPart();
    }
    this.#queuedBytes -= length;
    this.#takenBytes += length;
  }

  /** Remembers a new packet, whose number is `next`, as sent. */
  markSent(bytes: Uint8Array, payloadBytes: number, isProbe: boolean, nowMs: number): void {
    const sequence = this.#next;
    const packet = { sequence, bytes, payloadBytes, isProbe, sentAtMs: nowMs, sentCount: 1, isLost: false };
    this.#ring.set(sequence, packet, this.#oldest);
    this.#next = (sequence + 1) & 0xffff;
    this.#flightBytes += payloadBytes;
  }

  /** The lost packet with the lowest number, or null. */
  pickLost(): SentPacket | null {
    if (this.#lostCount === 0) return null;
    let sequence = isSequenceAfter(this.#oldest, this.#lostFrom) ? this.#oldest : this.#lostFrom;
    for (; sequence !== this.#next; sequence = (sequence + 1) & 0xffff) {
      const packet = this.#ring.get(sequence);
      if (packet?.isLost !== true) continue;
      this.#lostFrom = sequence;
      return packet;
    }
    return null;
  }

  /** lost -> on its way; `bytes` is what was sent this time. */
  markSentAgain(packet: SentPacket, nowMs: number): void {
    packet.isLost = false;
    packet.sentAtMs = nowMs;
    packet.sentCount++;
    this.#lostCount--;
    this.#flightBytes += packet.payloadBytes;
  }

  /** Puts a shorter datagram with the same payload in a probe's place. */
  replaceProbe(packet: SentPacket, bytes: Uint8Array): SentPacket {
    const plain = { ...packet, bytes, isProbe: false };
    this.#ring.set(packet.sequence, plain, this.#oldest);
    return plain;
  }

  /** True when the other side can have sent this number by what we have sent. */
  isPlausibleAck(acknowledged: number): boolean {
    const distance = sequenceDistance((this.#oldest - 1) & 0xffff, acknowledged);
    return distance <= this.outstandingCount || distance > 0x8000;
  }

  /**
   * @param sack selective acknowledgement in `bytes`, `sackBytes` long
   * @param isBare the packet carried nothing but this: when it says nothing new either, a packet was lost
   */
  handleAck(
    acknowledged: number,
    bytes: Uint8Array,
    sackAt: number,
    sackBytes: number,
    isBare: boolean,
    roundTripMs: number,
    nowMs: number,
  ): AckOutcome {
    const outcome = this.#outcome;
    outcome.ackedBytes = 0;
    outcome.flightBytes = this.#flightBytes;
    outcome.ackedCount = 0;
    outcome.roundTripMs = null;
    outcome.isLoss = false;
    outcome.isProbeAcked = false;
    outcome.isProbeLost = false;
    const outstanding = this.outstandingCount;
    const newCount = sequenceDistance((this.#oldest - 1) & 0xffff, acknowledged);
    if (newCount > outstanding) return outcome;
    for (let i = 0; i < newCount; i++) {
      this.#acknowledge(this.#oldest, nowMs);
      this.#oldest = (this.#oldest + 1) & 0xffff;
    }
    // Kept near, for numbers wrap.
    if (isSequenceAfter(this.#oldest, this.#recoverUntil)) this.#recoverUntil = this.#oldest;
    if (sackBytes > 0 && outstanding > newCount + 1) this.#acknowledgeSome(bytes, sackAt, sackBytes, nowMs);
    if (newCount > 0) this.#repeatCount = 0;
    else if (isBare && outstanding > 0) this.#repeatCount++;
    if (this.#oldest !== this.#next) this.#findLost(roundTripMs);
    return outcome;
  }

  /** Everything on its way is lost. True when a probe was among it. */
  handleTimeout(): boolean {
    let hasProbe = false;
    for (let sequence = this.#oldest; sequence !== this.#next; sequence = (sequence + 1) & 0xffff) {
      const packet = this.#ring.get(sequence);
      if (packet === undefined) continue;
      if (packet.isProbe) hasProbe = true;
      if (!packet.isLost) this.#markLost(packet);
    }
    this.#recoverUntil = this.#next;
    this.#repeatCount = 0;
    return hasProbe;
  }

  /** Forgets everything. */
  close(): void {
    this.#ring.clear();
    this.#queue.length = 0;
    this.#queueAt = 0;
    this.#partAt = 0;
    this.#queuedBytes = 0;
    this.#flightBytes = 0;
    this.#lostCount = 0;
    this.#oldest = this.#next;
  }

  #dropPart(): void {
    this.#partAt = 0;
    this.#queueAt++;
    if (this.#queueAt === this.#queue.length) {
      this.#queue.length = 0;
      this.#queueAt = 0;
    } else if (this.#queueAt === 256) {
      this.#queue.splice(0, this.#queueAt);
      this.#queueAt = 0;
    }
  }

  #acknowledge(sequence: number, nowMs: number): void {
    const packet = this.#ring.take(sequence);
    if (packet === undefined) return;
    const outcome = this.#outcome;
    outcome.ackedBytes += packet.payloadBytes;
    outcome.ackedCount++;
    if (packet.isLost) this.#lostCount--;
    else this.#flightBytes -= packet.payloadBytes;
    if (packet.isProbe) outcome.isProbeAcked = true;
    if (packet.sentCount === 1) {
      outcome.roundTripMs = Math.max(0, nowMs - packet.sentAtMs);
      // Which sending of a repeated packet has arrived is not known, so that says nothing about others.
      if (packet.sentAtMs > this.#newestAckedMs) this.#newestAckedMs = packet.sentAtMs;
    }
    if (isSequenceAfter(sequence, this.#highestAcked)) this.#highestAcked = sequence;
  }

  /** The bits begin with the packet after the first that is missing. */
  #acknowledgeSome(bytes: Uint8Array, at: number, length: number, nowMs: number): void {
    const first = (this.#oldest + 1) & 0xffff;
    const count = Math.min(length * 8, sequenceDistance(first, this.#next));
    for (let i = 0; i < count; i++) {
      const byte = bytes[at + (i >> 3)]!;
      if (byte === 0) i |= 7;
      else if ((byte >> (i & 7)) & 1) this.#acknowledge((first + i) & 0xffff, nowMs);
    }
  }

  #findLost(roundTripMs: number): void {
    const span = sequenceDistance(this.#oldest, this.#highestAcked);
    if (span < this.outstandingCount) this.#findGaps(span, roundTripMs);
    // Without selective acknowledgements only the first gap is known, by repetitions.
    if (this.#repeatCount >= laterCount) {
      const packet = this.#ring.get(this.#oldest);
      if (packet !== undefined && !packet.isLost && packet.sentCount === 1) this.#lose(packet);
    }
  }

  /** From the highest packet that has arrived down to the first that has not. */
  #findGaps(span: number, roundTripMs: number): void {
    const lateMs = this.#newestAckedMs - Math.max(1, roundTripMs / 4);
    let arrivedCount = 0;
    for (let i = span; i >= 0; i--) {
      const packet = this.#ring.get((this.#oldest + i) & 0xffff);
      if (packet === undefined) arrivedCount++;
      else if (packet.isLost) continue;
      else if ((packet.sentCount === 1 && arrivedCount >= laterCount) || packet.sentAtMs < lateMs) {
        this.#lose(packet);
      }
    }
  }

  #lose(packet: SentPacket): void {
    this.#markLost(packet);
    if (packet.isProbe) this.#outcome.isProbeLost = true;
    else if (!isSequenceAfter(this.#recoverUntil, packet.sequence)) {
      this.#outcome.isLoss = true;
      this.#recoverUntil = this.#next;
    }
  }

  #markLost(packet: SentPacket): void {
    packet.isLost = true;
    this.#flightBytes -= packet.payloadBytes;
    if (this.#lostCount === 0 || isSequenceAfter(this.#lostFrom, packet.sequence)) {
      this.#lostFrom = packet.sequence;
    }
    this.#lostCount++;
  }
}
