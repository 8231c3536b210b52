/**
 * The way from this node to the outside, as the user wants it. Ports stand on each other, the machine's lowest:
 *
 *   machine -> bound to one address or interface (kill switch) -> without the addresses of the filter
 */
import type { NodeSettings } from '@tequio/api';
import type { IpAddress, Ports } from '@tequio/kernel';
import { type AddressFilterFile, BoundLine, BoundPorts, FilteredPorts } from '@tequio/network';
import { readAddressFilter } from './address-filter-file.ts';

export type Outside = {
  readonly ports: Ports;
  /** Bound, but straight to the local network: for talking to the router. */
  readonly direct: Ports;
  /** Null: not bound. */
  readonly line: BoundLine | null;
  /** Null: the user has none. */
  readonly filter: AddressFilterFile | null;
  /** False for addresses that the filter blocks. */
  allowAddress(address: IpAddress): boolean;
  close(): void;
};

/** @throws NodeError of the filter's file */
export async function createOutside(settings: NodeSettings, machine: Ports): Promise<Outside> {
  const path = settings.addressFilter ?? null;
  const filter = path === null ? null : await readAddressFilter(path, machine.files);
  const line = settings.bind === null ? null : new BoundLine(settings.bind, machine);
  await line?.start();
  const bound = line === null ? machine : new BoundPorts(machine, line);
  const blocks = (address: IpAddress): boolean => filter?.filter.blocks(address) ?? false;
  return {
    ports: filter === null ? bound : new FilteredPorts(bound, blocks),
    direct: bound,
    line,
    filter,
    allowAddress: (address) => !blocks(address),
    close: () => line?.close(),
  };
}
