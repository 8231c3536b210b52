/**
 * Feeds as they are found: RSS 0.9 to 2.0, RSS 1.0 (RDF) and Atom (RFC 4287), with what torrent sites add
 * (`torrent:`, `torznab:`). Total: whatever the bytes are, there is a feed or a sentence. Entities that a document
 * declares itself are not followed.
 */
import { NodeError } from '@tequio/kernel';
import { SaxesParser, type SaxesTagPlain } from 'saxes';

export const feedLimits = {
  bytesMax: 16 << 20,
  itemCountMax: 10_000,
  depthMax: 50,
  titleChars: 1000,
  descriptionChars: 20_000,
  urlChars: 4096,
} as const;

export type ParsedItem = {
  readonly id: string;
  readonly title: string;
  readonly link: string | null;
  readonly source: string | null;
  readonly publishedAtMs: number | null;
  readonly bytes: number | null;
  readonly description: string | null;
};

export type ParsedFeed = { readonly title: string | null; readonly items: readonly ParsedItem[] };

/** @param url of the feed: links in it may be relative. @throws NodeError `RSS_FEED` */
export function parseFeed(bytes: Uint8Array, url: string): ParsedFeed {
  const reader = new FeedReader(url);
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on('opentag', (tag: SaxesTagPlain) => reader.open(tag.name, tag.attributes));
  parser.on('closetag', () => reader.close());
  parser.on('text', (text) => reader.text(text));
  parser.on('cdata', (text) => reader.text(text));
  // Feeds are written by hand and by scripts: what can be read is read.
  parser.on('error', () => undefined);
  parser.write(decodeXml(bytes)).close();
  if (!reader.isFeed)
    throw new NodeError('RSS_FEED', `What is at ${url} is no feed: neither RSS nor Atom.`, { op: 'parse' });
  return reader.feed();
}

function decodeXml(bytes: Uint8Array): string {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 200));
  const named = /^\s*<\?xml[^>]*\bencoding\s*=\s*["']([\w.:-]+)["']/i.exec(head)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(named).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

type Fields = { [name: string]: string };

class FeedReader {
  isFeed = false;
  readonly #url: string;
  readonly #path: string[] = [];
  readonly #items: ParsedItem[] = [];
  #title: string | null = null;
  #item: Fields | null = null;
  #itemDepth = 0;
  #text = '';

  constructor(url: string) {
    this.#url = url;
  }

  feed(): ParsedFeed {
    return { title: this.#title, items: this.#items };
  }

  open(tag: string, attributes: Readonly<Record<string, string>>): void {
    const name = tag.toLowerCase();
    this.#path.push(name);
    this.#text = '';
    const depth = this.#path.length;
    if (depth === 1) this.isFeed = ['rss', 'feed', 'rdf:rdf', 'rdf'].includes(name);
    if (depth > feedLimits.depthMax) return;
    if (this.#item === null && (name === 'item' || name === 'entry') && depth <= 4) {
      this.#item = {};
      this.#itemDepth = depth;
    } else if (this.#item !== null) takeAttributes(this.#item, name, attributes);
  }

  text(text: string): void {
    if (this.#text.length < feedLimits.descriptionChars) this.#text += text;
  }

  close(): void {
    const name = this.#path.pop() ?? '';
    const depth = this.#path.length + 1;
    const text = this.#text.trim();
    if (this.#item !== null && depth === this.#itemDepth) {
      const item = itemOf(this.#item, this.#url);
      if (item !== null && this.#items.length < feedLimits.itemCountMax) this.#items.push(item);
      this.#item = null;
    } else if (this.#item !== null) {
      if (text !== '') this.#item[name] ??= text;
    } else if (name === 'title' && depth <= 3 && this.#title === null && text !== '') {
      this.#title = text.slice(0, feedLimits.titleChars);
    }
    this.#text = '';
  }
}

function takeAttributes(item: Fields, name: string, attributes: Readonly<Record<string, string>>): void {
  const at = (key: string): string => attributes[key] ?? '';
  if (name === 'enclosure') {
    item['enclosure'] ??= at('url');
    item['enclosure-length'] ??= at('length');
    item['enclosure-type'] ??= at('type');
  } else if (name === 'link' && at('href') !== '') {
    const isContent = at('rel') === 'enclosure';
    item[isContent ? 'enclosure' : 'link'] ??= at('href');
    if (isContent) item['enclosure-length'] ??= at('length');
  } else if (name === 'torznab:attr' || name === 'newznab:attr') {
    item[`attr:${at('name').toLowerCase()}`] ??= at('value');
  }
}

/** Null: it has neither a title nor an address, so nobody can want it. */
function itemOf(item: Fields, base: string): ParsedItem | null {
  const link = tryUrl(item['link'], base);
  const source = sourceOf(item, base, link);
  const id = (item['guid'] ?? item['id'] ?? link ?? source ?? item['title'] ?? '').slice(
    0,
    feedLimits.urlChars,
  );
  const title = (item['title'] ?? id).replace(/\s+/g, ' ').slice(0, feedLimits.titleChars);
  if (id === '') return null;
  const published = item['pubdate'] ?? item['published'] ?? item['updated'] ?? item['dc:date'];
  const atMs = published === undefined ? Number.NaN : Date.parse(published);
  const length = item['torrent:contentlength'] ?? item['contentlength'] ?? item['size'] ?? item['attr:size'];
  const bytes = Number(length ?? item['enclosure-length'] ?? 0);
  return {
    id,
    title,
    link,
    source,
    publishedAtMs: Number.isNaN(atMs) ? null : atMs,
    bytes: Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null,
    description:
      (item['description'] ?? item['summary'] ?? item['content'] ?? null)?.slice(
        0,
        feedLimits.descriptionChars,
      ) ?? null,
  };
}

function sourceOf(item: Fields, base: string, link: string | null): string | null {
  const magnet = item['torrent:magneturi'] ?? item['magneturi'] ?? item['attr:magneturl'];
  const hash = item['torrent:infohash'] ?? item['infohash'] ?? item['attr:infohash'];
  const enclosure = tryUrl(item['enclosure'], base);
  const isTorrent = item['enclosure-type'] === 'application/x-bittorrent' || isTorrentUrl(enclosure);
  for (const candidate of [isTorrent ? enclosure : null, magnet, isTorrentUrl(link) ? link : null]) {
    const url = tryUrl(candidate ?? undefined, base);
    if (url !== null) return url;
  }
  if (hash !== undefined && /^[0-9a-f]{40}$/i.test(hash)) return `magnet:?xt=urn:btih:${hash.toLowerCase()}`;
  const guid = tryUrl(item['guid'], base);
  return enclosure ?? (isTorrentUrl(guid) ? guid : null);
}

function isTorrentUrl(url: string | null): boolean {
  return url !== null && (/^magnet:/i.test(url) || /\.torrent(?:[?#]|$)/i.test(url));
}

/** http, https and magnet only. */
function tryUrl(text: string | undefined, base: string): string | null {
  if (text === undefined || text === '' || text.length > feedLimits.urlChars) return null;
  if (/^magnet:\?/i.test(text)) return text;
  const url = URL.parse(text, base);
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : null;
}
