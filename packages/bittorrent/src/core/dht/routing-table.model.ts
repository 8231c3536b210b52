/** The routing table's naive twin: one list, looked through from end to end for every question. */
import { toHex } from '@tequio/kernel';
import { isSecureNodeId } from '../../wire/dht-node-id.ts';
import type { NodeInfo } from '../../wire/dht-node-info.ts';
import { isLocalNode, ownerBlockOf } from './place.ts';

type Entry = {
  readonly node: NodeInfo;
  readonly id: string;
  readonly bucket: number;
  readonly secure: boolean;
  readonly block: string | null;
  waits: boolean;
  heardMs: number;
  askedMs: number;
  failCount: number;
};

function numberOf(id: Uint8Array): bigint {
  return BigInt(`0x${toHex(id)}`);
}

export class RoutingTableModel {
  readonly #own: bigint;
  #entries: Entry[] = [];

  constructor(ownId: Uint8Array) {
    this.#own = numberOf(ownId);
  }

  get count(): number {
    return this.#entries.filter(({ waits }) => !waits).length;
  }

  /** Contacts and those that wait, as text. */
  get state(): string[] {
    return this.#entries.map((e) => `${e.id} ${e.waits} ${e.failCount} ${e.heardMs}`).sort();
  }

  answered(node: NodeInfo, nowMs: number): boolean {
    const entry = this.#entryOf(node, nowMs);
    const known = this.#entries.find((e) => e.node.place === node.place);
    if (known?.id === entry.id) {
      Object.assign(known, { heardMs: nowMs, failCount: 0 });
      if (known.waits) this.#promote(known.bucket);
      return !known.waits;
    }
    this.#drop(known);
    if (known !== undefined) this.#promote(known.bucket);
    if (entry.bucket === 160) return false;
    const clash = (e: Entry) =>
      e.bucket === entry.bucket && (e.id === entry.id || (e.block !== null && e.block === entry.block));
    if (this.#entries.some((e) => !e.waits && e.failCount === 0 && clash(e))) return false;
    for (const e of this.#entries.filter(clash)) this.#drop(e);
    const contacts = this.#of(entry.bucket, false);
    if (contacts.length >= 8) {
      const worse = contacts.filter((e) => e.failCount >= 2 || (entry.secure && !e.secure));
      const most = Math.max(...worse.map((e) => e.failCount));
      const worst = worse.filter((e) => e.failCount === most).at(-1);
      if (worst === undefined) {
        this.#wait(entry);
        return false;
      }
      this.#drop(worst);
      if (worst.failCount === 0) this.#wait(worst);
    }
    this.#entries.push(entry);
    this.#promote(entry.bucket);
    return true;
  }

  heard(node: NodeInfo, nowMs: number): boolean {
    const known = this.#entries.find((e) => e.node.place === node.place && e.id === toHex(node.id));
    if (known !== undefined && known.failCount === 0) known.heardMs = nowMs;
    return known !== undefined;
  }

  failed(place: string): void {
    const entry = this.#entries.find((e) => e.node.place === place);
    if (entry === undefined) return;
    entry.failCount++;
    const hasHeir = this.#of(entry.bucket, true).length > 0;
    if (entry.waits || entry.failCount >= 5 || (entry.failCount >= 2 && hasHeir)) {
      this.#drop(entry);
      this.#promote(entry.bucket);
    }
  }

  asked(place: string, nowMs: number): void {
    const entry = this.#entries.find((e) => e.node.place === place);
    if (entry !== undefined) entry.askedMs = nowMs;
  }

  closest(target: Uint8Array, countMax: number): string[] {
    const to = numberOf(target);
    const distance = (e: Entry) => numberOf(e.node.id) ^ to;
    return this.#entries
      .filter((e) => !e.waits && e.failCount === 0)
      .sort((a, b) => (distance(a) < distance(b) ? -1 : 1))
      .slice(0, countMax)
      .map((e) => e.id);
  }

  /** When the stalest contact is due. */
  get dueMs(): number | null {
    const dues = this.#entries
      .filter((e) => !e.waits)
      .map((e) =>
        e.failCount > 0
          ? e.askedMs + 15_000 * e.failCount
          : Math.max(e.heardMs + 900_000, e.askedMs + 15_000),
      );
    return dues.length === 0 ? null : Math.min(...dues);
  }

  /** In the order in which they came to the bucket, or to its waiting list. */
  #of(bucket: number, waits: boolean): Entry[] {
    return this.#entries.filter((e) => e.bucket === bucket && e.waits === waits);
  }

  #wait(entry: Entry): void {
    this.#drop(entry);
    entry.waits = true;
    this.#entries.push(entry);
    const waiting = this.#of(entry.bucket, true);
    if (waiting.length > 8) this.#drop(waiting[0]);
  }

  #promote(bucket: number): void {
    for (;;) {
      const waiting = this.#of(bucket, true);
      if (waiting.length === 0 || this.#of(bucket, false).length >= 8) return;
      const best = waiting.filter((e) => e.secure).at(-1) ?? waiting.at(-1)!;
      this.#drop(best);
      best.waits = false;
      this.#entries.push(best);
    }
  }

  #drop(entry: Entry | undefined): void {
    this.#entries = this.#entries.filter((e) => e !== entry);
  }

  #entryOf(node: NodeInfo, nowMs: number): Entry {
    const local = isLocalNode(node);
    const difference = numberOf(node.id) ^ this.#own;
    return {
      node,
      id: toHex(node.id),
      bucket: difference === 0n ? 160 : 160 - difference.toString(2).length,
      secure: local || isSecureNodeId(node.id, node.addressBytes),
      block: local ? null : ownerBlockOf(node.addressBytes),
      waits: false,
      heardMs: nowMs,
      askedMs: nowMs,
      failCount: 0,
    };
  }
}
