/** Tells one DHT that this node has a key: whom, out of the region's peers; how, over lines that stay open. */
import type { Libp2p, PeerId } from '@libp2p/interface';
import type { SingleKadDHT } from '@libp2p/kad-dht';
import type { Clock, Hashes } from '@tequio/kernel';
import { CID } from 'multiformats/cid';
import { decode as decodeDigest } from 'multiformats/hashes/digest';
import { KeyRegions, type RegionPeer } from './key-regions.ts';
import { limits } from './limits.ts';
import { ProviderLines } from './provider-lines.ts';
import { encodeAddProvider, encodeFindNode, encodeProvider } from './provider-message.ts';

/** What it works with of libp2p's DHT, whose type promises less. */
export type TellableDht = SingleKadDHT & {
  readonly protocol: string;
  readonly routingTable: { readonly size: number };
  readonly providers: { addProvider(cid: CID, provider: PeerId): Promise<void> };
};

export type ProviderTellingDeps = {
  readonly dht: TellableDht;
  readonly host: Pick<Libp2p, 'peerId' | 'getMultiaddrs' | 'dialProtocol'>;
  readonly hashes: Hashes;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
};

/** Multicodec of raw bytes: the DHT looks at the hash alone. */
const rawCodec = 0x55;

/** See the top of the file. To be closed. */
export class ProviderTelling {
  readonly #deps: ProviderTellingDeps;
  readonly #regions: KeyRegions<PeerId>;
  readonly #lines: ProviderLines;
  readonly #end = new AbortController();
  /** What is the same in all messages, and the addresses that it was made of. */
  #provider: { readonly addresses: string; readonly bytes: Uint8Array } | null = null;

  constructor(deps: ProviderTellingDeps) {
    this.#deps = deps;
    this.#lines = new ProviderLines(deps.clock, encodeFindNode(deps.host.peerId.toMultihash().bytes));
    this.#regions = new KeyRegions<PeerId>({
      lookup: (key) => this.#lookUp(key),
      knownCount: () => deps.dht.routingTable.size,
      hashes: deps.hashes,
      nowMs: () => deps.clock.nowMs(),
      randomBytes: deps.randomBytes,
    });
  }

  close(): void {
    this.#end.abort();
    this.#lines.close();
  }

  /** @param key a multihash @returns the peers that took it; none when `signal` came first */
  async tell(key: Uint8Array, signal: AbortSignal): Promise<readonly string[]> {
    const { dht, host } = this.#deps;
    if (dht.routingTable.size === 0) return [];
    // Whoever asks this node is told so too.
    await dht.providers.addProvider(CID.createV1(rawCodec, decodeDigest(key)), host.peerId);
    const peers = await this.#regions.nearest(key, ({ id }) => !this.#lines.isResting(id)).catch(() => []);
    if (signal.aborted) return [];
    const message = encodeAddProvider(key, this.#encodedProvider());
    const told = await Promise.all(peers.map((peer) => this.#tellOne(peer, message)));
    return peers.flatMap(({ id }, index) => (told[index] === true ? [id] : []));
  }

  #tellOne({ peer, id }: RegionPeer<PeerId>, message: Uint8Array): Promise<boolean> {
    const { host, dht } = this.#deps;
    return this.#lines.tell(id, message, (signal) =>
      host.dialProtocol(peer, dht.protocol, {
        signal,
        maxOutboundStreams: limits.streams.perProtocol,
      }),
    );
  }

  async #lookUp(key: Uint8Array): Promise<readonly RegionPeer<PeerId>[]> {
    const { dht, hashes } = this.#deps;
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(limits.regions.lookupMs)]);
    const found: RegionPeer<PeerId>[] = [];
    for await (const event of dht.getClosestPeers(key, { signal })) {
      if (event.name !== 'FINAL_PEER') continue;
      const { id } = event.peer;
      found.push({ peer: id, id: id.toString(), place: hashes.sha256(id.toMultihash().bytes) });
    }
    return found;
  }

  #encodedProvider(): Uint8Array {
    const { host } = this.#deps;
    const list = host.getMultiaddrs();
    const addresses = list.join(' ');
    if (this.#provider?.addresses !== addresses) {
      const bytes = encodeProvider(
        host.peerId.toMultihash().bytes,
        list.map((address) => address.bytes),
      );
      this.#provider = { addresses, bytes };
    }
    return this.#provider.bytes;
  }
}
