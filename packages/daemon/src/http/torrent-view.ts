/**
 * What one client sees of the list of torrents (a filter, an order, a page, some fields), and how that changes.
 *
 *   changes(version) ── of rows on the page ──────────────> their fields that differ
 *                    └─ that may have moved something ────> the page is listed again, within a share of the time
 *
 * Listing a hundred thousand torrents takes a while, so a view does it at most so often that a small part of one core
 * goes into it; fields of rows on the page are told at every turn.
 */
import type { ListedTorrent, TorrentCounts, TorrentDelta, TorrentList, TorrentListQuery } from '@tequio/api';

type Field = keyof ListedTorrent;
type Values = Readonly<Partial<Record<Field, unknown>>>;

/** One turn. A client that applies all of them, in order, sees what the node sees. */
export type ViewStep = {
  readonly version: number;
  /** Everything before is void. */
  readonly reset?: true;
  readonly totalCount?: number;
  /** The page from top to bottom: an id, or where it was in the order before. What is not in it is forgotten. */
  readonly order?: readonly (string | number)[];
  /** Rows with the fields that are different, all of them for a row that is new. */
  readonly changed?: readonly Values[];
  readonly counts?: TorrentCounts;
};

export type ViewSource = {
  list(query: TorrentListQuery): Promise<TorrentList>;
  changes(since: number): Promise<TorrentDelta>;
};

/** Of the time that passes, what listing may take. */
const listShare = 0.1;
const elsewhereCountMax = 10_000;

export class TorrentView {
  readonly #query: TorrentListQuery;
  readonly #fields: readonly Field[] | undefined;
  #rows = new Map<string, Values>();
  #order: readonly string[] = [];
  /** Torrents that have changed and were not on the page. */
  readonly #elsewhere = new Set<string>();
  #totalCount = -1;
  #counts = '';
  #version = 0;
  #isStale = true;
  #isNew = true;
  #nextListMs = Number.NEGATIVE_INFINITY;

  constructor(query: TorrentListQuery, fields: readonly Field[] | undefined) {
    this.#query = query;
    this.#fields = fields;
  }

  /** What is new since the last turn; null: nothing. */
  async step(source: ViewSource, nowMs: () => number): Promise<ViewStep | null> {
    if (this.#isNew) return this.#list(source, nowMs);
    const delta = await source.changes(this.#version);
    const isStill = !delta.full && delta.changed.length === 0 && delta.removed.length === 0;
    if (isStill && !this.#isStale) return null;
    const changed = delta.full ? [] : this.#applyRows(delta.changed);
    for (const id of delta.removed) this.#elsewhere.delete(id);
    if (this.#elsewhere.size > elsewhereCountMax) this.#elsewhere.clear();
    const mayMove = this.#mayMove(delta.changed);
    this.#isStale ||= delta.full || delta.removed.length > 0 || mayMove;
    this.#version = delta.version;
    const listed = this.#isStale && nowMs() >= this.#nextListMs ? await this.#list(source, nowMs) : null;
    if (listed !== null) return { ...listed, ...joined(changed, listed.changed) };
    return changed.length === 0 ? null : { version: this.#version, changed };
  }

  async #list(source: ViewSource, nowMs: () => number): Promise<ViewStep | null> {
    const startMs = nowMs();
    const { rows, totalCount, version, counts } = await source.list(this.#query);
    this.#nextListMs = nowMs() + (nowMs() - startMs) / listShare;
    const step: { -readonly [Key in keyof ViewStep]: ViewStep[Key] } = { version };
    if (this.#isNew) step.reset = true;
    const order = rows.map(({ id }) => id);
    const changed = this.#applyRows(rows, true);
    if (changed.length > 0) step.changed = changed;
    if (this.#isNew || !sameOrder(order, this.#order)) step.order = this.#encodeOrder(order);
    if (totalCount !== this.#totalCount) step.totalCount = totalCount;
    const countsText = JSON.stringify(counts);
    if (counts !== null && countsText !== this.#counts) step.counts = counts;
    this.#order = order;
    this.#rows = new Map(order.map((id) => [id, this.#rows.get(id)!]));
    this.#totalCount = totalCount;
    this.#counts = countsText;
    this.#version = version;
    this.#isStale = false;
    this.#isNew = false;
    return Object.keys(step).length > 1 ? step : null;
  }

  /** Remembers these rows, those that are not on the page only when told so. @returns what is different */
  #applyRows(rows: readonly ListedTorrent[], all = false): Values[] {
    const changed: Values[] = [];
    for (const row of rows) {
      const known = this.#rows.get(row.id);
      if (known === undefined && !all) continue;
      const picked = this.#pick(row);
      const difference = differenceOf(known ?? {}, picked);
      if (difference === null) continue;
      changed.push({ id: row.id, ...difference });
      this.#rows.set(row.id, picked);
    }
    return changed;
  }

  #pick(row: ListedTorrent): Values {
    if (this.#fields === undefined) return row;
    const picked: Partial<Record<Field, unknown>> = { id: row.id };
    for (const field of this.#fields) picked[field] = row[field];
    return picked;
  }

  /**
   * Whether the page may look different now for other reasons than fields of its rows. An order that rests on something
   * that never changes, without a filter, moves only when torrents come or go.
   */
  #mayMove(changed: readonly ListedTorrent[]): boolean {
    if (changed.length === 0) return false;
    const { filter = {}, sort = 'addedAtMs', counts } = this.#query;
    const isFixed = Object.keys(filter).length === 0 && fixedFields.has(sort) && counts !== true;
    if (!isFixed) return true;
    // One that is met for the first time may be new; after that it is known to be on another page.
    let isMet = true;
    for (const { id } of changed) {
      if (this.#rows.has(id) || this.#elsewhere.has(id)) continue;
      this.#elsewhere.add(id);
      isMet = false;
    }
    return !isMet;
  }

  #encodeOrder(order: readonly string[]): (string | number)[] {
    const was = new Map(this.#order.map((id, index) => [id, index]));
    return order.map((id) => was.get(id) ?? id);
  }
}

const fixedFields: ReadonlySet<string> = new Set(['addedAtMs', 'id']);

/** Both tell of the same rows in order: the later value wins. */
function joined(first: readonly Values[], second: readonly Values[] = []): { changed?: readonly Values[] } {
  const changed = [...first, ...second];
  return changed.length === 0 ? {} : { changed };
}

function sameOrder(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}

/** Fields of the second that the first has not, or has otherwise; null: none. */
function differenceOf(was: Values, is: Values): Values | null {
  const difference: Partial<Record<Field, unknown>> = {};
  let isEmpty = true;
  for (const key of Object.keys(is) as Field[]) {
    if (key === 'id' || isSame(was[key], is[key])) continue;
    difference[key] = is[key];
    isEmpty = false;
  }
  return isEmpty && 'id' in was ? null : difference;
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  return JSON.stringify(a) === JSON.stringify(b);
}
