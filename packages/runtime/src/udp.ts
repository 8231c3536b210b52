import { createSocket, type Socket } from 'node:dgram';
import type { Endpoint, IpAddress, UdpPort, UdpSocket } from '@tequio/kernel';
import { isIpv6, tryParseAddress } from '@tequio/kernel';
import { plainBytes } from './plain-bytes.ts';
import { listenError } from './tcp-errors.ts';

/** Ceilings of this port. */
export const udpLimits = {
  /** Asked of the system for each direction, so that a burst outlives one busy turn; the system may give less. */
  socketBufferBytes: 1024 * 1024,
} as const;

/** UDP over the system's sockets. A socket speaks IPv4 or IPv6, never both, so that both can have the same port. */
export function createUdp(): UdpPort {
  return { bind };
}

async function bind(
  at: { readonly address: IpAddress | null; readonly port: number; readonly ipv6?: boolean },
  onDatagram: (bytes: Uint8Array, from: Endpoint) => void,
): Promise<UdpSocket> {
  const ipv6 = at.address === null ? at.ipv6 === true : isIpv6(at.address);
  const socket = createSocket({
    type: ipv6 ? 'udp6' : 'udp4',
    ipv6Only: ipv6,
    recvBufferSize: udpLimits.socketBufferBytes,
    sendBufferSize: udpLimits.socketBufferBytes,
    lookup: lookupLiteral,
  });
  await startReceiving(socket, at);
  // Errors of single datagrams (an ICMP "unreachable" that came back): they are lost, which UDP allows.
  socket.on('error', () => {});
  socket.on('message', (bytes, from) => {
    const address = tryParseAddress(from.address);
    if (address !== null) onDatagram(plainBytes(bytes), { address, port: from.port });
  });
  const bound = socket.address();
  const address = tryParseAddress(bound.address) ?? (ipv6 ? ('::' as IpAddress) : ('0.0.0.0' as IpAddress));
  return new SystemUdpSocket(socket, { address, port: bound.port });
}

function startReceiving(
  socket: Socket,
  at: { readonly address: IpAddress | null; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => reject(listenError('UDP', at, error));
    socket.once('error', refuse);
    socket.bind(
      { port: at.port, exclusive: true, ...(at.address === null ? {} : { address: at.address }) },
      () => {
        socket.off('error', refuse);
        resolve();
      },
    );
  });
}

/** Addresses are literals here, so nothing is looked up and `send` reaches the system in the same turn. */
function lookupLiteral(
  address: string,
  family: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, family as number);
}

const ignoreError = (): void => {};

class SystemUdpSocket implements UdpSocket {
  readonly local: Endpoint;
  readonly #socket: Socket;
  #closed: Promise<void> | null = null;

  constructor(socket: Socket, local: Endpoint) {
    this.#socket = socket;
    this.local = local;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    // Port 0 and the other family are refused by an exception before the system is asked.
    if (this.#closed !== null || to.port < 1 || to.port > 65_535) return;
    if (isIpv6(to.address) !== isIpv6(this.local.address)) return;
    this.#socket.send(bytes, to.port, to.address, ignoreError);
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#socket.close(() => resolve()));
    return this.#closed;
  }
}
