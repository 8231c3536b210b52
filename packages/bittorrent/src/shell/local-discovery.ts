/**
 * Local discovery of a node (BEP 14): one socket a family in the multicast group, announces out, peers in. When to
 * announce and whom to believe is decided by core/local-announcer.
 *
 * Only public torrents are given here. A family whose group cannot be joined (no such network) is left out.
 */
import {
  addressScope,
  type Clock,
  type Endpoint,
  type Entropy,
  type IpAddress,
  isIpv6,
  type Log,
  NodeError,
  Prng,
  readUint32,
  type Timer,
  toHex,
  type UdpPort,
  type UdpSocket,
} from '@tequio/kernel';
import { LocalAnnouncer } from '../core/local-announcer.ts';
import {
  decodeLocalAnnounce,
  encodeLocalAnnounce,
  localDiscoveryGroups,
  localDiscoveryPort,
} from '../wire/local-discovery.ts';

export type LocalDiscoveryDeps = {
  readonly udp: UdpPort;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Address whose network is meant; null: the one that the system prefers. */
  readonly bind: IpAddress | null;
  /** At which others reach us now; 0: nowhere, and nothing is announced. */
  readonly listenPort: () => number;
  /** Somebody near has this torrent. */
  readonly found: (infoHash: string, endpoint: Endpoint) => void;
};

type Group = { readonly family: 4 | 6; readonly socket: UdpSocket };

export class LocalDiscovery {
  readonly #deps: LocalDiscoveryDeps;
  readonly #announcer: LocalAnnouncer;
  readonly #groups: Group[] = [];
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(deps: LocalDiscoveryDeps) {
    this.#deps = deps;
    const { entropy } = deps;
    this.#announcer = new LocalAnnouncer(toHex(entropy.bytes(8)), new Prng(readUint32(entropy.bytes(4), 0)));
  }

  /** Joins the groups; takes no harm where there is none. */
  async start(): Promise<void> {
    const { bind } = this.#deps;
    const families = bind === null ? ([4, 6] as const) : isIpv6(bind) ? ([6] as const) : ([4] as const);
    await Promise.all(families.map((family) => this.#join(family)));
    this.#announce();
  }

  /** A public torrent runs. */
  add(infoHash: Uint8Array): void {
    this.#announcer.add(toHex(infoHash), infoHash, this.#deps.clock.nowMs());
    this.#arm();
  }

  /** It does not run any more, or is private. */
  remove(infoHash: Uint8Array): void {
    this.#announcer.remove(toHex(infoHash), this.#deps.clock.nowMs());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await Promise.all(this.#groups.splice(0).map(({ socket }) => socket.close()));
  }

  async #join(family: 4 | 6): Promise<void> {
    const { udp, bind, log } = this.#deps;
    const multicast = { group: localDiscoveryGroups[family], interface: bind };
    try {
      const at = { address: null, port: localDiscoveryPort, ipv6: family === 6, multicast };
      const socket = await udp.bind(at, (bytes, from) => this.#handleDatagram(bytes, from));
      if (this.#isClosed) await socket.close();
      else this.#groups.push({ family, socket });
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      log.debug('local-discovery.unavailable', { family, error: String(error) });
    }
  }

  #handleDatagram(bytes: Uint8Array, from: Endpoint): void {
    const announce = decodeLocalAnnounce(bytes);
    if (this.#isClosed || !announce.ok) return;
    // Without the name of its network a link-local IPv6 address cannot be dialled.
    if (isIpv6(from.address) && addressScope(from.address) === 'link') return;
    if (!this.#announcer.accepts(announce.value, this.#deps.clock.nowMs())) return;
    const endpoint = { address: from.address, port: announce.value.port };
    for (const infoHash of announce.value.infoHashes) this.#deps.found(toHex(infoHash), endpoint);
  }

  #announce(): void {
    this.#timer = null;
    if (this.#isClosed) return;
    const port = this.#deps.listenPort();
    if (port !== 0 && this.#groups.length > 0) {
      for (const announce of this.#announcer.takeDue(port, this.#deps.clock.nowMs())) {
        for (const { family, socket } of this.#groups) {
          const to = { address: localDiscoveryGroups[family], port: localDiscoveryPort };
          socket.send(encodeLocalAnnounce(announce, family), to);
        }
      }
    }
    // What is still due could not be sent: we do not listen yet.
    this.#arm(port === 0 ? 1000 : 10);
  }

  #arm(delayMinMs = 10): void {
    const next = this.#announcer.nextTimeoutMs();
    if (this.#isClosed || this.#groups.length === 0 || next === null) return;
    this.#timer?.cancel();
    const delayMs = Math.max(delayMinMs, next - this.#deps.clock.nowMs());
    this.#timer = this.#deps.clock.setTimer(delayMs, () => this.#announce());
  }
}
