/**
 * Finding a UPnP gateway on the local network (SSDP, UPnP Device Architecture 1.1, section 1.3): one datagram to a
 * multicast group asks, gateways answer with the address of their description.
 */
import { encodeUtf8, type Fault, failed, type IpAddress, ok, type Result, toLatin1 } from '@tequio/kernel';
import { routerFault } from './mapping.ts';

export const ssdpLimits = {
  datagramBytes: 2048,
  locationCharacters: 512,
} as const;

export const ssdpPort = 1900;
export const ssdpGroupIpv4 = '239.255.255.250' as IpAddress;
/** Link-local and site-local groups; the second for gateways that listen to no other. */
export const ssdpGroupsIpv6: readonly IpAddress[] = ['ff02::c' as IpAddress, 'ff05::c' as IpAddress];

/** What is asked for. Version 2 devices answer to both of theirs; some old ones only name the service. */
export const ssdpTargets = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
] as const;

export function encodeSsdpSearch(group: IpAddress, target: string): Uint8Array {
  const host = group.includes(':') ? `[${group}]` : group;
  const lines = [
    'M-SEARCH * HTTP/1.1',
    `HOST: ${host}:${ssdpPort}`,
    'MAN: "ssdp:discover"',
    'MX: 1',
    `ST: ${target}`,
    '',
    '',
  ];
  return encodeUtf8(lines.join('\r\n'));
}

export type SsdpAnswer = {
  readonly target: string;
  /** Not checked: see `tryParseRouterUrl`. */
  readonly location: string;
};

/** Faults: `NETWORK_SSDP_SYNTAX`, also for what is a notice or somebody else's search. */
export function decodeSsdpAnswer(bytes: Uint8Array): Result<SsdpAnswer> {
  if (bytes.length > ssdpLimits.datagramBytes) return failed(badSyntax);
  const [first = '', ...lines] = toLatin1(bytes).split(/\r?\n/);
  if (!/^HTTP\/1\.[01] 200\b/.test(first)) return failed(badSyntax);
  let target = '';
  let location = '';
  for (const line of lines) {
    const header = /^(st|location)\s*:\s*(.*?)\s*$/i.exec(line);
    if (header === null) continue;
    if (header[1]!.toLowerCase() === 'st') target = header[2]!;
    else location = header[2]!;
  }
  if (location === '' || location.length > ssdpLimits.locationCharacters) return failed(badSyntax);
  return ok({ target, location });
}

const badSyntax: Fault = routerFault('NETWORK_SSDP_SYNTAX', 'The datagram is no answer to a search.');
