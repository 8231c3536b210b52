/**
 * The receiving half of a connection: packets by number become bytes in order.
 *
 *   in order         -> ready, lent until `release` (a copy is kept when nobody takes it before)
 *   after a gap      -> a copy waits in the ring, and selective acknowledgements name it
 *   seen, too far, or no room -> dropped
 *
 * Attacker: leaves the first gap open and fills the window: that holds at most `receiveBytesMax` of memory, and less
 * when many do it at once (the room that all connections share).
 */
import { copyBytes } from '@tequio/kernel';
import { limits } from '../limits.ts';
import { isSequenceAfter, sequenceDistance } from './utp-packet.ts';
import { UtpReadWindow } from './utp-read-window.ts';
import { UtpRing } from './utp-ring.ts';

const { receiveBytesMax, receiveBytesOwn, reorderPacketCountMax, sackBytesMax } = limits.utp;

/** Memory for bytes that wait, shared by all connections of a port. */
export class UtpRoom {
  readonly bytesMax: number;
  usedBytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }
}

/** What became of a packet. `stray`: seen before, or not kept; the other side should hear where we are. */
export type Arrival = 'in-order' | 'filled' | 'held' | 'stray';

export class UtpReceiver {
  readonly #room: UtpRoom;
  readonly #readWindow = new UtpReadWindow();
  readonly #held = new UtpRing<Uint8Array>();
  #heldCount = 0;
  /** The highest number in the ring. */
  #highest = 0;
  #heldBytes = 0;
  #acknowledged = 0;
  #endSequence: number | null = null;
  /** In order; read up to `#readyAt`. All are our own but the one at `#lentAt`. */
  readonly #ready: Uint8Array[] = [];
  #readyAt = 0;
  #readyBytes = 0;
  #lentAt = -1;
  #discards = false;
  /** What the shared room knows of us. */
  #countedBytes = 0;

  constructor(room: UtpRoom) {
    this.#room = room;
  }

  /** The last number received in order. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Packets wait behind a gap. */
  get hasGap(): boolean {
    return this.#heldCount > 0;
  }

  /** Bytes that wait, in order or not. */
  get waitingBytes(): number {
    return this.#heldBytes + this.#readyBytes;
  }

  get readyBytes(): number {
    return this.#readyBytes;
  }

  /** Everything up to the other side's end has arrived and was read. */
  get isAtEnd(): boolean {
    return this.#endSequence === this.#acknowledged && this.#readyAt === this.#ready.length;
  }

