/**
 * Torrents that change (BEP 46): whoever has a secret key says in the DHT which torrent is the present one, and others
 * ask from time to time. Both keep the item alive, so it outlives either of them.
 *
 * Publishing the same torrent again takes the number that is stored; another one takes the next. Following tells only
 * of higher numbers, so an old item that somebody keeps alive takes nobody back.
 */
import {
  bytesEqual,
  type Clock,
  type Hashes,
  NodeError,
  type Signatures,
  type Timer,
  toHex,
} from '@tequio/kernel';
import type { MutableUpdate, PublishedTorrent } from '../contract.ts';
import type { SearchReport } from '../core/dht/dht-effect.ts';
import { type MutableItem, mutableTargetOf, signItem } from '../wire/dht-item.ts';
import { encodeMutableTorrent, type MutableLink, tryDecodeMutableTorrent } from '../wire/mutable-link.ts';
import type { DhtService } from './dht-service.ts';

export const mutableTimes = {
  /** A torrent that is known is asked for so often. */
  pollMs: 60_000,
  /** And one of which nothing was found yet. */
  searchMs: 5000,
} as const;

export class MutableTorrents {
  readonly #dht: DhtService;
  readonly #deps: { readonly clock: Clock; readonly hashes: Hashes; readonly signatures: Signatures };

  constructor(
    dht: DhtService,
    deps: { readonly clock: Clock; readonly hashes: Hashes; readonly signatures: Signatures },
  ) {
    this.#dht = dht;
    this.#deps = deps;
  }

  async publish(secretKey: Uint8Array, salt: Uint8Array, infoHash: Uint8Array): Promise<PublishedTorrent> {
    const { signatures } = this.#deps;
    const publicKey = signatures.publicKeyOf(secretKey);
    const value = encodeMutableTorrent(infoHash);
    const stored = await this.#get({ publicKey, salt });
    const isSame = stored !== null && bytesEqual(stored.value, value);
    const sequence = isSame ? stored.sequence : (stored?.sequence ?? 0n) + 1n;
    const item = isSame ? stored : signItem(secretKey, { value, salt, sequence }, signatures);
    const report = await this.#search((done) => this.#dht.search({ kind: 'put', item, cas: null }, { done }));
    this.#dht.keep(item);
    return { publicKey: toHex(publicKey), sequence, storedCount: report.storedCount };
  }

  /** @returns ends it */
  follow(link: MutableLink, pollMs: number, updated: (update: MutableUpdate) => void): () => void {
    let sequence = -1n;
    let timer: Timer | null = null;
    let hasEnded = false;
    const look = async (): Promise<void> => {
      const item = await this.#get(link).catch(() => null);
      if (hasEnded) return;
      const infoHash = item === null ? null : tryDecodeMutableTorrent(item.value);
      if (item !== null && infoHash !== null && item.sequence > sequence) {
        sequence = item.sequence;
        this.#dht.keep(item);
        updated({ infoHash: toHex(infoHash), sequence });
      }
      const delayMs = sequence < 0n ? Math.min(pollMs, mutableTimes.searchMs) : pollMs;
      timer = this.#deps.clock.setTimer(delayMs, () => void look());
    };
    void look();
    return () => {
      hasEnded = true;
      timer?.cancel();
    };
  }

  async #get({ publicKey, salt }: MutableLink): Promise<MutableItem | null> {
    const target = mutableTargetOf(publicKey, salt, this.#deps.hashes);
    const { item } = await this.#search((done) => this.#dht.search({ kind: 'get', target, salt }, { done }));
    return item?.type === 'mutable' ? item : null;
  }

  #search(begin: (done: (report: SearchReport | null) => void) => void): Promise<SearchReport> {
    return new Promise((resolve, reject) => {
      begin((report) => {
        if (report !== null) resolve(report);
        else reject(new NodeError('BITTORRENT_DHT_CLOSED', 'The DHT node is not running.'));
      });
    });
  }
}
