/** `sync/maindata`: what has changed since the answer before, for one client. */
import type { ListedTorrent, TorrentDelta } from '@tequio/api';
import { compatLimits } from '../compat-limits.ts';
import { type ApiCall, learnTorrents } from './caller-state.ts';
import { type ServerState, serverState } from './server-state.ts';
import { categories } from './torrent-looks.ts';
import { hashOf, type QbTorrent, torrentRow } from './torrent-rows.ts';

type Texts = Record<string, string>;
type Answer = Record<string, unknown>;

/**
 * What one client has been told. A client says with `rid` which answer it has; when that is not the last one that was
 * sent (the answer was lost, or it is another client's number), it is told everything.
 */
export class MainData {
  #rid = 0;
  /** Of the node's list, as it was when the last answer was made. */
  #version = 0;
  /** Rows as they were sent, those that changed last at the end; of others all is sent when they change. */
  readonly #sent = new Map<string, QbTorrent>();
  /** Hash of each torrent that the client has, by id. */
  readonly #hashes = new Map<string, string>();
  #state: ServerState = {};
  /** Of each category what was sent, as text. */
  #categories: Texts = {};
  #tags: readonly string[] = [];
  /** Trackers to the hashes of their torrents, as text, and each torrent's own. */
  #trackers: Texts = {};
  readonly #urls = new Map<string, readonly string[]>();
  #areTrackersNew = true;

  async next(call: ApiCall): Promise<Answer> {
    const rid = Math.trunc(call.form.number('rid') ?? 0);
    const isKnown = rid > 0 && rid === this.#rid;
    if (!isKnown) this.#forget();
    const { torrents } = call.caller.management;
    await learnTorrents(call);
    const delta = await torrents.changes(this.#version);
    if (delta.full && isKnown) this.#forget();
    this.#version = delta.version;
    const full = !isKnown || delta.full;
    const answer: Answer = { rid: ++this.#rid, ...(full ? { full_update: true } : {}) };
    await this.#addTorrents(call, delta, answer, full);
    this.#addTrackers(answer, full);
    await this.#addCategories(call, answer, full);
    await this.#addTags(call, answer, full);
    await this.#addState(call, answer);
    return answer;
  }

  #forget(): void {
    this.#version = 0;
    this.#sent.clear();
    this.#hashes.clear();
    this.#urls.clear();
    this.#state = {};
    this.#categories = {};
    this.#tags = [];
    this.#trackers = {};
  }

  async #addTorrents(call: ApiCall, delta: TorrentDelta, answer: Answer, full: boolean): Promise<void> {
    const { sharing } = await call.caller.management.settings.get();
    const changed: Record<string, object> = {};
    for (const row of delta.changed) {
      const extras = await call.state.extrasOf(call.caller, row, delta.changed.length);
      this.#learnUrls(row.id, extras.urls);
      const difference = this.#differenceOf(row, torrentRow(row, extras, sharing));
      if (difference !== null) changed[hashOf(row)] = difference;
    }
    if (full || Object.keys(changed).length > 0) answer['torrents'] = changed;
    const removed = delta.removed.flatMap((id) => this.#hashes.get(id) ?? []);
    for (const id of delta.removed) {
      this.#sent.delete(this.#hashes.get(id) ?? '');
      this.#hashes.delete(id);
      this.#areTrackersNew = this.#urls.delete(id) || this.#areTrackersNew;
    }
    if (removed.length > 0) answer['torrents_removed'] = removed;
  }

  /** Without `hash`, which is the key already; null: the client knows all of it. */
  #differenceOf(row: ListedTorrent, { hash, ...is }: QbTorrent): object | null {
    const key = String(hash);
    const was = this.#sent.get(key);
    this.#hashes.set(row.id, key);
    this.#sent.delete(key);
    const [oldest] = this.#sent.keys();
    if (oldest !== undefined && this.#sent.size >= compatLimits.sentRowCountMax) this.#sent.delete(oldest);
    this.#sent.set(key, is);
    if (was === undefined) return is;
    const entries = Object.entries(is).filter(([name, value]) => was[name] !== value);
    return entries.length === 0 ? null : Object.fromEntries(entries);
  }

  #learnUrls(id: string, urls: readonly string[]): void {
    if (this.#urls.get(id)?.join(' ') !== urls.join(' ')) this.#areTrackersNew = true;
    this.#urls.set(id, urls);
  }

  #addTrackers(answer: Answer, full: boolean): void {
    // Costs as much as there are torrents.
    if (!this.#areTrackersNew && !full) return;
    this.#areTrackersNew = false;
    const now = new Map<string, string[]>();
    for (const [id, urls] of this.#urls) {
      const hash = this.#hashes.get(id);
      if (hash === undefined) continue;
      for (const url of urls) {
        const hashes = now.get(url);
        if (hashes === undefined) now.set(url, [hash]);
        else hashes.push(hash);
      }
    }
    const texts = Object.fromEntries([...now].map(([url, hashes]) => [url, hashes.join('|')]));
    const changed = [...now].filter(([url]) => this.#trackers[url] !== texts[url]);
    const removed = Object.keys(this.#trackers).filter((url) => !now.has(url));
    this.#trackers = texts;
    if (full || changed.length > 0) answer['trackers'] = Object.fromEntries(changed);
    if (removed.length > 0) answer['trackers_removed'] = removed;
  }

  async #addCategories(call: ApiCall, answer: Answer, full: boolean): Promise<void> {
    const now = await categories(call);
    const texts = Object.fromEntries(
      Object.entries(now).map(([name, value]) => [name, JSON.stringify(value)]),
    );
    const changed = Object.entries(now).filter(([name]) => this.#categories[name] !== texts[name]);
    const removed = Object.keys(this.#categories).filter((name) => !Object.hasOwn(now, name));
    this.#categories = texts;
    if (full || changed.length > 0) answer['categories'] = Object.fromEntries(changed);
    if (removed.length > 0) answer['categories_removed'] = removed;
  }

  async #addTags(call: ApiCall, answer: Answer, full: boolean): Promise<void> {
    const now = await call.caller.management.torrents.tags();
    const added = now.filter((tag) => full || !this.#tags.includes(tag));
    const removed = this.#tags.filter((tag) => !now.includes(tag));
    this.#tags = now;
    if (full || added.length > 0) answer['tags'] = added;
    if (removed.length > 0) answer['tags_removed'] = removed;
  }

  async #addState(call: ApiCall, answer: Answer): Promise<void> {
    const { status, settings } = call.caller.management;
    const now = serverState(await status.status(), await settings.get());
    const changed = Object.entries(now).filter(([key, value]) => this.#state[key] !== value);
    this.#state = now;
    if (changed.length > 0) answer['server_state'] = Object.fromEntries(changed);
  }
}