  /** How many bytes more may come: what the reader has use for, as far as there is room. */
  get windowBytes(): number {
    if (this.#discards) return receiveBytesMax;
    const own = this.#readWindow.bytes - this.waitingBytes;
    const shared = Math.max(receiveBytesOwn - this.waitingBytes, this.#room.bytesMax - this.#room.usedBytes);
    return Math.max(0, Math.min(own, shared));
  }

  /** The other side's numbers begin after this one. */
  begin(acknowledged: number): void {
    this.#acknowledged = acknowledged;
    this.#highest = acknowledged;
  }

  /** `payload` is borrowed until `release`. */
  handleData(sequence: number, payload: Uint8Array): Arrival {
    const distance = sequenceDistance(this.#acknowledged, sequence);
    if (distance === 0 || distance > reorderPacketCountMax) return 'stray';
    if (this.#endSequence !== null && isSequenceAfter(sequence, this.#endSequence)) return 'stray';
    if (distance > 1) return this.windowBytes > 0 ? this.#hold(sequence, payload) : 'stray';
    if (!this.#hasRoomForNext) return 'stray';
    this.#acknowledged = sequence;
    this.#push(payload, true);
    return this.#fill();
  }

  /** The other side has no more bytes after this number. */
  handleEnd(sequence: number): Arrival {
    const distance = sequenceDistance(this.#acknowledged, sequence);
    if (distance === 0 || distance > reorderPacketCountMax) return 'stray';
    if (this.#endSequence !== null || (this.#heldCount > 0 && isSequenceAfter(this.#highest, sequence))) {
      return 'stray';
    }
    this.#endSequence = sequence;
    if (distance > 1) return 'held';
    this.#acknowledged = sequence;
    return 'in-order';
  }

  /** The next bytes in order, or null. Borrowed until `release`. */
  read(nowMs: number): Uint8Array | null {
    const bytes = this.#ready[this.#readyAt];
    if (bytes === undefined) return null;
    this.#readyAt++;
    this.#readyBytes -= bytes.length;
    this.#readWindow.markTaken(bytes.length, nowMs);
    if (this.#readyAt === this.#ready.length) {
      this.#ready.length = 0;
      this.#readyAt = 0;
      this.#lentAt = -1;
    } else if (this.#readyAt === 256) {
      this.#ready.splice(0, this.#readyAt);
      this.#lentAt -= this.#readyAt;
      this.#readyAt = 0;
    }
    this.#count();
    return bytes;
  }

  /**
   * The reader takes no more for now.
   * @param advertisedBytes the room that the other side knows of
   * @returns so much more has become free that it should hear of it
   */
  markRead(advertisedBytes: number, roundTripMs: number, nowMs: number): boolean {
    this.#readWindow.markLeft(this.#readyBytes, roundTripMs, nowMs);
    const stepBytes = Math.min(this.#readWindow.bytes, receiveBytesMax / 2) / 2;
    return advertisedBytes < stepBytes && this.windowBytes - advertisedBytes >= stepBytes;
  }

  /** The datagram that was lent goes away: what of it nobody has read is copied. */
  release(): void {
    const lent = this.#lentAt >= this.#readyAt ? this.#ready[this.#lentAt] : undefined;
    if (lent !== undefined) this.#ready[this.#lentAt] = copyBytes(lent);
    this.#lentAt = -1;
  }

  /** From now on bytes are acknowledged and thrown away. */
  discard(): void {
    this.#discards = true;
    this.#ready.length = 0;
    this.#readyAt = 0;
    this.#readyBytes = 0;
    this.#lentAt = -1;
    this.#count();
  }

  /** Gives all memory back. */
  close(): void {
    this.discard();
    this.#held.clear();
    this.#heldCount = 0;
    this.#heldBytes = 0;
    this.#count();
  }

  /** How many bytes `writeSack` will write: a multiple of 4, 0 when there is no gap. */
  get sackBytes(): number {
    if (this.#heldCount === 0) return 0;
    const bits = sequenceDistance(this.#acknowledged, this.#highest) - 1;
    return Math.min(sackBytesMax, Math.ceil(bits / 32) * 4);
  }

  /** Writes which packets wait behind the gap. */
  writeSack(bytes: Uint8Array, at: number, length: number): void {
    for (let i = 0; i < length; i++) {
      let value = 0;
      for (let bit = 0; bit < 8; bit++) {
        const sequence = (this.#acknowledged + 2 + i * 8 + bit) & 0xffff;
        if (isSequenceAfter(sequence, this.#highest)) break;
        if (this.#held.get(sequence) !== undefined) value |= 1 << bit;
      }
      bytes[at + i] = value;
    }
  }

  /** The next packet is taken even behind a full ring, or the gap would never close; one more than fits at most. */
  get #hasRoomForNext(): boolean {
    if (this.#discards || this.#readyBytes < receiveBytesOwn) return true;
    return this.#readyBytes < receiveBytesMax && this.#room.usedBytes < this.#room.bytesMax;
  }

  #hold(sequence: number, payload: Uint8Array): Arrival {
    const first = (this.#acknowledged + 1) & 0xffff;
    if (isSequenceAfter(sequence, this.#highest)) this.#highest = sequence;
    else if (this.#held.get(sequence) !== undefined) return 'stray';
    this.#held.set(sequence, this.#discards ? payload.subarray(0, 0) : copyBytes(payload), first);
    this.#heldCount++;
    this.#heldBytes += this.#discards ? 0 : payload.length;
    this.#count();
    return 'held';
  }

  /** Takes what has waited for the packet that has just come. */
  #fill(): Arrival {
    let arrival: Arrival = 'in-order';
    while (this.#heldCount > 0) {
      const next = (this.#acknowledged + 1) & 0xffff;
      const payload = this.#held.take(next);
      if (payload === undefined) break;
      arrival = 'filled';
      this.#heldCount--;
      this.#heldBytes -= payload.length;
      this.#acknowledged = next;
      this.#push(payload, false);
    }
    if (isSequenceAfter(this.#acknowledged, this.#highest)) this.#highest = this.#acknowledged;
    const next = (this.#acknowledged + 1) & 0xffff;
    if (next === this.#endSequence) {
      this.#acknowledged = next;
      arrival = 'filled';
    }
    this.#count();
    return arrival;
  }

  #push(payload: Uint8Array, isLent: boolean): void {
    if (this.#discards || payload.length === 0) return;
    if (isLent) this.#lentAt = this.#ready.length;
    this.#ready.push(payload);
    this.#readyBytes += payload.length;
  }

  /** Tells the shared room what has changed. */
  #count(): void {
    const bytes = this.waitingBytes;
    this.#room.usedBytes += bytes - this.#countedBytes;
    this.#countedBytes = bytes;
  }
}
