/**
 * Memory for many datagrams of one system call: `mmsghdr`, `iovec`, socket addresses, control messages and the
 * datagrams themselves, in one piece whose address never changes. All pointers in it point into it, and are written
 * here alone.
 *
 *   header    64  name, name's length, iovec, count of iovecs, control, its length, flags; length of the datagram
 *   iovec     16  where the datagram is, and its length
 *   address   32  a socket address
 *   control   32  one control message: 16 bytes of head, then at most 4 of a number
 *   payload       apart, behind all of these
 *
 * Equal datagrams to one place may be one message, cut up by the system (UDP_SEGMENT) as late as at the network card,
 * and come in as one message (UDP_GRO); the control message says into which lengths.
 */
import type { Endpoint } from '@tequio/kernel';
import { type Libc, libcNumbers } from './libc.ts';
import {
  SocketAddressReader,
  socketAddressBytes,
  socketAddressStride,
  writeSocketAddress,
} from './socket-address.ts';

export const datagramBatchLimits = {
  /** Messages that are received at once: what one turn of the event loop does before others have theirs. */
  receiveCount: 32,
  /** The longest message; UDP's lengths have 16 bits. */
  messageBytes: 65_536,
  /** Messages that are sent at once, and the memory for them. */
  sendCount: 64,
  sendBytes: 256 * 1024,
  /** How many datagrams the system makes of one message at most (UDP_MAX_SEGMENTS of older systems). */
  segmentCount: 64,
  /** The longest payload: 65,535 less the headers of UDP and IPv6. */
  payloadBytes: 65_487,
} as const;

const limits = datagramBatchLimits;
const headerStride = 64;
const iovecStride = 16;
const controlStride = 32;
const controlHeadBytes = 16;
/** In bytes from the start of a header. */
const headerAt = { control: 32, controlLength: 40, flags: 48, received: 56 } as const;
/** Longer by two cache lines than a message, so that the starts of all messages do not share one set of the cache. */
const payloadStride = limits.messageBytes + 128;

/** What both directions share: the piece of memory, and where its parts are. */
class MessageMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly words: Uint32Array;
  /** The system's address of the first byte. */
  readonly base: number;
  readonly iovecsAt: number;
  readonly addressesAt: number;
  readonly controlsAt: number;
  readonly payloadAt: number;

  constructor(libc: Libc, count: number, payloadBytes: number) {
    this.iovecsAt = count * headerStride;
    this.addressesAt = this.iovecsAt + count * iovecStride;
    this.controlsAt = this.addressesAt + count * socketAddressStride;
    this.payloadAt = this.controlsAt + count * controlStride;
    const memory = new ArrayBuffer(this.payloadAt + payloadBytes);
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
    this.words = new Uint32Array(memory);
    this.base = libc.addressOf(this.bytes);
    for (let i = 0; i < count; i++) {
      const header = i * headerStride;
      this.writePointer(header, this.addressesAt + i * socketAddressStride);
      this.writePointer(header + 16, this.iovecsAt + i * iovecStride);
      this.view.setUint32(header + 24, 1, true);
      this.writePointer(header + headerAt.control, this.controlsAt + i * controlStride);
    }
  }

  writePointer(at: number, target: number): void {
    const address = this.base + target;
    this.view.setUint32(at, address >>> 0, true);
    this.view.setUint32(at + 4, Math.floor(address / 0x1_0000_0000), true);
  }
}

/** One memory for all sockets of a port: what was received is read before anything else is. */
export class ReceiveBatch {
  readonly #libc: Libc;
  readonly #memory: MessageMemory;
  readonly #senders = new SocketAddressReader();

  constructor(libc: Libc) {
    this.#libc = libc;
    const memory = new MessageMemory(libc, limits.receiveCount, limits.receiveCount * payloadStride);
    for (let i = 0; i < limits.receiveCount; i++) {
      const iovec = memory.iovecsAt + i * iovecStride;
      memory.writePointer(iovec, memory.payloadAt + i * payloadStride);
      memory.view.setUint32(iovec + 8, limits.messageBytes, true);
    }
    this.#memory = memory;
  }

  /** @returns how many messages have come; below 0: the error's number */
  receive(fd: number): number {
    const { view, base } = this.#memory;
    // The system has put its own lengths there.
    for (let i = 0; i < limits.receiveCount; i++) {
      view.setUint32(i * headerStride + 8, socketAddressStride, true);
      view.setUint32(i * headerStride + headerAt.controlLength, controlStride, true);
    }
    const count = this.#libc.recvmmsg(fd, base, limits.receiveCount, 0, 0);
    return count < 0 ? -this.#libc.errno() : count;
  }

