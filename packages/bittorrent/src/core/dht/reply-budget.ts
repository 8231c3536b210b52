/**
 * How much we say to strangers. A DHT node answers whoever writes, and the sender's address can be forged, so it could
 * be used to flood a third party with answers longer than the questions. Two ceilings:
 *
 * - All answers together: 8 kB a second, saved up for four seconds (as libtorrent has it). What is over is dropped
 *   without a word; an honest asker asks another node. So at most a modem's worth leaves us, whoever asks.
 * - One address (IPv6: one /64): 50 unasked datagrams in ten seconds; who sends more is not heard for five minutes.
 *   On local networks each port counts for itself, for test networks live behind one address.
 *
 * Cost: a Map of who wrote in the last ten seconds or is blocked, at most 4,096 addresses, of which the one not seen
 * for longest gives way; a datagram from a blocked address costs one look-up and is not decoded.
 */
import { readUint16, readUint32, toLatin1 } from '@tequio/kernel';
import { dhtLimits } from './dht-limits.ts';

const { floodWindowMs, floodCountMax, floodBlockMs, floodMemoryCountMax } = dhtLimits;

export class ReplyBudget {
  readonly #perMs: number;
  readonly #bytesMax: number;
  #bytes: number;
  #atMs = 0;

  constructor(bytesPerSecond: number = dhtLimits.replyBytesPerSecond) {
    this.#perMs = bytesPerSecond / 1000;
    this.#bytesMax = bytesPerSecond * dhtLimits.replyBurstS;
    this.#bytes = this.#bytesMax;
  }

  /** True when a datagram of so many bytes may leave; it is counted then. */
  tryTake(datagramBytes: number, nowMs: number): boolean {
    if (nowMs > this.#atMs) {
      this.#bytes = Math.min(this.#bytesMax, this.#bytes + (nowMs - this.#atMs) * this.#perMs);
      this.#atMs = nowMs;
    }
    const bytes = datagramBytes + dhtLimits.headerBytes;
    if (bytes > this.#bytes) return false;
    this.#bytes -= bytes;
    return true;
  }
}

/** Of IPv4 a number: that is found much sooner than text. */
type SenderKey = number | string;
type Sender = { windowMs: number; count: number; blockedUntilMs: number };

export class FloodGate {
  readonly #senders = new Map<SenderKey, Sender>();

  /** Remembered now. */
  get senderCount(): number {
    return this.#senders.size;
  }

  /**
   * Counts a datagram of this sender. False: it is not heard.
   * @param compact its address and port
   * @param isLocal its port counts
   */
  admits(compact: Uint8Array, isLocal: boolean, nowMs: number): boolean {
    const owner = senderKey(compact, isLocal);
    const sender = this.#senders.get(owner);
    if (sender === undefined) {
      this.#forgetOld(nowMs);
      this.#add(owner, { windowMs: nowMs, count: 1, blockedUntilMs: 0 });
      return true;
    }
    if (nowMs < sender.blockedUntilMs) return false;
    if (nowMs - sender.windowMs >= floodWindowMs) {
      sender.windowMs = nowMs;
      sender.count = 0;
      this.#senders.delete(owner);
      this.#senders.set(owner, sender);
    }
    if (++sender.count <= floodCountMax) return true;
    sender.blockedUntilMs = nowMs + floodBlockMs;
    return false;
  }

  /** Two of those at the head, for each that comes: memory follows those who write now. Blocked ones go behind. */
  #forgetOld(nowMs: number): void {
    let left = 2;
    for (const [owner, sender] of this.#senders) {
      if (left-- === 0 || nowMs - sender.windowMs < floodWindowMs) return;
      this.#senders.delete(owner);
      if (nowMs < sender.blockedUntilMs) this.#senders.set(owner, sender);
    }
  }

  #add(owner: SenderKey, sender: Sender): void {
    this.#senders.set(owner, sender);
    if (this.#senders.size > floodMemoryCountMax) this.#senders.delete(this.#senders.keys().next().value!);
  }
}

/** Of local senders address and port, of others the owner of the address (see `ownerBlockOf`). */
function senderKey(compact: Uint8Array, isLocal: boolean): SenderKey {
  if (compact.length === 18) return toLatin1(isLocal ? compact : compact.subarray(0, 8));
  const address = readUint32(compact, 0);
  // Below 2^32, and from 2^48 on.
  return isLocal ? 2 ** 48 + address * 65_536 + readUint16(compact, 4) : address;
}
