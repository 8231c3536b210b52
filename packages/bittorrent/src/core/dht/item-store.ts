/**
 * Items that others put here (BEP 44), for two hours after they were put last.
 *
 *   put of a mutable item:  nothing stored            -> stored (the signature is right)
 *                           cas given and not equal   -> 301, nothing changes
 *                           sequence lower            -> 302
 *                           sequence equal            -> same value: its time starts anew; another value: 302
 *                           sequence higher           -> replaced
 *
 * Ceilings: 1,200 items of at most 1,000 bytes, 100 from one owner of addresses (local networks exempt). When it is
 * full the item that was put least recently gives way. The signature is checked last of all, for it costs the most,
 * and a put needs a token of the sender's address, so a forger cannot make us compute for nothing.
 */
import { bytesEqual, copyBytes, type Hashes, type Signatures, toLatin1 } from '@tequio/kernel';
import { type DhtItem, isGenuineItem, type MutableItem, targetOf } from '../../wire/dht-item.ts';
import { krpcError } from '../../wire/krpc.ts';
import { dhtLimits } from './dht-limits.ts';

type StoredItem = { readonly item: DhtItem; readonly owner: string | null; heardMs: number };

export type PutRefusal = { readonly code: number; readonly text: string };

const { storedItemCountMax, storedItemsPerBlockMax, storedItemMs } = dhtLimits;

export class ItemStore {
  readonly #hashes: Hashes;
  readonly #signatures: Signatures;
  /** The least recently put first. */
  readonly #items = new Map<string, StoredItem>();
  readonly #ownerCount = new Map<string, number>();

  constructor(hashes: Hashes, signatures: Signatures) {
    this.#hashes = hashes;
    this.#signatures = signatures;
  }

  get count(): number {
    return this.#items.size;
  }

  /** The item under a target, or null. */
  get(target: Uint8Array, nowMs: number): DhtItem | null {
    const stored = this.#items.get(toLatin1(target));
    return stored === undefined || nowMs - stored.heardMs >= storedItemMs ? null : stored.item;
  }

  /**
   * Stores a copy. @param owner see `ownerBlockOf`; null: exempt
   * @returns why not, or null when it is stored
   */
  put(item: DhtItem, cas: bigint | null, owner: string | null, nowMs: number): PutRefusal | null {
    const target = targetOf(item, this.#hashes);
    const key = toLatin1(target);
    const stored = this.#items.get(key);
    if (item.type === 'mutable') {
      const refusal = this.#judge(item, cas, this.get(target, nowMs));
      if (refusal !== null) return refusal;
    }
    const ownerCount = owner === null ? 0 : (this.#ownerCount.get(owner) ?? 0);
    if (ownerCount >= storedItemsPerBlockMax && stored?.owner !== owner)
      return { code: krpcError.generic, text: 'too many items of one address' };
    if (!isGenuineItem(item, target, this.#hashes, this.#signatures))
      return { code: krpcError.signature, text: 'invalid signature' };
    if (stored !== undefined) this.#remove(key, stored);
    this.#items.set(key, { item: copyItem(item), owner, heardMs: nowMs });
    if (owner !== null) this.#ownerCount.set(owner, (this.#ownerCount.get(owner) ?? 0) + 1);
    if (this.#items.size > storedItemCountMax) this.#removeOldest();
    return null;
  }

  /** Forgets what was not put for too long. */
  expire(nowMs: number): void {
    for (const [key, stored] of this.#items) {
      if (nowMs - stored.heardMs < storedItemMs) return;
      this.#remove(key, stored);
    }
  }

  #judge(item: MutableItem, cas: bigint | null, stored: DhtItem | null): PutRefusal | null {
    if (stored?.type !== 'mutable') return null;
    if (cas !== null && cas !== stored.sequence)
      return { code: krpcError.casMismatch, text: 'the CAS number is not the stored one, read again' };
    const isSame = item.sequence === stored.sequence && bytesEqual(item.value, stored.value);
    if (item.sequence <= stored.sequence && !isSame)
      return { code: krpcError.sequenceTooLow, text: 'sequence number not higher than the stored one' };
    return null;
  }

  #removeOldest(): void {
    const [key, stored] = this.#items.entries().next().value!;
    this.#remove(key, stored);
  }

  #remove(key: string, { owner }: StoredItem): void {
    this.#items.delete(key);
    if (owner === null) return;
    const left = this.#ownerCount.get(owner)! - 1;
    if (left === 0) this.#ownerCount.delete(owner);
    else this.#ownerCount.set(owner, left);
  }
}

/** An item whose bytes are its own: those of a decoded message are borrowed. */
export function copyItem(item: DhtItem): DhtItem {
  const value = copyBytes(item.value);
  if (item.type === 'immutable') return { type: 'immutable', value };
  return {
    type: 'mutable',
    value,
    publicKey: copyBytes(item.publicKey),
    salt: copyBytes(item.salt),
    sequence: item.sequence,
    signature: copyBytes(item.signature),
  };
}
