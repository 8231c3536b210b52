/** The node's port mapping, and what is known about its reachability, fed from what the node sees. */
import { join } from 'node:path';
import type { BittorrentEvent, NatHandle, NatPort, NatStatus } from '@tequio/api';
import type { BittorrentService } from '@tequio/bittorrent';
import { type IpAddress, type Ports, tryParseAddress, tryParseEndpoint } from '@tequio/kernel';
import { ReachabilityJudge } from '@tequio/network';
import { PortMapper } from '@tequio/network/port-mapping';

/** How often `settle` looks. */
const settleTickMs = 50;
const nonceBytes = 12;

export class NodeNat implements NatHandle {
  readonly mapper: PortMapper;
  readonly #ports: Ports;
  readonly #judge: ReachabilityJudge;
  #bittorrent: BittorrentService | null = null;

  /** Makes nothing but a file in the data folder, if that is not there. @throws NodeError `FILE_WRITE` */
  static async create(dataFolder: string, bind: IpAddress | null, ports: Ports): Promise<NodeNat> {
    return new NodeNat(await readNonce(dataFolder, ports), bind, ports);
  }

  private constructor(nonce: Uint8Array, bind: IpAddress | null, ports: Ports) {
    this.#ports = ports;
    this.mapper = new PortMapper({ nonce, description: 'Tequio', bind }, ports);
    this.#judge = new ReachabilityJudge(ports.clock.nowMs());
  }

  /** Begins, with these ports and whatever others want besides. */
  start(wanted: readonly NatPort[] = []): void {
    if (wanted.length > 0) this.mapper.want(wanted);
    this.mapper.subscribe(() => void this.#readOwnAddresses());
    this.mapper.start();
    void this.#readOwnAddresses();
  }

  /** Learns from what BitTorrent sees of the world. */
  follow(bittorrent: BittorrentService): void {
    this.#bittorrent = bittorrent;
    bittorrent.subscribe((event) => this.#handleEvent(event));
  }

  async #readOwnAddresses(): Promise<void> {
    try {
      const networks = await this.#ports.networks.list();
      this.#judge.handleOwnAddresses(networks.map(({ address }) => address));
    } catch (error) {
      this.#ports.log.debug('nat.networks', { error: String(error) });
    }
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

  status(): NatStatus {
    const { ways } = this.mapper;
    this.#judge.handleWays(ways);
    for (const family of [4, 6] as const) {
      const address = this.#bittorrent?.externalAddress(family) ?? null;
      if (address !== null) this.#judge.handleExternalAddress(address);
    }
    for (const { family, externalAddress, portsSeen } of this.#bittorrent?.dht?.status()?.families ?? []) {
      const address = tryParseAddress(externalAddress ?? '');
      if (address !== null) this.#judge.handleExternalAddress(address);
      this.#judge.handlePortsSeen(family, portsSeen);
    }
    return { ways, reachability: this.#judge.report(this.#ports.clock.nowMs()) };
  }

  subscribe(listener: () => void): () => void {
    return this.mapper.subscribe(listener);
  }

  async settle(timeoutMs: number): Promise<void> {
    const { clock } = this.#ports;
    const endMs = clock.nowMs() + timeoutMs;
    while (!this.#isSettled() && clock.nowMs() < endMs) {
      await new Promise<void>((resolve) => clock.setTimer(settleTickMs, resolve));
    }
  }

  close(options?: { readonly keep?: boolean }): Promise<void> {
    return this.mapper.close(options);
  }

  #isSettled(): boolean {
    if (!this.mapper.hasLooked) return false;
    return this.mapper.ways.every(
      ({ protocols, mappings, protocol }) =>
        protocols.every(({ state }) => state !== 'asked') &&
        (protocol === null || mappings.every(({ state }) => state !== 'asked')),
    );
  }
}

/** Routers give a PCP mapping only to who knows its nonce: a node that was killed renews its own after the start. */
async function readNonce(dataFolder: string, { files, entropy }: Ports): Promise<Uint8Array> {
  const path = join(dataFolder, 'port-mapping-nonce');
  if ((await files.kind(path)) === 'file') {
    const nonce = await files.readFile(path, 1024);
    if (nonce.length === nonceBytes) return nonce;
  }
  const nonce = entropy.bytes(nonceBytes);
  await files.makeFolder(dataFolder);
  await files.writeFile(path, nonce);
  return nonce;
}
