/** Whether others reach this node, told from what all its parts see of the world. */
import type { BittorrentEvent, NatReachability, NatWay } from '@tequio/api';
import type { BittorrentService } from '@tequio/bittorrent';
import {
  addressScope,
  formatEndpoint,
  type IpAddress,
  isIpv6,
  type Ports,
  tryParseAddress,
  tryParseEndpoint,
} from '@tequio/kernel';
import { type Reachability, ReachabilityJudge } from '@tequio/network';
import type { NodeNat } from './node-nat.ts';

export type ReachabilitySources = {
  readonly bittorrent: BittorrentService;
  /** Null: routers are not asked. */
  readonly nat: NodeNat | null;
  /** Over what somebody could come in at all. */
  readonly listens: { readonly tcp: boolean; readonly udp: boolean };
  /** What others see is a proxy, and its address none of ours. */
  readonly isProxied: boolean;
};

type NeededPorts = Pick<Ports, 'clock' | 'log' | 'networks'>;

/** How others see us: an address, and our UDP port where they agree on it (0: they do not). */
type Seen = { readonly address: IpAddress | null; readonly udpPort: number };

/** Hears of every connection from the beginning; the other parts it asks when it is asked itself. */
export class NodeReachability {
  readonly #sources: ReachabilitySources;
  readonly #ports: NeededPorts;
  readonly #judge: ReachabilityJudge;

  constructor(sources: ReachabilitySources, ports: NeededPorts) {
    this.#sources = sources;
    this.#ports = ports;
    this.#judge = new ReachabilityJudge(ports.clock.nowMs());
    this.#judge.handleListening('tcp', sources.listens.tcp);
    this.#judge.handleListening('udp', sources.listens.udp);
    sources.bittorrent.subscribe((event) => this.#handleEvent(event));
  }

  async report(): Promise<readonly NatReachability[]> {
    const own = await this.#ownAddresses();
    const ways = this.#sources.nat?.mapper.ways ?? [];
    this.#judge.handleOwnAddresses(own);
    this.#judge.handleWays(ways);
    const seen = { 4: this.#seen(4), 6: this.#seen(6) };
    return this.#judge.report(this.#ports.clock.nowMs()).map((one) => ({
      ...one,
      endpoint: this.#endpointOf(one, ways, seen[one.family], own),
    }));
  }

  #handleEvent(event: BittorrentEvent): void {
    if (event.type !== 'bittorrent.peer.connected') return;
    const endpoint = tryParseEndpoint(event.endpoint);
    if (endpoint === null) return;
    const transport = event.transport === 'utp' ? 'udp' : 'tcp';
    const nowMs = this.#ports.clock.nowMs();
    if (event.incoming) this.#judge.handleIncoming(transport, endpoint.address, nowMs);
    else {
      this.#judge.handleDial(transport, endpoint.address, nowMs);
      this.#judge.handleOpened(transport, endpoint.address);
    }
  }

  async #ownAddresses(): Promise<readonly IpAddress[]> {
    try {
      return (await this.#ports.networks.list()).map(({ address }) => address);
    } catch (error) {
      this.#ports.log.debug('reachability.networks', { error: String(error) });
      return [];
    }
  }

  #seen(family: 4 | 6): Seen {
    const { bittorrent, isProxied } = this.#sources;
    if (isProxied) return { address: null, udpPort: 0 };
    const dht = bittorrent.dht?.status()?.families.find((one) => one.family === family);
    const address = tryParseAddress(dht?.externalAddress ?? '') ?? bittorrent.externalAddress(family);
    if (address !== null) this.#judge.handleExternalAddress(address);
    const portsSeen = dht?.portsSeen ?? [];
    this.#judge.handlePortsSeen(family, portsSeen);
    const [first = 0] = portsSeen;
    return { address, udpPort: portsSeen.every((port) => port === first) ? first : 0 };
  }

  #endpointOf(
    { family, transport, basis, state }: Reachability,
    ways: readonly NatWay[],
    seen: Seen,
    own: readonly IpAddress[],
  ): string | null {
    if (basis === 'not-listening' || basis === 'no-address') return null;
    for (const way of state === 'mapped' ? ways : []) {
      const mapping = way.mappings.find((one) => one.transport === transport && one.state === 'mapped');
      const address = tryParseAddress((family === 6 ? way.local : way.externalAddress) ?? '');
      if (way.family !== family || way.isDoubleNat || mapping?.externalPort == null || address === null)
        continue;
      return formatEndpoint({ address, port: mapping.externalPort });
    }
    const isOwn = (address: IpAddress): boolean =>
      isIpv6(address) === (family === 6) && addressScope(address) === 'global';
    const address = seen.address ?? own.find(isOwn) ?? null;
    const port = (transport === 'udp' ? seen.udpPort : 0) || this.#sources.bittorrent.port;
    return address === null || port === 0 ? null : formatEndpoint({ address, port });
  }
}
