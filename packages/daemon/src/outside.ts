/**
 * The way from this node to the outside, as the user wants it. Ports stand on each other, the machine's lowest:
 *
 *   machine -> bound to one address or interface (kill switch) -> through a proxy -> without the filter's addresses
 */
import type { NodeSettings } from '@tequio/api';
import { type IpAddress, NodeError, type Ports } from '@tequio/kernel';
import {
  type AddressFilterFile,
  BoundLine,
  BoundPorts,
  decodeProxyUrl,
  FilteredPorts,
  ProxiedPorts,
  type ProxySettings,
} from '@tequio/network';
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
  /** False for addresses that the filter blocks. */
  allowAddress(address: IpAddress): boolean;
  close(): void;
};

/** @throws NodeError of the filter's file; `CLI_USAGE` for a proxy's address that is none */
export async function createOutside(settings: NodeSettings, machine: Ports): Promise<Outside> {
  const { peers = false, trackers = false } = settings.proxy ?? {};
  const proxy = settings.proxy == null ? null : readProxy(settings.proxy.url);
  const path = settings.addressFilter ?? null;
  const filter = path === null ? null : await readAddressFilter(path, machine.files);
  const line = settings.bind === null ? null : new BoundLine(settings.bind, machine);
  await line?.start();
  const bound = line === null ? machine : new BoundPorts(machine, line);
  const blocks = (address: IpAddress): boolean => filter?.filter.blocks(address) ?? false;
  const proxied = proxy === null ? bound : new ProxiedPorts(bound, proxy);
  const filtered = (ports: Ports): Ports => (filter === null ? ports : new FilteredPorts(ports, blocks));
  const ports = filtered(peers ? proxied : bound);
  return {
    ports,
    trackerPorts: peers === trackers ? ports : filtered(trackers ? proxied : bound),
    proxyKind: proxy?.kind ?? null,
    direct: bound,
    line,
    filter,
    allowAddress: (address) => !blocks(address),
    close: () => line?.close(),
  };
}

function readProxy(url: string): ProxySettings {
  const proxy = decodeProxyUrl(url);
  if (!proxy.ok) throw new NodeError('CLI_USAGE', proxy.fault.message, { op: 'proxy' });
  return proxy.value;
}
