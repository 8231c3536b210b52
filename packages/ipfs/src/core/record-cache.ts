import type { IpnsRecord } from '../wire/ipns-record.ts';

/** Longest use of a record without asking again, whatever it says of itself. */
const ttlMsMax = 24 * 3_600_000;

type Kept = { readonly record: IpnsRecord; readonly untilMs: number };

/** Records of names, each for its own time to live. The one that was used longest ago goes first. */
export class RecordCache {
  readonly #countMax: number;
  readonly #kept = new Map<string, Kept>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** One that may be used without asking. */
  tryGet(name: Uint8Array, nowMs: number): IpnsRecord | null {
    const kept = this.#kept.get(idOf(name));
    return kept !== undefined && nowMs < kept.untilMs ? this.#use(name, kept, nowMs) : null;
  }

  /** One that has not ended, though it should be asked about. */
  tryGetAny(name: Uint8Array, nowMs: number): IpnsRecord | null {
    const kept = this.#kept.get(idOf(name));
    return kept === undefined ? null : this.#use(name, kept, nowMs);
  }

  add(name: Uint8Array, record: IpnsRecord, nowMs: number): void {
    const id = idOf(name);
    this.#kept.delete(id);
    this.#kept.set(id, { record, untilMs: nowMs + Math.min(ttlMsMax, record.ttlMs) });
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > this.#countMax && oldest.done !== true) this.#kept.delete(oldest.value);
  }

  #use(name: Uint8Array, kept: Kept, nowMs: number): IpnsRecord | null {
    const id = idOf(name);
    this.#kept.delete(id);
    if (kept.record.validUntilMs <= nowMs) return null;
    this.#kept.set(id, kept);
    return kept.record;
  }
}

function idOf(name: Uint8Array): string {
  return String.fromCharCode(...name);
}
