import type { Clock, Log, OverlayPort } from '@tequio/kernel';

export const providerSearchLimits = {
  /** One search takes no longer. */
  findMs: 60_000,
  /** Providers that one search connects to. */
  providerMax: 20,
  connectMs: 15_000,
} as const;

/** Who says that they have a block: the DHT, HTTP routers, or both. Resolves when nobody else is left to ask. */
export type FindProviders = (
  cid: Uint8Array,
  onProvider: (peer: string, addresses: readonly string[]) => void,
  signal: AbortSignal,
) => Promise<void>;

export type ProviderSearchDeps = {
  readonly overlay: OverlayPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly findProviders: FindProviders;
};

/** Looks for who provides a block, and connects to those that are found. */
export class ProviderSearch {
  readonly #deps: ProviderSearchDeps;
  readonly #finds = new Set<AbortController>();

  constructor(deps: ProviderSearchDeps) {
    this.#deps = deps;
  }

  close(): void {
    for (const find of this.#finds) find.abort();
  }

  /** @param found is told of each provider, before it is connected to (if it returns true) and after */
  async find(cid: Uint8Array, found: (peer: string) => boolean): Promise<void> {
    const { overlay, clock, log, findProviders } = this.#deps;
    const end = new AbortController();
    this.#finds.add(end);
    const timer = clock.setTimer(providerSearchLimits.findMs, () => end.abort());
    const seen = new Set<string>([overlay.peer]);
    const dials: Promise<void>[] = [];
    const onProvider = (peer: string, addresses: readonly string[]): void => {
      if (seen.size > providerSearchLimits.providerMax || seen.has(peer)) return;
      seen.add(peer);
      if (found(peer)) dials.push(this.#connect(peer, addresses, end.signal, found));
    };
    try {
      await findProviders(cid, onProvider, end.signal);
      await Promise.all(dials);
    } catch (error) {
      log.debug('providers.find-failed', { reason: String(error) });
    } finally {
      timer.cancel();
      this.#finds.delete(end);
    }
  }

  /** By the addresses that came with the record, and else wherever the overlay finds the peer. */
  async #connect(
    peer: string,
    addresses: readonly string[],
    signal: AbortSignal,
    found: (peer: string) => boolean,
  ): Promise<void> {
    const options = { timeoutMs: providerSearchLimits.connectMs, signal };
    const named = addresses.slice(0, 8).map((address) => `${address.split('/p2p/')[0]}/p2p/${peer}`);
    for (const where of [...named, peer]) {
      try {
        found(await this.#deps.overlay.connect(where, options));
        return;
      } catch {
        if (signal.aborted) return;
      }
    }
  }
}
