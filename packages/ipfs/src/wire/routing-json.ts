/**
 * Answers of Delegated Routing V1 over HTTP (specs.ipfs.tech/routing/http-routing-v1): who has something, where a peer
 * is. As one JSON object, or as lines of JSON (`application/x-ndjson`).
 */
import { decodeUtf8Lossy, type OverlayProvider } from '@tequio/kernel';

export type RoutingRecord = OverlayProvider & {
  /** Of transfer: `transport-bitswap`, `transport-ipfs-gateway-http`; empty: not said. */
  readonly protocols: readonly string[];
};

export const routingLimits = {
  answerBytesMax: 1024 * 1024,
  recordCountMax: 1000,
  addressCountMax: 64,
  addressBytesMax: 512,
} as const;

/** Total: what cannot be read, and records of schemas that are not known, are passed over. */
export function decodeRoutingAnswer(
  body: Uint8Array,
  contentType: string,
  list: 'Providers' | 'Peers',
): RoutingRecord[] {
  const text = decodeUtf8Lossy(body.subarray(0, routingLimits.answerBytesMax));
  const values: unknown[] = [];
  if (/ndjson/.test(contentType)) for (const line of text.split('\n')) values.push(tryJson(line));
  else {
    const whole = tryJson(text);
    const inside = isObject(whole) ? whole[list] : null;
    if (Array.isArray(inside)) values.push(...inside.slice(0, routingLimits.recordCountMax));
  }
  const records: RoutingRecord[] = [];
  for (const value of values) {
    if (records.length >= routingLimits.recordCountMax) break;
    const record = tryRecord(value);
    if (record !== null) records.push(record);
  }
  return records;
}

function tryRecord(value: unknown): RoutingRecord | null {
  if (!isObject(value)) return null;
  const { Schema: schema, ID: peer, Addrs: addresses, Protocols: protocols } = value;
  if (schema !== 'peer' && schema !== 'bitswap') return null;
  if (typeof peer !== 'string' || !/^[A-Za-z0-9]{32,128}$/.test(peer)) return null;
  return { peer, addresses: texts(addresses), protocols: texts(protocols) };
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter(
      (item): item is string => typeof item === 'string' && item.length <= routingLimits.addressBytesMax,
    )
    .slice(0, routingLimits.addressCountMax);
}

export function encodeRoutingRecord(record: RoutingRecord): string {
  const { peer, addresses, protocols } = record;
  return JSON.stringify({ Schema: 'peer', ID: peer, Addrs: addresses, Protocols: protocols });
}

/** The web address of a gateway in a peer's addresses: `/dns4/example.org/tcp/443/https`, `…/tls/http`. */
export function gatewayUrlOf(address: string): string | null {
  const match =
    /^\/(?:dns|dns4|dns6|ip4)\/([A-Za-z0-9.-]+)\/tcp\/(\d{1,5})\/(https|tls\/http|http)(?:\/p2p\/[^/]+)?$/.exec(
      address,
    );
  if (match === null) return null;
  const [, host, port, kind] = match;
  const scheme = kind === 'http' ? 'http' : 'https';
  return Number(port) > 65_535 ? null : `${scheme}://${host}:${port}`;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The base address of a gateway from its multiaddr (`/dns/example.org/tcp/443/https`); null: it is none. */
export function tryGatewayUrl(address: string): string | null {
  const match =
    /^\/(dns|dns4|dns6|ip4|ip6)\/([^/]{1,253})\/tcp\/(\d{1,5})\/(http|https|tls\/http)(?:\/p2p\/[^/]+)?$/.exec(
      address,
    );
  if (match === null) return null;
  const [, kind, host, port, scheme] = match as unknown as [string, string, string, string, string];
  const name = kind === 'ip6' ? `[${host}]` : host;
  return `${scheme === 'http' ? 'http' : 'https'}://${name}:${port}`;
}
