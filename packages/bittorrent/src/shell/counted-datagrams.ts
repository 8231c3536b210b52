/**
 * What the DHT and UDP trackers say and hear, counted in the node's limits with the headers around it. Datagrams are
 * never held back: they are few and small, and one that comes late is lost. But the content gives way to them. uTP's
 * are counted with the connections that they carry.
 */
import { type Endpoint, isIpv6, type UdpPort, type UdpSocket } from '@tequio/kernel';
import type { DhtPort } from './dht-service.ts';
import type { RateLimits } from './rate-limit.ts';

/** IP and UDP. */
export const datagramHeaderBytes = { ipv4: 28, ipv6: 48 } as const;

type Counter = Pick<RateLimits, 'countDatagram'>;
type OnDatagram = (bytes: Uint8Array, from: Endpoint) => void;

export function countedUdp(udp: UdpPort, rates: Counter): UdpPort {
  return {
    bind: async (at, onDatagram) => countedSocket(await udp.bind(at, counted(onDatagram, rates)), rates),
  };
}

export function countedDhtPort(port: DhtPort, rates: Counter): DhtPort {
  return {
    get localPort() {
      return port.localPort;
    },
    hasFamily: (family) => port.hasFamily(family),
    claim: (kind, onDatagram) => countedSocket(port.claim(kind, counted(onDatagram, rates)), rates),
  };
}

function counted(onDatagram: OnDatagram, rates: Counter): OnDatagram {
  return (bytes, from) => {
    rates.countDatagram('down', onLineBytes(bytes, from));
    onDatagram(bytes, from);
  };
}

function countedSocket(socket: UdpSocket, rates: Counter): UdpSocket {
  return {
    get local() {
      return socket.local;
    },
    send: (bytes, to) => {
      rates.countDatagram('up', onLineBytes(bytes, to));
      socket.send(bytes, to);
    },
    close: () => socket.close(),
  };
}

function onLineBytes(bytes: Uint8Array, other: Endpoint): number {
  return bytes.length + (isIpv6(other.address) ? datagramHeaderBytes.ipv6 : datagramHeaderBytes.ipv4);
}