  /** Where message `i` lies in `bytes`. */
  startOf(i: number): number {
    return this.#memory.payloadAt + i * payloadStride;
  }

  lengthOf(i: number): number {
    return Math.min(limits.messageBytes, this.#memory.words[(i * headerStride + headerAt.received) >> 2]!);
  }

  /** Into what lengths the message is to be cut; 0: it is one datagram. */
  segmentOf(i: number): number {
    const { view, controlsAt } = this.#memory;
    if (view.getUint32(i * headerStride + headerAt.controlLength, true) < controlHeadBytes + 4) return 0;
    const control = controlsAt + i * controlStride;
    const isJoined =
      view.getUint32(control + 8, true) === libcNumbers.udpLevel &&
      view.getUint32(control + 12, true) === libcNumbers.udpJoin;
    return isJoined ? view.getUint32(control + controlHeadBytes, true) : 0;
  }

  senderOf(i: number, ipv6: boolean): Endpoint {
    const { words, addressesAt } = this.#memory;
    return this.#senders.read(words, (addressesAt + i * socketAddressStride) >> 2, ipv6);
  }

  /** A view, good until the next `receive`. */
  bytes(start: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.bytes.buffer, start, length);
  }
}

/** What a socket is about to send. Datagrams are copied into it, so that they can be anywhere before. */
export class SendBatch {
  readonly #libc: Libc;
  readonly #memory: MessageMemory;
  readonly #ipv6: boolean;
  /** Datagrams may share a message: the system cuts them apart. */
  #joins: boolean;
  readonly #setFragments: (fd: number, areAllowed: boolean) => void;
  /** By message: it is lost rather than sent in fragments. */
  readonly #isWhole = new Uint8Array(limits.sendCount + 1);
  /** Messages before `#first` are sent. */
  #first = 0;
  #count = 0;
  #usedBytes = 0;
  /** Of the last message: to whom, how long its first datagram is, how many there are; 0: nothing joins it. */
  #lastTo: Endpoint | null = null;
  #lastSegmentBytes = 0;
  #lastSegmentCount = 0;
  #lastBytes = 0;

