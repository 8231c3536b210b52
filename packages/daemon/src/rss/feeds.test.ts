import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AddTorrent, Feed, FeedRule, ManagementEvent } from '@tequio/api';
import { settingsSchema } from '@tequio/api/settings';
import { encodeUtf8, silentLog } from '@tequio/kernel';
import { createDatabases } from '@tequio/runtime';
import { VirtualClock } from '@tequio/simulator';
import { openNodeTables } from '../store/node-tables.ts';
import { Feeds } from './feeds.ts';

const url = 'https://feeds.example/shows';
const feed: Feed = { url, name: null, enabled: true, refreshMinutes: null };
const rule: FeedRule = {
  name: 'show',
  enabled: true,
  priority: 0,
  feeds: [],
  must: 'show 1080p|show 720p',
  mustNot: 'cam',
  regex: false,
  episodes: '1x2-',
  onceAnEpisode: true,
  bytesMin: null,
  bytesMax: null,
  restDays: 0,
  add: { category: 'tv' },
};
const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

const item = (title: string, file: string): string =>
  `<item><title>${title}</title><enclosure url="/t/${file}.torrent" length="1000" type="application/x-bittorrent"/></item>`;

function open(before?: { database: ReturnType<ReturnType<typeof createDatabases>['open']> }) {
  const database = before?.database ?? createDatabases().open(':memory:');
  openNodeTables(database);
  const added: AddTorrent[] = [];
  const events: ManagementEvent[] = [];
  const web = { items: '', isDown: false, brokenSource: '' };
  const clock = new VirtualClock();
  const feeds = new Feeds({
    database,
    clock,
    log: silentLog,
    settings: () => settingsSchema.parse({}).rss,
    fetch: async () => {
      if (web.isDown) throw new Error('down');
      return encodeUtf8(`<rss version="2.0"><channel><title>Shows</title>${web.items}</channel></rss>`);
    },
    readSource: async (source) => {
      if (source === web.brokenSource) throw new Error('gone');
      return { magnet: source };
    },
    add: async (torrent) => {
      added.push(torrent);
      return { id: `id${added.length}` };
    },
    emit: (event) => void events.push(event),
  });
  const names = (): string[] =>
    added.map(({ source }) => ('magnet' in source ? source.magnet : '').split('/t/')[1]!);
  return { feeds, web, added, events, database, names };
}

test('what fits a rule is added once, in the order of the feed, each episode once', async () => {
  const { feeds, web, added, events, names } = open();
  await feeds.putFeed(feed);
  await feeds.putRule(rule);
  web.items =
    item('Show S01E03 1080p', 'e3') +
    item('Show S01E02 720p', 'e2-720') +
    item('Show S01E02 1080p', 'e2') +
    item('Show S01E01 1080p', 'e1') +
    item('Show S01E04 CAM 1080p', 'cam') +
    item('Other S01E02 1080p', 'other');
  await feeds.refresh(url);
  assert.deepEqual(names(), ['e2.torrent', 'e3.torrent']);
  assert.equal(added[0]?.category, 'tv');
  await feeds.refresh();
  assert.equal(added.length, 2);
  web.items = item('Show S01E02 REPACK 1080p', 'e2-repack') + web.items;
  await feeds.refresh();
  assert.deepEqual(names(), ['e2.torrent', 'e3.torrent', 'e2-repack.torrent']);
  assert.deepEqual(events[0], {
    type: 'node.rss.added',
    torrent: 'id1',
    rule: 'show',
    title: 'Show S01E02 1080p',
  });
  const [state] = await feeds.feeds();
  assert.deepEqual([state?.title, state?.itemCount, state?.unreadCount, state?.error], ['Shows', 7, 4, null]);
});

test('a torrent that could not be fetched is tried again, and nothing is taken twice after a restart', async () => {
  const first = open();
  await first.feeds.putFeed(feed);
  await first.feeds.putRule(rule);
  first.web.items = item('Show S01E02 1080p', 'e2');
  first.web.brokenSource = 'https://feeds.example/t/e2.torrent';
  await first.feeds.refresh();
  assert.equal(first.added.length, 0);
  first.web.brokenSource = '';
  await first.feeds.refresh();
  assert.equal(first.added.length, 1);
  const later = open(first);
  later.web.items = first.web.items;
  await later.feeds.refresh();
  assert.equal(later.added.length, 0);
});

test('a rule can be tried, with the reason why an item does not fit', async () => {
  const { feeds, web } = open();
  await feeds.putFeed(feed);
  web.items = item('Show S01E02 1080p', 'a') + item('Show S01E01 1080p', 'b') + item('Show cam 1080p', 'c');
  await feeds.refresh();
  const verdicts = await feeds.testRule(rule);
  assert.deepEqual(verdicts.map(({ item: one, reason }) => [one.title, reason]).sort(), [
    ['Show S01E01 1080p', 'it is another episode'],
    ['Show S01E02 1080p', null],
    ['Show cam 1080p', 'the title has what it must not have'],
  ]);
  for (const wrong of [
    { must: '(', regex: true },
    { must: '(a+)+$', regex: true },
    { episodes: 'two' },
    { name: '' },
  ])
    await assert.rejects(feeds.testRule({ ...rule, ...wrong }), code('RSS_RULE'));
});

test('a feed that is down says so, keeps what it had, and is asked for by the user with an error', async () => {
  const { feeds, web } = open();
  await feeds.putFeed(feed);
  web.items = item('Show', 'a');
  await feeds.refresh();
  web.isDown = true;
  await assert.rejects(feeds.refresh(url), code('RSS_FEED'));
  const [state] = await feeds.feeds();
  assert.equal(state?.itemCount, 1);
  assert.match(state?.error ?? '', /down/);
  await assert.rejects(feeds.putFeed({ ...feed, url: 'file:///etc/passwd' }), code('RSS_FEED'));
});
