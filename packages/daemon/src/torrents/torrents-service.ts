/** Torrents as somebody manages them: every call is checked for whose torrents it is about, then carried out. */
import type {
  AddedTorrent,
  AddTorrent,
  BittorrentApi,
  Category,
  CreateTorrent,
  FileSnapshot,
  Identity,
  ListedPeer,
  ListedTorrent,
  PeerPlace,
  PieceView,
  ShownTorrent,
  TorrentDelta,
  TorrentId,
  TorrentList,
  TorrentListQuery,
  TorrentPatch,
  TorrentSource,
  TorrentsApi,
  TrackerRule,
  TrackerSnapshot,
  VerifyReport,
  WebSeedSnapshot,
} from '@tequio/api';
import { type Clock, NodeError } from '@tequio/kernel';
import { allows, ownerName, requireScope } from '../users/rights.ts';
import type { Caretaker } from './caretaker.ts';
import { bookLimits } from './limits.ts';
import { placesOf } from './peer-places.ts';
import { checkTags, missingCategory, type Places } from './places.ts';
import { rankChanges } from './queue-order.ts';
import type { TorrentAdder } from './torrent-adder.ts';
import type { BookEntry, TorrentBook } from './torrent-book.ts';
import { checkQuery, countTorrents, matcherOf, pageOf } from './torrent-query.ts';
import { twinOf } from './torrent-twin.ts';

export type TorrentsDeps = {
  readonly engine: BittorrentApi;
  readonly book: TorrentBook;
  readonly places: Places;
  readonly caretaker: Caretaker;
  readonly adder: TorrentAdder;
  readonly clock: Clock;
  /** Of `ADDRESS:PORT` each. */
  countriesOf(endpoints: readonly string[]): Promise<readonly (string | null)[]>;
};

export class TorrentsService implements TorrentsApi {
  readonly #deps: TorrentsDeps;
  readonly #who: Identity;

  constructor(deps: TorrentsDeps, who: Identity) {
    this.#deps = deps;
    this.#who = who;
  }

