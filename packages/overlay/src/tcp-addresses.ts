import {
  CODE_DNS,
  CODE_DNS4,
  CODE_DNS6,
  CODE_IP4,
  CODE_IP6,
  CODE_TCP,
  type Multiaddr,
  multiaddr,
} from '@multiformats/multiaddr';
import { TCP } from '@multiformats/multiaddr-matcher';
import { type Endpoint, type IpAddress, isIpv6, tryParseAddress } from '@tequio/kernel';

/** Who is dialled over TCP: an address, or a name that is to be looked up. */
export type TcpTarget = {
  readonly host: string;
  readonly port: number;
  /** Of the name's addresses, those of this family; null: any. */
  readonly family: 4 | 6 | null;
};

/** The target of `/ip4/…/tcp/…` and the like, with or without a peer at its end; null for anything else. */
export function tryTcpTarget(address: Multiaddr): TcpTarget | null {
  if (!TCP.exactMatch(address)) return null;
  const [first, second] = address.getComponents();
  if (first?.value === undefined || second?.code !== CODE_TCP) return null;
  const port = Number(second.value);
  if (first.code === CODE_IP4 || first.code === CODE_DNS4) return { host: first.value, port, family: 4 };
  if (first.code === CODE_IP6 || first.code === CODE_DNS6) return { host: first.value, port, family: 6 };
  return first.code === CODE_DNS ? { host: first.value, port, family: null } : null;
}

/** The IP address and port that a multiaddr begins with, over TCP or UDP; null: it begins otherwise. */
export function tryEndpointOf(address: Multiaddr): Endpoint | null {
  const [first, second] = address.getComponents();
  const host =
    first?.code === CODE_IP4 || first?.code === CODE_IP6 ? tryParseAddress(first.value ?? '') : null;
  const port = Number(second?.value);
  return host === null || !Number.isInteger(port) ? null : { address: host, port };
}

export function tcpAddress({ address, port }: Endpoint): Multiaddr {
  return multiaddr(`/${isIpv6(address) ? 'ip6' : 'ip4'}/${address}/tcp/${port}`);
}

/** Addresses for whoever listens on all of this machine's. */
export function isAnyAddress(address: IpAddress): boolean {
  return address === '0.0.0.0' || address === '::';
}
