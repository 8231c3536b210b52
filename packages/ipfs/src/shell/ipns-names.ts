import {
  bytesEqual,
  type Clock,
  type Hashes,
  type Log,
  NodeError,
  type OverlayPort,
  type OverlaySubscription,
  type Timer,
} from '@tequio/kernel';
import { RecordCache } from '../core/record-cache.ts';
import {
  type IpfsPublicKey,
  ipnsNameOf,
  ipnsRoutingKey,
  ipnsTopic,
  nameInRoutingKey,
} from '../wire/ipns-name.ts';
import {
  compareIpnsRecords,
  encodeIpnsRecord,
  type IpnsRecord,
  type IpnsRecordFields,
  ipnsRecordBytesMax,
  readIpnsRecord,
  type VerifySignature,
} from '../wire/ipns-record.ts';
import { Dnslinks, type LookUpText } from './dnslink.ts';
import type { NameSource } from './name-resolver.ts';
import type { PublishedName, PublishedStore } from './published-names.ts';
import { answerFetch, fetchRecord } from './record-fetch.ts';

export const ipnsLimits = {
  /** Names that are followed by pubsub; the one that was followed first goes. */
  followed: 256,
  /** Names that this node publishes. */
  published: 10_000,
  /** Followers of a name that are asked for its record. */
  askedFollowers: 4,
} as const;

/** The DHT forgets records after two days. */
const republishMs = 4 * 3_600_000;
/** After a start the others have to be found first. */
const republishFirstMs = 60_000;

export type IpnsKey = {
  readonly key: IpfsPublicKey;
  sign(message: Uint8Array): Uint8Array;
};

/** The key of a name, where this node has it. */
export type FindKey = (name: Uint8Array) => IpnsKey | null | Promise<IpnsKey | null>;

export type IpnsOverlay = Pick<
  OverlayPort,
  'getValue' | 'putValue' | 'publish' | 'subscribe' | 'acceptRecords' | 'dial' | 'handle'
>;

export type IpnsNamesDeps = {
  /** Null: this node is not among others; names that it has published itself are known. */
  readonly overlay: IpnsOverlay | null;
  readonly clock: Clock;
  readonly hashes: Hashes;
  readonly log: Log;
  readonly verify: VerifySignature;
  readonly store: PublishedStore;
  /** In DNS. */
  readonly lookUpText: LookUpText;
  /** Other places with records (delegated routing); checked here. */
  readonly moreRecords?: (name: Uint8Array, signal?: AbortSignal) => Promise<readonly Uint8Array[]>;
  /** Whether names that are looked up are followed from then on. */
  readonly followsResolved?: () => boolean;
};

export type PublishOptions = {
  readonly lifetimeMs: number;
  readonly ttlMs: number;
  /** Besides the DHT, told at once to all that follow the name. */
  readonly viaPubsub: boolean;
  /** Must be above the last one; left out: it is counted on. */
  readonly sequence?: bigint;
  /** That nobody takes it now is no error: it is told later. */
  readonly allowOffline?: boolean;
};

export const defaultPublishOptions: PublishOptions = {
  lifetimeMs: 48 * 3_600_000,
  ttlMs: 5 * 60_000,
  viaPubsub: false,
};

/**
 * Names of keys: looked up in the DHT, at those who follow them and at HTTP routers; published, and published again in
 * time, also after a restart.
 */
export class IpnsNames implements NameSource {
  readonly #deps: IpnsNamesDeps;
  readonly #cache: RecordCache;
  readonly #dnslinks: Dnslinks;
  readonly #published = new Map<string, PublishedName>();
  readonly #followed = new Map<
    string,
    { readonly name: Uint8Array; readonly subscription: OverlaySubscription }
  >();
  readonly #keys = new Set<FindKey>();
  readonly #ends: (() => void)[] = [];
  readonly #ending = new AbortController();
  #timer: Timer | null = null;

  constructor(deps: IpnsNamesDeps) {
    this.#deps = deps;
    this.#cache = new RecordCache(10_000);
    this.#dnslinks = new Dnslinks(deps.lookUpText, deps.clock);
  }

