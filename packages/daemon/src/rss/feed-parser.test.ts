import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8, Prng } from '@tequio/kernel';
import { type ParsedFeed, parseFeed } from './feed-parser.ts';

const url = 'https://example.org/feeds/all.xml';
const parse = (text: string): ParsedFeed => parseFeed(encodeUtf8(text), url);
const hash = '0123456789abcdef0123456789abcdef01234567';

test('RSS with enclosures, relative links and text in CDATA', () => {
  const { title, items } =
    parse(`<?xml version="1.0"?><rss version="2.0"><channel><title>All &amp; more</title>
    <item><title><![CDATA[A <b>]]></title><link>/page/1</link><guid isPermaLink="false">g1</guid>
      <pubDate>Thu, 01 Jan 2026 00:00:00 GMT</pubDate><description>d</description>
      <enclosure url="/t/1.torrent" length="123" type="application/x-bittorrent"/></item>
    <item><title>B</title><link>magnet:?xt=urn:btih:${hash}</link></item></channel></rss>`);
  assert.equal(title, 'All & more');
  assert.deepEqual(items[0], {
    id: 'g1',
    title: 'A <b>',
    link: 'https://example.org/page/1',
    source: 'https://example.org/t/1.torrent',
    publishedAtMs: Date.UTC(2026, 0, 1),
    bytes: 123,
    description: 'd',
  });
  assert.equal(items[1]?.source, `magnet:?xt=urn:btih:${hash}`);
});

test('Atom, RDF, and what torrent sites add', () => {
  const atom =
    parse(`<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry><id>urn:1</id><title>A</title>
    <link href="https://example.org/p"/><link rel="enclosure" href="https://example.org/a.torrent" length="5"/>
    <updated>2026-01-01T00:00:00Z</updated></entry></feed>`);
  assert.deepEqual(
    [atom.items[0]?.source, atom.items[0]?.link, atom.items[0]?.bytes],
    ['https://example.org/a.torrent', 'https://example.org/p', 5],
  );
  const rdf = parse(`<rdf:RDF><channel><title>R</title></channel><item rdf:about="x"><title>A</title>
    <torrent:infoHash>${hash}</torrent:infoHash><torrent:contentLength>77</torrent:contentLength></item></rdf:RDF>`);
  assert.deepEqual(
    [rdf.title, rdf.items[0]?.source, rdf.items[0]?.bytes],
    ['R', `magnet:?xt=urn:btih:${hash}`, 77],
  );
  const torznab = parse(`<rss><channel><item><title>A</title><guid>https://example.org/x</guid>
    <torznab:attr name="size" value="9"/><torznab:attr name="magneturl" value="magnet:?xt=urn:btih:${hash}"/></item></channel></rss>`);
  assert.deepEqual([torznab.items[0]?.bytes, torznab.items[0]?.source], [9, `magnet:?xt=urn:btih:${hash}`]);
});

test('other encodings, and addresses that are none of the web', () => {
  const latin = new Uint8Array(
    Buffer.from(
      '<?xml version="1.0" encoding="ISO-8859-1"?><rss><channel><title>caf\xe9</title><item><title>x</title><enclosure url="file:///etc/passwd"/><link>javascript:alert(1)</link></item></channel></rss>',
      'latin1',
    ),
  );
  const { title, items } = parseFeed(latin, url);
  assert.equal(title, 'café');
  assert.deepEqual([items[0]?.source, items[0]?.link], [null, null]);
});

test('what is no feed is a sentence; entities of its own are not followed', () => {
  for (const text of ['', 'hello', '<html><title>x</title></html>', '{"a":1}'])
    assert.throws(() => parse(text), { code: 'RSS_FEED' });
  const bomb = `<!DOCTYPE r [<!ENTITY a "${'x'.repeat(100)}"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel><item><title>&b;</title><guid>1</guid></item></channel></rss>`;
  assert.ok((parse(bomb).items[0]?.title.length ?? 0) < 10);
});

test('damaged feeds end, and are read as far as they go', () => {
  const whole = `<rss><channel><title>T</title>${'<item><title>A</title><guid>1</guid></item>'.repeat(20)}</channel></rss>`;
  const prng = new Prng(7);
  for (let run = 0; run < 500; run++) {
    const bytes = encodeUtf8(whole);
    for (let change = 0; change < 5; change++) bytes[prng.below(bytes.length)] = prng.below(256);
    try {
      parseFeed(bytes.subarray(0, prng.below(bytes.length)), url);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'RSS_FEED');
    }
  }
});
