/** Ports that the node's own port mapping has opened in routers, told to libp2p as addresses of ours. */
import type { AddressManager } from '@libp2p/interface-internal';
import type { Multiaddr } from '@multiformats/multiaddr';
import { QUIC_V1, TCP, WebRTCDirect, WebSockets } from '@multiformats/multiaddr-matcher';
import { isLocalAddress } from '@tequio/kernel';
import type { OverlayDeps } from './options.ts';
import { tryEndpointOf } from './tcp-addresses.ts';

type Mapping = NonNullable<OverlayDeps['portMapping']>;
type Opened = {
  readonly internal: string;
  readonly internalPort: number;
  readonly external: string;
  readonly externalPort: number;
  readonly transport: 'tcp' | 'udp';
};

export class MappedPorts {
  readonly #mapping: Mapping;
  readonly #addresses: Pick<AddressManager, 'addPublicAddressMapping' | 'removePublicAddressMapping'>;
  readonly #opened = new Map<string, Opened>();
  /** Of ours, as `transport port`: the node maps other networks' ports too. */
  #wanted: ReadonlySet<string> = new Set();
  #leave = (): void => {};

  constructor(
    mapping: Mapping,
    addresses: Pick<AddressManager, 'addPublicAddressMapping' | 'removePublicAddressMapping'>,
  ) {
    this.#mapping = mapping;
    this.#addresses = addresses;
  }

  /** @param listening where libp2p listens */
  start(listening: readonly Multiaddr[]): void {
    const ports = new Map(listening.flatMap((address) => tryWanted(address)).map((one) => [one.key, one]));
    if (ports.size === 0) return;
    this.#wanted = new Set(ports.keys());
    const release = this.#mapping.want([...ports.values()]);
    const unsubscribe = this.#mapping.subscribe(() => this.#handleChange());
    this.#leave = () => {
      unsubscribe();
      release();
    };
    this.#handleChange();
  }

  /** Gives the mappings back. */
  close(): void {
    this.#leave();
  }

  #handleChange(): void {
    const now = this.#current();
    for (const [key, { internal, internalPort, external, externalPort, transport }] of this.#opened) {
      if (now.has(key)) continue;
      this.#opened.delete(key);
      this.#addresses.removePublicAddressMapping(internal, internalPort, external, externalPort, transport);
    }
    for (const [key, opened] of now) {
      if (this.#opened.has(key)) continue;
      this.#opened.set(key, opened);
      const { internal, internalPort, external, externalPort, transport } = opened;
      this.#addresses.addPublicAddressMapping(internal, internalPort, external, externalPort, transport);
    }
  }

  #current(): Map<string, Opened> {
    const now = new Map<string, Opened>();
    for (const { family, local: address, externalAddress, mappings } of this.#mapping.ways) {
      // Pinholes of IPv6 change no address, and behind a second router the first one's is of no use.
      if (family !== 4 || externalAddress === null || isLocalAddress(externalAddress)) continue;
      for (const { transport, port, externalPort, state } of mappings) {
        if (state !== 'mapped' || externalPort === null || !this.#wanted.has(`${transport} ${port}`))
          continue;
        const opened = {
          internal: address,
          internalPort: port,
          external: externalAddress,
          externalPort,
          transport,
        };
        now.set(Object.values(opened).join(), opened);
      }
    }
    return now;
  }
}

function tryWanted(address: Multiaddr): { key: string; transport: 'tcp' | 'udp'; port: number }[] {
  const port = tryEndpointOf(address)?.port;
  if (port === undefined) return [];
  const isTcp = TCP.exactMatch(address) || WebSockets.exactMatch(address);
  if (!isTcp && !QUIC_V1.exactMatch(address) && !WebRTCDirect.matches(address)) return [];
  const transport = isTcp ? 'tcp' : 'udp';
  return [{ key: `${transport} ${port}`, transport, port }];
}
