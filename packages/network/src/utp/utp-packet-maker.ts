/** The packets of one connection as they are made; what changes whenever they are sent is written then. */
import {
  utpCapacityBytes,
  utpExtension,
  utpHeaderBytes,
  utpPaddingBytesMin,
  utpType,
  writeUtpCapacity,
  writeUtpIdentity,
  writeUtpPadding,
} from './utp-packet.ts';
import type { UtpReceiver } from './utp-receiver.ts';
import type { SentPacket, UtpSender } from './utp-sender.ts';
import type { UtpSlab } from './utp-slab.ts';

/** How much padding makes a packet of `bytes`; there is a least, and then not all of the payload has room in it. */
export function paddingFor(bytes: number, payloadBytes: number): number {
  return Math.max(utpPaddingBytesMin, bytes - utpHeaderBytes - payloadBytes);
}

export class UtpPacketMaker {
  readonly #slab: UtpSlab;
  readonly #sender: UtpSender;
  readonly #sendId: number;

  constructor(slab: UtpSlab, sender: UtpSender, sendId: number) {
    this.#slab = slab;
    this.#sender = sender;
    this.#sendId = sendId;
  }

  /** FIN, RESET: nothing but a header. */
  bare(type: number): Uint8Array {
    const bytes = this.#slab.take(utpHeaderBytes);
    writeUtpIdentity(bytes, type, utpExtension.none, this.#sendId, this.#sender.next);
    return bytes;
  }

  /** A SYN or the answer to one. @param capacityBytes the longest datagram that we take; 0: nothing is said */
  greeting(type: number, id: number, capacityBytes: number): Uint8Array {
    const says = capacityBytes > 0;
    const bytes = this.#slab.take(utpHeaderBytes + (says ? utpCapacityBytes : 0));
    writeUtpIdentity(bytes, type, says ? utpExtension.flags : utpExtension.none, id, this.#sender.next);
    if (says) writeUtpCapacity(bytes, utpHeaderBytes, capacityBytes);
    return bytes;
  }

  /** The next bytes of the queue behind so much padding: none, or `utpPaddingBytesMin` and more. */
  data(payloadBytes: number, paddingBytes: number): Uint8Array {
    const at = utpHeaderBytes + paddingBytes;
    const bytes = this.#slab.take(at + payloadBytes);
    const extension = paddingBytes > 0 ? utpExtension.flags : utpExtension.none;
    writeUtpIdentity(bytes, utpType.data, extension, this.#sendId, this.#sender.next);
    if (paddingBytes > 0) writeUtpPadding(bytes, utpHeaderBytes, paddingBytes);
    this.#sender.takeQueued(bytes, at, payloadBytes);
    return bytes;
  }

  /** What a probe carried, without its padding. */
  withoutPadding(probe: SentPacket): Uint8Array {
    const payload = probe.bytes.subarray(probe.bytes.length - probe.payloadBytes);
    const bytes = this.#slab.take(utpHeaderBytes + payload.length);
    writeUtpIdentity(bytes, utpType.data, utpExtension.none, this.#sendId, probe.sequence);
    bytes.set(payload, utpHeaderBytes);
    return bytes;
  }

  /** A packet without bytes: what has arrived here, and what is missing. */
  state(receiver: UtpReceiver): Uint8Array {
    const { sackBytes } = receiver;
    if (sackBytes === 0) return this.bare(utpType.state);
    const bytes = this.#slab.take(utpHeaderBytes + 2 + sackBytes);
    writeUtpIdentity(bytes, utpType.state, utpExtension.sack, this.#sendId, this.#sender.next);
    bytes[utpHeaderBytes] = utpExtension.none;
    bytes[utpHeaderBytes + 1] = sackBytes;
    receiver.writeSack(bytes, utpHeaderBytes + 2, sackBytes);
    return bytes;
  }
}
