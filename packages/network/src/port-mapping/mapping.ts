/** Words of port mapping that its codecs, clients and machine share. */
import type { Fault, IpAddress } from '@tequio/kernel';

export type Transport = 'tcp' | 'udp';

/** A port of ours that others shall reach. */
export type WantedPort = { readonly transport: Transport; readonly port: number };

/** How the router was asked. UPnP by the version of the service that did it. */
export type MappingProtocol = 'pcp' | 'nat-pmp' | 'upnp';

/** What a router has granted. */
export type GrantedMapping = {
  /** IPv6: the same as the wanted one, for only a pinhole is opened. */
  readonly externalPort: number;
  /** Null: it did not say. */
  readonly externalAddress: IpAddress | null;
  /** 0: for ever. */
  readonly leaseSeconds: number;
};

export function keyOfPort({ transport, port }: WantedPort): string {
  return `${transport}:${port}`;
}

/** The port of a key that `keyOfPort` made. */
export function portOfKey(key: string): WantedPort {
  const [transport, port] = key.split(':');
  return { transport: transport === 'udp' ? 'udp' : 'tcp', port: Number(port) };
}

/** Numbers of IANA, as PCP and the IPv6 pinholes of UPnP use them. */
export const protocolNumbers: Readonly<Record<Transport, number>> = { tcp: 6, udp: 17 };

/** A router's answer that is of no use. Nobody is blamed: it is the user's own router, or somebody who pretends so. */
export function routerFault(code: `NETWORK_${string}`, message: string): Fault {
  return { code, message, blame: 'none', penalty: 0 };
}

/** Said of a router that is `offline`. */
export const offlineReason = 'the router has no public address: it is offline, or behind another router';