  /** From now on this node keeps others' records too, checks each, and publishes its own anew in time. */
  start(): void {
    const { overlay, store, clock } = this.#deps;
    const nowMs = clock.wallMs();
    for (const published of store.load()) {
      this.#published.set(idOf(published.name), published);
      this.#learn(published.name, published.record, nowMs);
    }
    if (overlay === null) return;
    this.#ends.push(
      overlay.acceptRecords('ipns', {
        isValid: (key, value) => {
          const record = this.#read(nameInRoutingKey(key), value);
          return record !== null && record.validUntilMs > clock.wallMs();
        },
        pickBest: (key, values) => this.#pickBest(nameInRoutingKey(key), values),
      }),
      answerFetch(overlay, (key) => this.#tryFind(key)),
    );
    for (const { name, viaPubsub } of this.#published.values()) if (viaPubsub) this.follow(name);
    this.#arm(republishFirstMs);
  }

  close(): void {
    this.#ending.abort();
    for (const end of this.#ends.splice(0)) end();
    this.#timer?.cancel();
    for (const { subscription } of this.#followed.values()) subscription.close();
    this.#followed.clear();
  }

  /** Where the keys of this node's names are: asked when a name is published again. Returns what ends it. */
  addKeys(find: FindKey): () => void {
    this.#keys.add(find);
    return () => void this.#keys.delete(find);
  }

  /** What this node publishes. */
  get published(): readonly PublishedName[] {
    return [...this.#published.values()];
  }

  /** Names that are followed by pubsub. */
  get followed(): readonly Uint8Array[] {
    return [...this.#followed.values()].map(({ name }) => name);
  }

  /** The newest record that can be had; from memory as long as its own time to live. */
  async ipns(
    name: Uint8Array,
    signal?: AbortSignal,
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<IpnsRecord | null> {
    const nowMs = this.#deps.clock.wallMs();
    const known = fresh ? null : this.#cache.tryGet(name, nowMs);
    if (known !== null) return known;
    if (this.#deps.followsResolved?.() === true) this.follow(name);
    const candidates = await this.#ask(name, signal);
    signal?.throwIfAborted();
    // What came by pubsub meanwhile counts as well.
    let best: IpnsRecord | null = this.#cache.tryGetAny(name, nowMs);
    let brokenCount = 0;
    for (const bytes of candidates) {
      const record = this.#read(name, bytes);
      if (record === null || record.validUntilMs <= nowMs) brokenCount++;
      else if (best === null || compareIpnsRecords(record, best) > 0) best = record;
    }
    if (best !== null) this.#cache.add(name, best, nowMs);
    else if (brokenCount > 0)
      throw new NodeError(
        'IPFS_IPNS_RECORD',
        'All records of this name that were found are broken or have ended.',
        {
          op: 'resolve',
          retry: true,
        },
      );
    return best;
  }

  dnslink(domain: string): ReturnType<NameSource['dnslink']> {
    return this.#dnslinks.find(domain);
  }

  /**
   * Signs and spreads what a name points to, and does so again in time. @returns the record
   * @throws NodeError `IPFS_PUBLISH` when no peer took it, `IPFS_PUBLISH_SEQUENCE`, `IPFS_PUBLISH_LONG`
   */
  async publish(
    owner: IpnsKey,
    value: string,
    options: PublishOptions = defaultPublishOptions,
  ): Promise<IpnsRecord> {
    const { hashes, clock } = this.#deps;
    const name = ipnsNameOf(owner.key, hashes);
    if (!this.#published.has(idOf(name)) && this.#published.size >= ipnsLimits.published)
      throw new NodeError('IPFS_PUBLISH', `This node publishes ${ipnsLimits.published} names already.`, {
        op: 'publish',
      });
    // Another copy of this key may have published since: its sequence is passed, not repeated.
    const before = await this.ipns(name, undefined, { fresh: true }).catch(() => null);
    const { lifetimeMs, ttlMs, viaPubsub } = options;
    const sequence = nextSequence(before, value, options.sequence);
    const record = this.#sign(owner, { value, sequence, validUntilMs: clock.wallMs() + lifetimeMs, ttlMs });
    const published = { name, record: record.bytes, value, lifetimeMs, ttlMs, viaPubsub };
    if ((await this.#take(published, record)) === 0 && !viaPubsub && options.allowOffline !== true)
      throw new NodeError('IPFS_PUBLISH', 'No peer took the record: the name is known to this node alone.', {
        op: 'publish',
        retry: true,
      });
    return record;
  }

  /** The name is not published again; what others have of it ends by itself. @returns whether it was published */
  forget(name: Uint8Array): boolean {
    this.#deps.store.remove(name);
    return this.#published.delete(idOf(name));
  }

  /** Hears of new records of a name as they are published. */
  follow(name: Uint8Array): void {
    const { overlay } = this.#deps;
    const id = idOf(name);
    if (overlay === null || this.#followed.has(id)) return;
    const [oldest] = this.#followed.values();
    if (this.#followed.size >= ipnsLimits.followed && oldest !== undefined) this.unfollow(oldest.name);
    const subscription = overlay.subscribe(ipnsTopic(name), ({ bytes }) =>
      this.#learn(name, bytes, this.#deps.clock.wallMs()),
    );
    this.#followed.set(id, { name, subscription });
  }

  /** @returns whether it was followed */
  unfollow(name: Uint8Array): boolean {
    const id = idOf(name);
    this.#followed.get(id)?.subscription.close();
    return this.#followed.delete(id);
  }

  /** Of the DHT, of those who follow the name, and of routers: records as they come. */
  async #ask(name: Uint8Array, signal: AbortSignal | undefined): Promise<readonly Uint8Array[]> {
    const { overlay, moreRecords } = this.#deps;
    const key = ipnsRoutingKey(name);
    const until = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
    const others = this.#followed.get(idOf(name))?.subscription.peers ?? [];
    const asked: Promise<readonly (Uint8Array | null)[]>[] = [
      (moreRecords?.(name, signal) ?? Promise.resolve([])).catch(() => []),
    ];
    if (overlay !== null) {
      asked.push(overlay.getValue(key, until).then(toList, () => []));
      for (const peer of others.slice(0, ipnsLimits.askedFollowers))
        asked.push(fetchRecord(overlay, peer, key, until).then(toList, () => []));
    }
    const found = (await Promise.all(asked)).flat();
    return found.filter((bytes) => bytes !== null);
  }

  /** @throws NodeError `IPFS_PUBLISH`, `IPFS_PUBLISH_LONG` */
  #sign(owner: IpnsKey, fields: IpnsRecordFields): IpnsRecord {
    const bytes = encodeIpnsRecord(fields, owner.key, (message) => owner.sign(message));
    if (bytes.length > ipnsRecordBytesMax)
      throw new NodeError('IPFS_PUBLISH_LONG', `A record has at most ${ipnsRecordBytesMax} bytes.`, {
        op: 'publish',
      });
    const record = this.#read(ipnsNameOf(owner.key, this.#deps.hashes), bytes);
    if (record !== null) return record;
    throw new NodeError('IPFS_PUBLISH', 'The key does not sign as it should.', { op: 'publish' });
  }

  /** Kept here first, so that a restart knows of it. @returns how many peers of the DHT took it */
  #take(published: PublishedName, record: IpnsRecord): Promise<number> {
    this.#cache.add(published.name, record, this.#deps.clock.wallMs());
    this.#published.set(idOf(published.name), published);
    this.#deps.store.save(published);
    return this.#spread(published);
  }

  /** @returns how many peers of the DHT took it */
  async #spread({ name, record, viaPubsub }: PublishedName): Promise<number> {
    const { overlay, log } = this.#deps;
    if (overlay === null) return 0;
    if (viaPubsub) {
      this.follow(name);
      await overlay.publish(ipnsTopic(name), record);
    }
    return overlay.putValue(ipnsRoutingKey(name), record, this.#ending.signal).catch((error: unknown) => {
      log.debug('ipns.put-failed', { reason: String(error) });
      return 0;
    });
  }

  #arm(delayMs: number): void {
    this.#timer = this.#deps.clock.setTimer(delayMs, () => void this.#republish());
  }

  async #republish(): Promise<void> {
    for (const published of this.published) {
      if (this.#ending.signal.aborted) return;
      await this.#publishAgain(published).catch((error: unknown) =>
        this.#deps.log.debug('ipns.republish-failed', { reason: String(error) }),
      );
    }
    if (!this.#ending.signal.aborted) this.#arm(republishMs);
  }

  /**
   * With a new end where the key is here; without it the record is spread as it is, as long as it holds. A name that
   * another copy of the key has given another value since is that copy's.
   */
  async #publishAgain(published: PublishedName): Promise<void> {
    const { name, value, lifetimeMs, ttlMs } = published;
    const own = this.#read(name, published.record);
    const newest = await this.ipns(name, undefined, { fresh: true }).catch(() => null);
    if (own === null || (newest !== null && newest.sequence > own.sequence && newest.value !== value)) {
      this.forget(name);
      return;
    }
    const owner = await this.#findKey(name);
    const nowMs = this.#deps.clock.wallMs();
    if (owner !== null) {
      const sequence = newest !== null && newest.sequence > own.sequence ? newest.sequence : own.sequence;
      const record = this.#sign(owner, { value, sequence, validUntilMs: nowMs + lifetimeMs, ttlMs });
      await this.#take({ ...published, record: record.bytes }, record);
    } else if (own.validUntilMs <= nowMs) this.forget(name);
    else await this.#spread(published);
  }

  async #findKey(name: Uint8Array): Promise<IpnsKey | null> {
    for (const find of this.#keys) {
      const owner = await find(name);
      if (owner !== null && bytesEqual(ipnsNameOf(owner.key, this.#deps.hashes), name)) return owner;
    }
    return null;
  }

  #learn(name: Uint8Array, bytes: Uint8Array, nowMs: number): void {
    const record = this.#read(name, bytes);
    if (record === null || record.validUntilMs <= nowMs) return;
    const known = this.#cache.tryGetAny(name, nowMs);
    if (known === null || compareIpnsRecords(record, known) > 0) this.#cache.add(name, record, nowMs);
  }

  /** For others who ask by fetch. */
  #tryFind(key: Uint8Array): Uint8Array | null {
    const name = nameInRoutingKey(key);
    if (name.length === 0 || !bytesEqual(ipnsRoutingKey(name), key)) return null;
    return this.#cache.tryGetAny(name, this.#deps.clock.wallMs())?.bytes ?? null;
  }

  #read(name: Uint8Array, bytes: Uint8Array): IpnsRecord | null {
    const result = readIpnsRecord(name, bytes, this.#deps);
    return result.ok ? result.value : null;
  }

  #pickBest(name: Uint8Array, values: readonly Uint8Array[]): number {
    let best = 0;
    let bestRecord: IpnsRecord | null = null;
    for (const [index, value] of values.entries()) {
      const record = this.#read(name, value);
      if (record === null || (bestRecord !== null && compareIpnsRecords(record, bestRecord) <= 0)) continue;
      best = index;
      bestRecord = record;
    }
    return best;
  }
}

function nextSequence(before: IpnsRecord | null, value: string, wanted: bigint | undefined): bigint {
  if (wanted === undefined)
    return before === null ? 0n : before.sequence + (before.value === value ? 0n : 1n);
  if (before !== null && wanted <= before.sequence)
    throw new NodeError(
      'IPFS_PUBLISH_SEQUENCE',
      `The sequence ${wanted} is not above the last one, ${before.sequence}.`,
      { op: 'publish' },
    );
  return wanted;
}

function toList(bytes: Uint8Array | null): readonly (Uint8Array | null)[] {
  return [bytes];
}

function idOf(name: Uint8Array): string {
  return String.fromCharCode(...name);
}
