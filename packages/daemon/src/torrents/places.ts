/** Categories, tags and trackers' rules: what many torrents have in common. */
import type { BittorrentApi, Category, ShareGoal, TrackerRule } from '@tequio/api';
import { type Database, NodeError } from '@tequio/kernel';
import { Documents } from '../store/documents.ts';
import { bookLimits } from './limits.ts';

export class Places {
  readonly #engine: Pick<BittorrentApi, 'setCategoryLimits'>;
  readonly #categories: Documents<Category>;
  readonly #tags: Documents<null>;
  readonly #trackers: Documents<TrackerRule>;

  constructor(database: Database, engine: Pick<BittorrentApi, 'setCategoryLimits'>) {
    this.#engine = engine;
    this.#categories = new Documents(database, 'category');
    this.#tags = new Documents(database, 'tag');
    this.#trackers = new Documents(database, 'tracker-rule');
    for (const { name, limits } of this.#categories.values()) engine.setCategoryLimits(name, limits);
    for (const { host, limits } of this.#trackers.values())
      engine.setCategoryLimits(trackerClass(host), limits);
  }

  categories(): readonly Category[] {
    return this.#categories.values();
  }

  hasCategory(name: string): boolean {
    return this.#categories.has(name);
  }

  /** @throws NodeError `CATEGORY_NAME`, `CATEGORY_COUNT` */
  putCategory(category: Category): void {
    const { name, limits } = category;
    if (!isCategoryName(name)) {
      throw new NodeError(
        'CATEGORY_NAME',
        `"${name}" cannot be a category: it must have 1 to 100 characters, none of them \\, and no empty part between /.`,
      );
    }
    if (!this.#categories.has(name) && this.#categories.size >= bookLimits.categoryCountMax)
      throw new NodeError(
        'CATEGORY_COUNT',
        `There are ${bookLimits.categoryCountMax} categories; remove one first.`,
      );
    this.#engine.setCategoryLimits(name, limits);
    this.#categories.put(name, category);
  }

  removeCategory(name: string): void {
    if (this.#categories.remove(name)) this.#engine.setCategoryLimits(name, { down: null, up: null });
  }

  tags(): readonly string[] {
    return this.#tags.entries().map(([name]) => name);
  }

  /** @throws NodeError `TAG_NAME` */
  putTags(names: readonly string[]): void {
    for (const name of names) checkTag(name);
    for (const name of names) if (!this.#tags.has(name)) this.#tags.put(name, null);
  }

  dropTags(names: readonly string[]): void {
    for (const name of names) this.#tags.remove(name);
  }

  trackerRules(): readonly TrackerRule[] {
    return this.#trackers.values();
  }

  /** @throws NodeError `TRACKER_RULE` */
  putTrackerRule(rule: TrackerRule): void {
    const host = rule.host.toLowerCase();
    if (!/^[\w.:[\]-]{1,255}$/.test(host))
      throw new NodeError('TRACKER_RULE', `"${rule.host}" is not the host of a tracker.`);
    if (!this.#trackers.has(host) && this.#trackers.size >= bookLimits.trackerRuleCountMax)
      throw new NodeError(
        'TRACKER_RULE',
        `There are ${bookLimits.trackerRuleCountMax} rules; remove one first.`,
      );
    this.#engine.setCategoryLimits(trackerClass(host), rule.limits);
    this.#trackers.put(host, { ...rule, host });
  }

  removeTrackerRule(host: string): void {
    if (this.#trackers.remove(host.toLowerCase()))
      this.#engine.setCategoryLimits(trackerClass(host.toLowerCase()), { down: null, up: null });
  }

  trackerRule(host: string | null): TrackerRule | null {
    return host === null ? null : this.#trackers.get(host.toLowerCase());
  }

  /**
   * Under which name the engine counts a torrent together with others: that of its tracker where this has limits, for
   * those are the tracker's terms; else that of its category.
   */
  limitClassOf(category: string | null, trackerHost: string | null): string | null {
    const { down = null, up = null } = this.trackerRule(trackerHost)?.limits ?? {};
    return down === null && up === null ? category : trackerClass(trackerHost!.toLowerCase());
  }

  /** Of the category, then of those around it, then of the tracker. */
  goalsFor(category: string | null, trackerHost: string | null): readonly (ShareGoal | null)[] {
    return [
      ...this.#withOuter(category).map(({ shareGoal }) => shareGoal),
      this.trackerRule(trackerHost)?.shareGoal ?? null,
    ];
  }

  /** Where content of this category goes; null: wherever the node says. */
  folderOf(category: string | null, which: 'folder' | 'finishedFolder'): string | null {
    return this.#withOuter(category).find((one) => one[which] !== null)?.[which] ?? null;
  }

  /** `a/b/c`, then `a/b`, then `a`. */
  #withOuter(category: string | null): readonly Category[] {
    const found: Category[] = [];
    for (let name = category; name !== null; ) {
      const one = this.#categories.get(name);
      if (one !== null) found.push(one);
      const slash = name.lastIndexOf('/');
      name = slash < 0 ? null : name.slice(0, slash);
    }
    return found;
  }
}

/** No category is called so: those have no \. */
function trackerClass(host: string): string {
  return `\\tracker ${host}`;
}

function isCategoryName(name: string): boolean {
  return (
    name.length <= 100 && !/[\\\p{Cc}]/u.test(name) && name.split('/').every((part) => part.trim() !== '')
  );
}

/** @throws NodeError `TAG_NAME` */
export function checkTag(name: string): void {
  if (name.trim() === '' || name.length > bookLimits.tagChars || /[,\p{Cc}]/u.test(name))
    throw new NodeError(
      'TAG_NAME',
      `"${name}" cannot be a tag: 1 to ${bookLimits.tagChars} characters, no comma.`,
    );
}

export function missingCategory(name: string): NodeError {
  return new NodeError('CATEGORY_MISSING', `There is no category "${name}".`, { data: { category: name } });
}

/** Each once. @throws NodeError `TAG_NAME`, `TAG_COUNT` */
export function checkTags(tags: readonly string[]): readonly string[] {
  const once = [...new Set(tags.map((tag) => tag.trim()))];
  for (const tag of once) checkTag(tag);
  if (once.length > bookLimits.tagCountMax)
    throw new NodeError('TAG_COUNT', `A torrent has ${bookLimits.tagCountMax} tags at most.`);
  return once;
}