  /** @param setFragments lets the socket send in fragments, or not, as at the start */
  constructor(
    libc: Libc,
    ipv6: boolean,
    joins: boolean,
    setFragments: (fd: number, areAllowed: boolean) => void,
  ) {
    this.#libc = libc;
    this.#ipv6 = ipv6;
    this.#joins = joins;
    this.#setFragments = setFragments;
    // The last place is for the parts of a message that the system would not cut.
    const memory = new MessageMemory(libc, limits.sendCount + 1, limits.sendBytes);
    for (let i = 0; i <= limits.sendCount; i++) {
      memory.view.setUint32(
        i * headerStride + 8,
        ipv6 ? socketAddressBytes.ipv6 : socketAddressBytes.ipv4,
        true,
      );
      const control = memory.controlsAt + i * controlStride;
      memory.view.setUint32(control, controlHeadBytes + 2, true);
      memory.view.setUint32(control + 8, libcNumbers.udpLevel, true);
      memory.view.setUint32(control + 12, libcNumbers.udpSegment, true);
    }
    this.#memory = memory;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** @returns false when there is no room; a datagram of more than `payloadBytes` never has any */
  tryAdd(bytes: Uint8Array, to: Endpoint, scope: number, whole: boolean): boolean {
    if (this.#usedBytes + bytes.length > limits.sendBytes) return false;
    const memory = this.#memory;
    const isJoined = this.#canJoin(bytes.length, to, whole);
    if (!isJoined && this.#count === limits.sendCount) return false;
    const at = memory.payloadAt + this.#usedBytes;
    memory.bytes.set(bytes, at);
    this.#usedBytes += bytes.length;
    if (isJoined) this.#join(bytes.length);
    else {
      this.#isWhole[this.#count] = whole ? 1 : 0;
      this.#begin(at, bytes.length, to, scope);
    }
    return true;
  }

  /** Sends. @returns false when the system takes no more for now; the rest is kept */
  flush(fd: number): boolean {
    while (this.#first < this.#count) {
      const sent = this.#libc.sendmmsg(
        fd,
        this.#memory.base + this.#first * headerStride,
        this.#count - this.#first,
        0,
      );
      if (sent > 0) {
        this.#first += sent;
        continue;
      }
      const errno = this.#libc.errno();
      if (errno === errnos.again) return false;
      if (errno === errnos.interrupted) continue;
      // It is lost, as datagrams are, unless it is only too much for one message or one packet.
      if (this.#isJoinedAt(this.#first)) this.#sendApart(fd, this.#first, errno);
      else if (errno === errnos.tooLong) this.#sendFragments(fd, this.#first);
      this.#first++;
    }
    this.#first = 0;
    this.#count = 0;
    this.#usedBytes = 0;
    this.#lastTo = null;
    return true;
  }

  #canJoin(length: number, to: Endpoint, whole: boolean): boolean {
    const last = this.#lastTo;
    return (
      last !== null &&
      (last === to || (last.port === to.port && last.address === to.address)) &&
      whole === (this.#isWhole[this.#count - 1] === 1) &&
      length > 0 &&
      length <= this.#lastSegmentBytes &&
      this.#lastBytes + length <= limits.payloadBytes &&
      this.#lastSegmentCount < limits.segmentCount
    );
  }

  #join(length: number): void {
    const { view, iovecsAt, controlsAt } = this.#memory;
    const i = this.#count - 1;
    this.#lastBytes += length;
    view.setUint32(iovecsAt + i * iovecStride + 8, this.#lastBytes, true);
    if (++this.#lastSegmentCount === 2) {
      view.setUint16(controlsAt + i * controlStride + controlHeadBytes, this.#lastSegmentBytes, true);
      view.setUint32(i * headerStride + headerAt.controlLength, controlHeadBytes + 8, true);
    }
    // Only the last part may be shorter.
    if (length < this.#lastSegmentBytes) this.#lastTo = null;
  }

  #begin(at: number, length: number, to: Endpoint, scope: number): void {
    const i = this.#count++;
    this.#writeMessage(i, at, length);
    writeSocketAddress(
      this.#memory.view,
      this.#memory.addressesAt + i * socketAddressStride,
      to,
      this.#ipv6,
      scope,
    );
    this.#lastTo = this.#joins ? to : null;
    this.#lastSegmentBytes = length;
    this.#lastSegmentCount = 1;
    this.#lastBytes = length;
  }

  #writeMessage(i: number, at: number, length: number): void {
    const memory = this.#memory;
    const iovec = memory.iovecsAt + i * iovecStride;
    memory.writePointer(iovec, at);
    memory.view.setUint32(iovec + 8, length, true);
    memory.view.setUint32(i * headerStride + headerAt.controlLength, 0, true);
  }

  #isJoinedAt(i: number): boolean {
    return this.#memory.view.getUint32(i * headerStride + headerAt.controlLength, true) !== 0;
  }

  /** Longer than the network card's packets. */
  #sendFragments(fd: number, i: number): void {
    if (this.#isWhole[i] === 1) return;
    this.#setFragments(fd, true);
    this.#libc.sendmmsg(fd, this.#memory.base + i * headerStride, 1, 0);
    this.#setFragments(fd, false);
  }

  /** The parts of message `i` one by one, if the system has refused only to cut them. */
  #sendApart(fd: number, i: number, errno: number): void {
    const { view, bytes, iovecsAt, addressesAt, controlsAt, payloadAt, base } = this.#memory;
    // A device that cannot: nothing is joined again on this socket.
    if (errno === errnos.io) this.#joins = false;
    else if (errno !== errnos.invalid && errno !== errnos.tooLong) return;
    const address = addressesAt + i * socketAddressStride;
    const spare = limits.sendCount;
    this.#isWhole[spare] = this.#isWhole[i]!;
    bytes.copyWithin(addressesAt + spare * socketAddressStride, address, address + socketAddressStride);
    const segment = view.getUint16(controlsAt + i * controlStride + controlHeadBytes, true);
    const total = view.getUint32(iovecsAt + i * iovecStride + 8, true);
    // Where the payload starts, from the system's address of it.
    const pointer = iovecsAt + i * iovecStride;
    const start =
      view.getUint32(pointer, true) + view.getUint32(pointer + 4, true) * 0x1_0000_0000 - base - payloadAt;
    for (let done = 0; done < total; done += segment) {
      this.#writeMessage(spare, payloadAt + start + done, Math.min(segment, total - done));
      const isSent = this.#libc.sendmmsg(fd, base + spare * headerStride, 1, 0) === 1;
      if (!isSent && this.#libc.errno() === errnos.tooLong) this.#sendFragments(fd, spare);
    }
  }
}

const errnos = { interrupted: 4, io: 5, again: 11, invalid: 22, tooLong: 90 } as const;
