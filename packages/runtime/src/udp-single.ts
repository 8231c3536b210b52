import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Endpoint, IpAddress, Multicast, UdpPort, UdpSocket } from '@tequio/kernel';
import { addressScope, isIpv6, tryParseAddress } from '@tequio/kernel';
import { plainBytes } from './plain-bytes.ts';
import { listenError } from './tcp-errors.ts';
import { udpLimits } from './udp-limits.ts';

/** UDP by Node's own sockets, one datagram a system call: everywhere, with and without groups. */
export function createSingleUdp(): UdpPort {
  return { bind };
}

type Place = Parameters<UdpPort['bind']>[0];

async function bind(at: Place, onDatagram: (bytes: Uint8Array, from: Endpoint) => void): Promise<UdpSocket> {
  const ipv6 = at.address === null ? at.ipv6 === true : isIpv6(at.address);
  const socket = createSocket({
    type: ipv6 ? 'udp6' : 'udp4',
    ipv6Only: ipv6,
    reuseAddr: at.multicast !== undefined,
    recvBufferSize: udpLimits.socketBufferBytes,
    sendBufferSize: udpLimits.socketBufferBytes,
    lookup: lookupLiteral,
  });
  await startReceiving(socket, at);
  const zone = ipv6 ? zoneOf(at.address ?? at.multicast?.interface ?? null) : '';
  if (at.multicast !== undefined) joinGroup(socket, at, at.multicast, zone);
  // Errors of single datagrams (an ICMP "unreachable" that came back): they are lost, which UDP allows.
  socket.on('error', () => {});
  // Mostly the next datagram is from where the last one came: then nothing is read anew.
  let lastText = '';
  let last: Endpoint | null = null;
  socket.on('message', (bytes, from) => {
    if (last === null || from.port !== last.port || from.address !== lastText) {
      const address = tryParseAddress(from.address);
      if (address === null) return;
      lastText = from.address;
      last = { address, port: from.port };
    }
    onDatagram(plainBytes(bytes), last);
  });
  const bound = socket.address();
  const address = tryParseAddress(bound.address) ?? (ipv6 ? ('::' as IpAddress) : ('0.0.0.0' as IpAddress));
  return new SystemUdpSocket(socket, { address, port: bound.port }, zone);
}

/** @throws NodeError `NET_LISTEN`; the socket is closed then */
function joinGroup(socket: Socket, at: Place, { group, interface: ours }: Multicast, zone: string): void {
  const through = isIpv6(group) ? `::${zone}` : (ours ?? undefined);
  try {
    // Also where nothing is received on this port: without a member some switches do not pass a group on.
    socket.addMembership(group, through);
    if (through !== undefined && through !== '::') socket.setMulticastInterface(through);
    socket.setMulticastTTL(1);
    socket.setMulticastLoopback(true);
  } catch (error) {
    socket.close();
    throw listenError('UDP', at, error);
  }
}

/** `%eth0` (on Windows `%12`) of the interface that has this address, as IPv6 addresses name it; '' when none has. */
function zoneOf(ours: IpAddress | null): string {
  if (ours === null) return '';
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const found = addresses?.find((own) => tryParseAddress(own.address) === ours);
    if (found?.family === 'IPv6') return `%${process.platform === 'win32' ? found.scopeid : name}`;
  }
  return '';
}

function startReceiving(socket: Socket, at: Place): Promise<void> {
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

/**
 * What is sent waits for the end of the turn of the event loop, in which up to 32 datagrams were received: who gets
 * several is woken once for all of them, and a busy node sends a tenth more for its processor time.
 */
class SystemUdpSocket implements UdpSocket {
  readonly local: Endpoint;
  readonly #socket: Socket;
  /** Put behind link-local addresses. */
  readonly #zone: string;
  readonly #isIpv6: boolean;
  readonly #waitingBytes: Uint8Array[] = [];
  readonly #waitingTo: Endpoint[] = [];
  #closed: Promise<void> | null = null;

  constructor(socket: Socket, local: Endpoint, zone: string) {
    this.#socket = socket;
    this.local = local;
    this.#zone = zone;
    this.#isIpv6 = isIpv6(local.address);
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    // Port 0 and the other family are refused by an exception before the system is asked.
    if (this.#closed !== null || to.port < 1 || to.port > 65_535) return;
    if (isIpv6(to.address) !== this.#isIpv6) return;
    this.#waitingBytes.push(bytes);
    if (this.#waitingTo.push(to) === 1) setImmediate(this.#flush);
  }

  close(): Promise<void> {
    if (this.#closed === null) this.#flush();
    this.#closed ??= new Promise((resolve) => this.#socket.close(() => resolve()));
    return this.#closed;
  }

  /** To the system with all that was sent in this turn of the event loop. */
  readonly #flush = (): void => {
    const count = this.#waitingTo.length;
    for (let i = 0; i < count; i++) {
      const { address, port } = this.#waitingTo[i]!;
      const zone = this.#zone !== '' && addressScope(address) === 'link' ? this.#zone : '';
      // Without a callback errors are nobody's, and no turn of the event loop is spent on each datagram.
      this.#socket.send(this.#waitingBytes[i]!, port, zone === '' ? address : address + zone);
    }
    this.#waitingTo.length = 0;
    this.#waitingBytes.length = 0;
  };
}
