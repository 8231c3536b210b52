import type { PeerId, PeerInfo } from '@libp2p/interface';
import type { QueryEvent, SingleKadDHT } from '@libp2p/kad-dht';
import { NodeError, type OverlayProvider, type OverlayRecordRules, tryDecodeUtf8 } from '@tequio/kernel';
import { CID } from 'multiformats/cid';
import { decode as decodeDigest } from 'multiformats/hashes/digest';
import { limits } from './limits.ts';
import { ProviderTelling, type ProviderTellingDeps, type TellableDht } from './provider-telling.ts';

/** Multicodec of raw bytes: the DHT looks at the hash alone. */
const rawCodec = 0x55;

/** Questions to all DHTs at once: that of the Internet and that of the local network, as kubo has them. */
export class Routing {
  readonly #dhts: readonly SingleKadDHT[];
  readonly #self: PeerId;
  readonly #tellings: readonly ProviderTelling[];

  constructor(dhts: readonly TellableDht[], deps: Omit<ProviderTellingDeps, 'dht'>) {
    this.#dhts = dhts;
    this.#self = deps.host.peerId;
    this.#tellings = dhts.map((dht) => new ProviderTelling({ ...deps, dht }));
  }

  close(): void {
    for (const telling of this.#tellings) telling.close();
  }

  /** @throws NodeError `OVERLAY_RECORD` for a key that is no multihash */
  async provide(key: Uint8Array, signal: AbortSignal): Promise<number> {
    cidOf(key);
    const takers = await Promise.all(this.#tellings.map((telling) => telling.tell(key, signal)));
    return new Set(takers.flat()).size;
  }

  async find(
    key: Uint8Array,
    onProvider: (provider: OverlayProvider) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const cid = cidOf(key);
    const told = new Set<string>();
    await this.#ask(
      (dht) => dht.findProviders(cid, { signal }),
      (event) => {
        if (event.name !== 'PROVIDER') return;
        for (const info of event.providers) {
          const peer = info.id.toString();
          if (this.#self.equals(info.id) || told.has(peer)) continue;
          told.add(peer);
          onProvider(providerOf(info));
        }
      },
    );
  }

  async closest(
    key: Uint8Array,
    onAnswer: (from: string, closer: readonly OverlayProvider[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#ask(
      (dht) => dht.getClosestPeers(key, { signal }),
      (event) => {
        if (event.name === 'PEER_RESPONSE') onAnswer(event.from.toString(), event.closer.map(providerOf));
      },
    );
  }

  async findPeer(peer: PeerId, signal: AbortSignal): Promise<OverlayProvider | null> {
    let found: OverlayProvider | null = null;
    const enough = new AbortController();
    await this.#ask(
      (dht) => dht.findPeer(peer, { signal: AbortSignal.any([signal, enough.signal]) }),
      (event) => {
        if (found !== null || event.name !== 'FINAL_PEER' || !event.peer.id.equals(peer)) return;
        found = providerOf(event.peer);
        enough.abort();
      },
    );
    return found;
  }

  async putValue(key: Uint8Array, value: Uint8Array, signal: AbortSignal): Promise<number> {
    await this.#checkRecord(key, value);
    const takers = new Set<string>();
    await this.#ask(
      (dht) => dht.put(key, value, { signal }),
      (event) => {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE')
          takers.add(event.from.toString());
      },
    );
    return takers.size;
  }

  /** The best of the values that are found; with so many that nobody is likely to know a better one, at once. */
  async getValue(key: Uint8Array, signal: AbortSignal): Promise<Uint8Array | null> {
    const values: Uint8Array[] = [];
    const enough = new AbortController();
    await this.#ask(
      (dht) => dht.get(key, { signal: AbortSignal.any([signal, enough.signal]) }),
      (event) => {
        const value =
          event.name === 'VALUE'
            ? event.value
            : event.name === 'PEER_RESPONSE'
              ? event.record?.value
              : undefined;
        if (value === undefined) return;
        values.push(value);
        if (values.length >= limits.records.quorum) enough.abort();
      },
    );
    const [dht] = this.#dhts;
    if (dht === undefined || values.length === 0) return null;
    return await this.#bestOf(dht, key, values);
  }

  /** From now on records of a namespace are taken, kept and given out by these rules. */
  setRules(namespace: string, rules: OverlayRecordRules | null): void {
    for (const dht of this.#dhts) {
      if (rules === null) {
        delete dht.validators[namespace];
        delete dht.selectors[namespace];
        continue;
      }
      dht.validators[namespace] = async (key, value) => {
        if (value.length > limits.records.valueBytes || !(await rules.isValid(key, value)))
          throw new TypeError('this record is not what its key says');
      };
      dht.selectors[namespace] = (key, values) => rules.pickBest(key, values);
    }
  }

  async #checkRecord(key: Uint8Array, value: Uint8Array): Promise<void> {
    const { keyBytes, valueBytes } = limits.records;
    const fail = (message: string): never => {
      throw new NodeError('OVERLAY_RECORD', message, { op: 'put' });
    };
    if (key.length > keyBytes || value.length > valueBytes)
      fail(`A record has a key of at most ${keyBytes} bytes and a value of at most ${valueBytes}.`);
    for (const dht of this.#dhts) {
      const isValid = dht.validators[namespaceOf(key) ?? ''];
      if (isValid === undefined)
        return fail('A record has a key like /ipns/…, of a kind that is known here.');
      try {
        await isValid(key, value);
      } catch {
        fail('The record is not what its key says; others would refuse it.');
      }
    }
  }

  async #bestOf(
    dht: SingleKadDHT,
    key: Uint8Array,
    values: readonly Uint8Array[],
  ): Promise<Uint8Array | null> {
    const namespace = namespaceOf(key) ?? '';
    const valid: Uint8Array[] = [];
    for (const value of values) {
      try {
        await dht.validators[namespace]?.(key, value);
        if (dht.validators[namespace] !== undefined) valid.push(value);
      } catch {
        // Somebody else's record: not what its key says.
      }
    }
    if (valid.length === 0) return null;
    const index = (await dht.selectors[namespace]?.(key, valid)) ?? 0;
    return valid[index] ?? null;
  }

  /** All events of all DHTs; one that fails does not spoil the others. */
  async #ask(
    question: (dht: SingleKadDHT) => AsyncIterable<QueryEvent>,
    onEvent: (event: QueryEvent) => void,
  ): Promise<void> {
    // libp2p would wait until it knows somebody.
    const asked = this.#dhts.filter(({ routingTable }) => routingTable.size > 0);
    await Promise.all(
      asked.map(async (dht) => {
        try {
          for await (const event of question(dht)) onEvent(event);
        } catch {
          // Nobody to ask, time is over, or enough is known: what was learned until then has been told.
        }
      }),
    );
  }
}

function providerOf({ id, multiaddrs }: PeerInfo): OverlayProvider {
  return { peer: id.toString(), addresses: [...new Set(multiaddrs.map((address) => address.toString()))] };
}

/** @throws NodeError `OVERLAY_RECORD` for a key that is no multihash */
function cidOf(key: Uint8Array): CID {
  try {
    return CID.createV1(rawCodec, decodeDigest(key));
  } catch (cause) {
    throw new NodeError('OVERLAY_RECORD', 'The key is no multihash.', { op: 'find', cause });
  }
}

/** `ipns` of `/ipns/…`; the rest of a key is bytes of any kind. */
function namespaceOf(key: Uint8Array): string | null {
  const end = key.indexOf(0x2f, 1);
  if (key[0] !== 0x2f || end < 2) return null;
  return tryDecodeUtf8(key.subarray(1, end));
}
