/**
 * The way from this node to the outside, as the user wants it. Ports stand on each other, the machine's lowest:
 *
 *   machine -> bound to one address or interface (kill switch) -> through a proxy -> without the filter's addresses
 */
import type { NodeSettings } from '@tequio/api';
import { type IpAddress, NodeError, type Ports } from '@tequio/kernel';
import { type AddressFilterFile, BoundLine, BoundPorts, FilteredPorts } from '@tequio/network';
import type { ProxySettings } from '@tequio/network/proxy';
import { readAddressFilter } from './address-filter-file.ts';

export type Outside = {
  /** To peers, and all that is for them. */
  readonly ports: Ports;
  /** To trackers, and to where torrent files are read from; the same, unless a proxy is for one of the two alone. */
  readonly trackerPorts: Ports;
  /** What kind of proxy there is; null: none. */
  readonly proxyKind: ProxySettings['kind'] | null;
  /** Bound, but straight to the local network, around a proxy: for talking to the router, where there is none. */
  readonly direct: Ports;
  /** Null: not bound. */
  readonly line: BoundLine | null;
  /** Null: the user has none. */
  readonly filter: AddressFilterFile | null;
  /** Another one holds from now on; only where it was said at the start that it may change. */
  setFilter(filter: AddressFilterFile | null): void;
  /** False for addresses that the filter blocks. */
  allowAddress(address: IpAddress): boolean;
  close(): void;
};

/** @throws NodeError of the filter's file; `CLI_USAGE` for a proxy's address that is none */
export async function createOutside(
  settings: NodeSettings,
  machine: Ports,
  { filterMayChange = false } = {},
): Promise<Outside> {
  const { peers = false, trackers = false } = settings.proxy ?? {};
  const proxy = settings.proxy == null ? null : await readProxy(settings.proxy.url);
  const path = settings.addressFilter ?? null;
  let filter = path === null ? null : await readAddressFilter(path, machine.files);
  const line = settings.bind === null ? null : new BoundLine(settings.bind, machine);
  await line?.start();
  const bound = line === null ? machine : new BoundPorts(machine, line);
  const blocks = (address: IpAddress): boolean => filter?.filter.blocks(address) ?? false;
  const proxied = proxy?.above(bound) ?? bound;
  const isFiltered = filterMayChange || filter !== null;
  const filtered = (ports: Ports): Ports => (isFiltered ? new FilteredPorts(ports, blocks) : ports);
  const ports = filtered(peers ? proxied : bound);
  return {
    ports,
    trackerPorts: peers === trackers ? ports : filtered(trackers ? proxied : bound),
    proxyKind: proxy?.kind ?? null,
    direct: bound,
    line,
    get filter() {
      return filter;
    },
    setFilter: (next) => {
      filter = next;
    },
    allowAddress: (address) => !blocks(address),
    close: () => line?.close(),
  };
}

type Proxy = {
  readonly kind: ProxySettings['kind'];
  /** The same ports, through it. */
  above(below: Ports): Ports;
};

/** What a proxy needs is loaded only where there is one. */
async function readProxy(url: string): Promise<Proxy> {
  const { decodeProxyUrl, ProxiedPorts } = await import('@tequio/network/proxy');
  const settings = decodeProxyUrl(url);
  if (!settings.ok) throw new NodeError('CLI_USAGE', settings.fault.message, { op: 'proxy' });
  return { kind: settings.value.kind, above: (below) => new ProxiedPorts(below, settings.value) };
}
