/**
 * Tells whoever asks from where it is seen (STUN, RFC 8489: binding alone, no credentials). WebRTC needs that to open
 * routers, and there is nobody to ask but peers: whoever is a relay answers on the UDP port of the same number as its
 * TCP port. An answer is at most twelve bytes longer than a question (IPv6: twenty-four), and so many a second.
 */
import {
  addressToBytes,
  type Clock,
  type Endpoint,
  readUint16,
  readUint32,
  type UdpPort,
  type UdpSocket,
  writeUint16,
} from '@tequio/kernel';
import { limits } from './limits.ts';

const headBytes = 20;
const bindingRequest = 0x0001;
const bindingSuccess = 0x0101;
const magicCookie = 0x2112a442;
const xorMappedAddress = 0x0020;

/** The answer to a binding request, or null: it is none. */
export function answerStun(request: Uint8Array, from: Endpoint): Uint8Array | null {
  if (request.length < headBytes || readUint16(request, 0) !== bindingRequest) return null;
  if (readUint32(request, 4) !== magicCookie || readUint16(request, 2) !== request.length - headBytes)
    return null;
  const address = addressToBytes(from.address);
  const answer = new Uint8Array(headBytes + 8 + address.length);
  answer.set(request.subarray(0, headBytes));
  writeUint16(answer, 0, bindingSuccess);
  writeUint16(answer, 2, answer.length - headBytes);
  writeUint16(answer, headBytes, xorMappedAddress);
  writeUint16(answer, headBytes + 2, address.length + 4);
  answer[headBytes + 5] = address.length === 4 ? 1 : 2;
  writeUint16(answer, headBytes + 6, from.port ^ (magicCookie >>> 16));
  // Against the cookie and the transaction's name, which stand one behind the other in the request.
  for (const [i, byte] of address.entries()) answer[headBytes + 8 + i] = byte ^ request[4 + i]!;
  return answer;
}

export class StunServer {
  readonly #udp: UdpPort;
  readonly #clock: Clock;
  #socket: UdpSocket | null = null;
  #secondMs = 0;
  #count = 0;

  constructor(udp: UdpPort, clock: Clock) {
    this.#udp = udp;
    this.#clock = clock;
  }

  /** @throws NodeError `NET_LISTEN` */
  async start(port: number): Promise<void> {
    this.#socket = await this.#udp.bind({ address: null, port }, (bytes, from) => this.#handle(bytes, from));
  }

  async close(): Promise<void> {
    await this.#socket?.close();
  }

  #handle(bytes: Uint8Array, from: Endpoint): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#secondMs >= 1000) [this.#secondMs, this.#count] = [nowMs, 0];
    if (this.#count >= limits.relay.stunPerSecond) return;
    this.#count++;
    const answer = answerStun(bytes, from);
    if (answer !== null) this.#socket?.send(answer, from);
  }
}