  async list(query: TorrentListQuery = {}): Promise<TorrentList> {
    checkQuery(query);
    const { book, clock } = this.#deps;
    book.pull();
    const visible = [...book.entries()].filter((entry) => this.#sees(entry));
    const matches = matcherOf(query.filter ?? {});
    const found = query.filter === undefined ? visible : visible.filter(matches);
    const rows = pageOf(found, query, clock.nowMs()).map((entry) => book.listed(entry));
    const counts = query.counts === true ? countTorrents(visible) : null;
    return { version: book.version, totalCount: found.length, rows, counts };
  }

  async get(id: TorrentId): Promise<ListedTorrent | null> {
    const { book } = this.#deps;
    book.pull();
    const entry = book.entry(id);
    return entry === null || !this.#sees(entry) ? null : book.listed(entry);
  }

  async changes(since: number): Promise<TorrentDelta> {
    this.#deps.book.pull();
    return this.#deps.book.changes(since, (entry) => this.#sees(entry));
  }

  async add(torrent: AddTorrent): Promise<AddedTorrent> {
    requireScope(this.#who, 'write');
    return this.#deps.adder.add(torrent, this.#who);
  }

  async makeTwin(id: TorrentId, version: 'v2' | 'hybrid'): Promise<AddedTorrent> {
    const [entry] = this.#write([id]);
    return this.#deps.adder.add(await twinOf(entry!, version, this.#deps.engine), this.#who);
  }

  async create(options: CreateTorrent): Promise<Uint8Array> {
    requireScope(this.#who, 'admin');
    return this.#deps.engine.create(options);
  }

  async verify(torrent: Uint8Array, path: string): Promise<VerifyReport> {
    requireScope(this.#who, 'admin');
    return this.#deps.engine.verify(torrent, path);
  }

  async preview(source: TorrentSource, timeoutMs: number): Promise<ShownTorrent> {
    requireScope(this.#who, 'write');
    return this.#deps.adder.preview(source, timeoutMs);
  }

  async patch(ids: readonly TorrentId[], patch: TorrentPatch): Promise<void> {
    const entries = this.#write(ids);
    this.#checkPatch(patch);
    const { book, engine, caretaker } = this.#deps;
    const { name, category, tags, limitDown, limitUp, shareGoal, sequential, superSeed, edgesFirst } = patch;
    const { forced, finishedFolder, comment } = patch;
    const fields = defined({ category, tags, shareGoal, edgesFirst, forced, finishedFolder, comment });
    book.change(ids, (note) => ({
      ...note,
      ...fields,
      ...(shareGoal === undefined ? {} : { shared: false }),
      ...(forced === true ? { paused: false } : {}),
    }));
    for (const { id, row } of entries) {
      if (name !== undefined) engine.rename(id, name);
      if (category !== undefined) caretaker.place(book.entry(id)!);
      if (limitDown !== undefined || limitUp !== undefined) {
        const down = limitDown === undefined ? row.limitDown : limitDown;
        engine.setTorrentLimits(id, { down, up: limitUp === undefined ? row.limitUp : limitUp });
      }
      if (sequential !== undefined) await engine.setSequential(id, sequential);
      if (superSeed !== undefined) engine.setSuperSeed(id, superSeed);
      if (edgesFirst !== undefined) await engine.setEdgesFirst(id, edgesFirst);
    }
    if (forced !== undefined) caretaker.settle();
  }

  async addTags(ids: readonly TorrentId[], tags: readonly string[]): Promise<void> {
    this.#write(ids);
    this.#deps.places.putTags(tags);
    this.#deps.book.change(ids, (note) => ({ ...note, tags: checkTags([...note.tags, ...tags]) }));
  }

  async removeTags(ids: readonly TorrentId[], tags: readonly string[]): Promise<void> {
    this.#write(ids);
    const stays = (tag: string): boolean => tags.length > 0 && !tags.includes(tag);
    this.#deps.book.change(ids, (note) => ({ ...note, tags: note.tags.filter(stays) }));
  }

  async pause(ids: readonly TorrentId[]): Promise<void> {
    this.#write(ids);
    const { book, engine, caretaker } = this.#deps;
    book.change(ids, (note) => ({ ...note, paused: true, queued: false, forced: false }));
    for (const id of ids) await engine.pause(id);
    book.pull();
    caretaker.settle();
  }

  async resume(ids: readonly TorrentId[]): Promise<void> {
    this.#write(ids);
    const { book, caretaker } = this.#deps;
    book.change(ids, (note) => (note.paused ? { ...note, paused: false, queued: true } : note));
    caretaker.settle();
  }

  async recheck(ids: readonly TorrentId[]): Promise<void> {
    this.#write(ids);
    for (const id of ids) await this.#deps.engine.recheck(id);
  }

  async announce(ids: readonly TorrentId[]): Promise<void> {
    this.#write(ids);
    for (const id of ids) this.#deps.engine.announce(id);
  }

  async remove(ids: readonly TorrentId[], options: { readonly removeContent?: boolean } = {}): Promise<void> {
    this.#write(ids);
    const { engine, book, caretaker } = this.#deps;
    for (const id of ids) await engine.remove(id, options);
    book.pull();
    book.flush();
    caretaker.settle();
  }

  async move(ids: readonly TorrentId[], folder: string): Promise<void> {
    this.#write(ids);
    this.#deps.adder.checkFolder(folder, this.#who);
    for (const id of ids) await this.#deps.engine.move(id, folder);
  }

  async moveInQueue(ids: readonly TorrentId[], to: 'top' | 'up' | 'down' | 'bottom'): Promise<void> {
    this.#write(ids);
    const { book, caretaker } = this.#deps;
    const ranks = rankChanges(book.queue(), new Set(ids), to, () =>
      book.rankAt(to === 'top' ? 'top' : 'bottom'),
    );
    const changed = ranks.map(([id]) => id);
    const rankOf = new Map(ranks);
    let at = 0;
    book.change(changed, (note) => ({ ...note, rank: rankOf.get(changed[at++]!)! }));
    caretaker.settle();
  }

  async setFilePriorities(id: TorrentId, files: readonly number[], priority: number): Promise<void> {
    this.#write([id]);
    await this.#deps.engine.setFilePriority(id, files, priority);
  }

  async renameFile(id: TorrentId, file: number, path: string): Promise<void> {
    this.#write([id]);
    await this.#deps.engine.renameFile(id, file, path);
  }

  async renameFolder(id: TorrentId, from: string, to: string): Promise<void> {
    this.#write([id]);
    const { engine } = this.#deps;
    const before = `${from.replace(/\/+$/, '')}/`;
    const inside = engine.files(id).filter(({ path, pad }) => !pad && path.startsWith(before));
    if (inside.length === 0)
      throw new NodeError('FOLDER_MISSING', `There is no folder "${from}" in this torrent.`, {
        op: 'rename',
      });
    const after = `${to.replace(/\/+$/, '')}/`;
    for (const { index, path } of inside) {
      await engine.renameFile(id, index, after + path.slice(before.length));
    }
  }

  async setTrackers(id: TorrentId, tiers: readonly (readonly string[])[]): Promise<void> {
    this.#write([id]);
    await this.#deps.engine.setTrackers(id, tiers);
  }

  async setWebSeeds(id: TorrentId, urls: readonly string[]): Promise<void> {
    this.#write([id]);
    await this.#deps.engine.setWebSeeds(id, urls);
  }

  async addPeers(ids: readonly TorrentId[], hostPorts: readonly string[]): Promise<void> {
    this.#write(ids);
    for (const id of ids) for (const hostPort of hostPorts) await this.#deps.engine.addPeer(id, hostPort);
  }

  async files(id: TorrentId): Promise<readonly FileSnapshot[]> {
    return this.#deps.engine.files(this.#read(id));
  }

  async peers(id: TorrentId): Promise<readonly ListedPeer[]> {
    const peers = this.#deps.engine.peers(this.#read(id));
    const countries = await this.#deps.countriesOf(peers.map(({ endpoint }) => endpoint));
    return peers.map((peer, index) => ({ ...peer, country: countries[index] ?? null }));
  }

  async peerPlaces(): Promise<readonly PeerPlace[]> {
    const { book, engine } = this.#deps;
    book.pull();
    const peers = [...book.entries()]
      .filter((entry) => entry.row.peerCount > 0 && this.#sees(entry))
      .flatMap(({ id }) => engine.peers(id));
    return placesOf(peers, await this.#deps.countriesOf(peers.map(({ endpoint }) => endpoint)));
  }

  async trackers(id: TorrentId): Promise<readonly TrackerSnapshot[]> {
    return this.#deps.engine.trackers(this.#read(id));
  }

  async webSeeds(id: TorrentId): Promise<readonly WebSeedSnapshot[]> {
    return this.#deps.engine.webSeeds(this.#read(id));
  }

  async pieces(id: TorrentId): Promise<PieceView> {
    return this.#deps.engine.pieces(this.#read(id));
  }

  async show(id: TorrentId): Promise<ShownTorrent | null> {
    const torrent = await this.exportTorrent(id);
    return torrent === null ? null : this.#deps.engine.show({ torrent });
  }

  async exportTorrent(id: TorrentId): Promise<Uint8Array | null> {
    const { adder, book, engine } = this.#deps;
    const previewed = book.entry(id) === null && allows(this.#who, 'write') ? adder.previewed(id) : null;
    return previewed ?? engine.exportTorrent(this.#read(id));
  }

  async *readContent(
    id: TorrentId,
    file: number,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    yield* this.#deps.engine.readContent(this.#read(id), file, offset, length, signal);
  }

  async categories(): Promise<readonly Category[]> {
    return this.#deps.places.categories();
  }

  async putCategory(category: Category): Promise<void> {
    requireScope(this.#who, 'admin');
    this.#deps.places.putCategory(category);
    this.#deps.caretaker.placeAllFiles();
  }

  async removeCategory(name: string): Promise<void> {
    requireScope(this.#who, 'admin');
    const { book, places } = this.#deps;
    const ids = [...book.entries()].filter(({ note }) => note.category === name).map(({ id }) => id);
    book.change(ids, (note) => ({ ...note, category: null }));
    for (const id of ids) this.#deps.caretaker.place(book.entry(id)!);
    places.removeCategory(name);
  }

  async tags(): Promise<readonly string[]> {
    return this.#deps.places.tags();
  }

  async putTags(names: readonly string[]): Promise<void> {
    requireScope(this.#who, 'write');
    this.#deps.places.putTags(names);
  }

  async dropTags(names: readonly string[]): Promise<void> {
    requireScope(this.#who, 'admin');
    const { book, places } = this.#deps;
    const has = (entry: BookEntry): boolean => entry.note.tags.some((tag) => names.includes(tag));
    const ids = [...book.entries()].filter(has).map(({ id }) => id);
    book.change(ids, (note) => ({ ...note, tags: note.tags.filter((tag) => !names.includes(tag)) }));
    places.dropTags(names);
  }

  async trackerRules(): Promise<readonly TrackerRule[]> {
    return this.#deps.places.trackerRules();
  }

  async putTrackerRule(rule: TrackerRule): Promise<void> {
    requireScope(this.#who, 'admin');
    this.#deps.places.putTrackerRule(rule);
    this.#placeAll(rule.host);
  }

  async removeTrackerRule(host: string): Promise<void> {
    requireScope(this.#who, 'admin');
    this.#deps.places.removeTrackerRule(host);
    this.#placeAll(host);
  }

  #placeAll(host: string): void {
    const { book, caretaker } = this.#deps;
    book.pull();
    for (const entry of book.entries())
      if (entry.row.trackerHost?.toLowerCase() === host.toLowerCase()) caretaker.place(entry);
  }

  #sees(entry: BookEntry): boolean {
    return allows(this.#who, 'admin') || entry.note.owner === ownerName(this.#who);
  }

  /** @throws NodeError `TORRENT_MISSING`, also when it is somebody else's */
  #entry(id: TorrentId): BookEntry {
    const entry = this.#deps.book.entry(id);
    if (entry !== null && this.#sees(entry)) return entry;
    throw new NodeError('TORRENT_MISSING', `There is no torrent ${id}.`, {
      op: 'find',
      data: { torrent: id },
    });
  }

  #read(id: TorrentId): TorrentId {
    this.#deps.book.pull();
    return this.#entry(id).id;
  }

  #write(ids: readonly TorrentId[]): readonly BookEntry[] {
    requireScope(this.#who, 'write');
    this.#deps.book.pull();
    return ids.map((id) => this.#entry(id));
  }

  #checkPatch({ category, tags, comment, finishedFolder }: TorrentPatch): void {
    const { places, adder } = this.#deps;
    if (category !== undefined && category !== null && !places.hasCategory(category))
      throw missingCategory(category);
    if (tags !== undefined) places.putTags(checkTags(tags));
    if ((comment?.length ?? 0) > bookLimits.commentChars)
      throw new NodeError('COMMENT_LENGTH', `A comment has ${bookLimits.commentChars} characters at most.`);
    if (finishedFolder !== undefined && finishedFolder !== null) adder.checkFolder(finishedFolder, this.#who);
  }
}

/** Without the fields that are undefined. */
function defined<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
