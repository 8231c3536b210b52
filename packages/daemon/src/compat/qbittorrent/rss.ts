/** `rss/…`. A feed's path is its name here, `\` between folders. */
import type { Feed, FeedItem, FeedRule, FeedState } from '@tequio/api';
import { badParams, conflict } from './api-error.ts';
import type { ApiCall } from './caller-state.ts';

type Action = (call: ApiCall) => Promise<unknown>;
type Json = Readonly<Record<string, unknown>>;

const pathOf = (feed: Pick<FeedState, 'name' | 'title' | 'url'>): string =>
  feed.name ?? feed.title ?? feed.url;

async function feedAt({ caller }: ApiCall, path: string): Promise<FeedState> {
  const feed = (await caller.management.rss.feeds()).find((known) => pathOf(known) === path);
  if (feed === undefined) throw conflict(`Item doesn't exist: ${path}.`);
  return feed;
}

/** Those in a folder, or the one feed of this path; '' means all. */
async function feedsUnder({ caller }: ApiCall, path: string): Promise<readonly FeedState[]> {
  const feeds = await caller.management.rss.feeds();
  return feeds.filter((feed) => path === '' || pathOf(feed) === path || pathOf(feed).startsWith(`${path}\\`));
}

const plain = ({ url, name, enabled, refreshMinutes }: Feed): Feed => ({
  url,
  name,
  enabled,
  refreshMinutes,
});

function articleOf(item: FeedItem): Json {
  return {
    id: item.id,
    date: new Date(item.publishedAtMs ?? item.seenAtMs).toUTCString(),
    title: item.title,
    author: '',
    description: item.description ?? '',
    torrentURL: item.source ?? item.link ?? '',
    link: item.link ?? '',
    isRead: item.read,
  };
}

async function items(call: ApiCall): Promise<unknown> {
  const { rss } = call.caller.management;
  const withData = call.form.flag('withData') ?? false;
  const root: Record<string, unknown> = {};
  for (const feed of await rss.feeds()) {
    const folders = pathOf(feed).split('\\');
    const last = folders.pop()!;
    let place = root;
    for (const folder of folders) place = (place[folder] ??= {}) as Record<string, unknown>;
    const base = { uid: feed.url, url: feed.url, refreshInterval: (feed.refreshMinutes ?? 0) * 60 };
    const found = withData ? await rss.items({ feed: feed.url, limit: 1000 }) : null;
    place[last] =
      found === null
        ? base
        : {
            ...base,
            title: feed.title ?? '',
            lastBuildDate: feed.fetchedAtMs === null ? '' : new Date(feed.fetchedAtMs).toUTCString(),
            isLoading: false,
            hasError: feed.error !== null,
            articles: found.items.map(articleOf),
          };
  }
  return root;
}

function ruleJson(rule: FeedRule & { readonly takenAtMs?: number | null }): Json {
  const { add } = rule;
  return {
    enabled: rule.enabled,
    priority: rule.priority,
    mustContain: rule.must,
    mustNotContain: rule.mustNot,
    useRegex: rule.regex,
    episodeFilter: rule.episodes ?? '',
    smartFilter: rule.onceAnEpisode,
    previouslyMatchedEpisodes: [],
    affectedFeeds: rule.feeds,
    ignoreDays: rule.restDays,
    lastMatch: rule.takenAtMs == null ? '' : new Date(rule.takenAtMs).toUTCString(),
    addPaused: add.paused ?? null,
    assignedCategory: add.category ?? '',
    savePath: add.folder ?? '',
    torrentParams: {
      category: add.category ?? '',
      tags: add.tags ?? [],
      save_path: add.folder ?? '',
      stopped: add.paused ?? null,
      download_limit: add.limitDown ?? -1,
      upload_limit: add.limitUp ?? -1,
    },
  };
}

/** What is said of a rule, on top of what it was. */
function ruleOf(name: string, said: Json, was: FeedRule | undefined): FeedRule {
  const params = (typeof said['torrentParams'] === 'object' ? said['torrentParams'] : null) as Json | null;
  const text = (value: unknown, before: string): string => (typeof value === 'string' ? value : before);
  const flag = (key: string, before: boolean): boolean =>
    typeof said[key] === 'boolean' ? said[key] : before;
  const number = (key: string, before: number): number =>
    typeof said[key] === 'number' ? said[key] : before;
  const feeds = Array.isArray(said['affectedFeeds']) ? said['affectedFeeds'].map(String) : (was?.feeds ?? []);
  const folder = text(params?.['save_path'] ?? said['savePath'], was?.add.folder ?? '');
  const category = text(params?.['category'] ?? said['assignedCategory'], was?.add.category ?? '');
  const paused = params?.['stopped'] ?? said['addPaused'] ?? was?.add.paused;
  const tags = Array.isArray(params?.['tags']) ? params['tags'].map(String) : was?.add.tags;
  return {
    name,
    enabled: flag('enabled', was?.enabled ?? true),
    priority: number('priority', was?.priority ?? 0),
    feeds,
    must: text(said['mustContain'], was?.must ?? ''),
    mustNot: text(said['mustNotContain'], was?.mustNot ?? ''),
    regex: flag('useRegex', was?.regex ?? false),
    episodes: text(said['episodeFilter'], was?.episodes ?? '') || null,
    onceAnEpisode: flag('smartFilter', was?.onceAnEpisode ?? false),
    bytesMin: was?.bytesMin ?? null,
    bytesMax: was?.bytesMax ?? null,
    restDays: number('ignoreDays', was?.restDays ?? 0),
    add: {
      ...(folder === '' ? {} : { folder }),
      ...(category === '' ? {} : { category }),
      ...(tags === undefined ? {} : { tags }),
      ...(typeof paused === 'boolean' ? { paused } : {}),
    },
  };
}

async function ruleNamed({ caller }: ApiCall, name: string): Promise<FeedRule | undefined> {
  return (await caller.management.rss.rules()).find((rule) => rule.name === name);
}

async function matchingArticles(call: ApiCall): Promise<unknown> {
  const { rss } = call.caller.management;
  const rule = await ruleNamed(call, call.form.required('ruleName'));
  if (rule === undefined) return {};
  const names = new Map((await rss.feeds()).map((feed) => [feed.url, pathOf(feed)]));
  const fitting = (await rss.testRule(rule)).filter(({ fits }) => fits);
  const groups = Map.groupBy(fitting, ({ item }) => names.get(item.feed) ?? item.feed);
  return Object.fromEntries([...groups].map(([feed, all]) => [feed, all.map(({ item }) => item.title)]));
}

export const rssLooks: Readonly<Record<string, Action>> = {
  items,
  rules: async ({ caller }) =>
    Object.fromEntries((await caller.management.rss.rules()).map((rule) => [rule.name, ruleJson(rule)])),
  matchingArticles,
};

export const rssVerbs: Readonly<Record<string, Action>> = {
  /** A folder is there as soon as a feed is in it. */
  addFolder: async ({ form }) => void form.required('path'),
  addFeed: async ({ form, caller }) => {
    const url = form.required('url').trim();
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw conflict('Incorrect feed URL.');
    if ((await caller.management.rss.feeds()).some((feed) => feed.url === url))
      throw conflict(`RSS feed with given URL already exists: ${url}.`);
    await caller.management.rss.putFeed({
      url,
      name: form.text('path') || null,
      enabled: true,
      refreshMinutes: null,
    });
  },
  setFeedURL: async (call) => {
    const feed = await feedAt(call, call.form.required('path'));
    const url = call.form.required('url').trim();
    await call.caller.management.rss.putFeed({ ...plain(feed), name: pathOf(feed), url });
    if (url !== feed.url) await call.caller.management.rss.removeFeed(feed.url);
  },
  setFeedRefreshInterval: async (call) => {
    const feed = await feedAt(call, call.form.required('path'));
    const seconds = call.form.number('refreshInterval');
    if (seconds === null || seconds < 0) throw badParams("Invalid 'refreshInterval' value");
    const refreshMinutes = seconds === 0 ? null : Math.max(1, Math.round(seconds / 60));
    await call.caller.management.rss.putFeed({ ...plain(feed), refreshMinutes });
  },
  removeItem: async (call) => {
    const feeds = await feedsUnder(call, call.form.required('path'));
    if (feeds.length === 0) throw conflict("Item doesn't exist.");
    for (const { url } of feeds) await call.caller.management.rss.removeFeed(url);
  },
  moveItem: async (call) => {
    const [from, to] = [call.form.required('itemPath'), call.form.required('destPath')];
    const feeds = await feedsUnder(call, from);
    if (feeds.length === 0) throw conflict("Item doesn't exist.");
    for (const feed of feeds)
      await call.caller.management.rss.putFeed({
        ...plain(feed),
        name: to + pathOf(feed).slice(from.length),
      });
  },
  refreshItem: async (call) => {
    for (const { url } of await feedsUnder(call, call.form.required('itemPath')))
      await call.caller.management.rss.refresh(url);
  },
  markAsRead: async (call) => {
    const article = call.form.text('articleId');
    for (const { url } of await feedsUnder(call, call.form.required('itemPath')))
      await call.caller.management.rss.markRead(url, article === '' ? undefined : [article]);
  },
  setRule: async (call) => {
    const name = call.form.required('ruleName').trim();
    let said: unknown;
    try {
      said = JSON.parse(call.form.required('ruleDef'));
    } catch {
      throw badParams('ruleDef is no JSON');
    }
    if (name === '' || typeof said !== 'object' || said === null)
      throw badParams('ruleDef is no JSON object');
    await call.caller.management.rss.putRule(ruleOf(name, said as Json, await ruleNamed(call, name)));
  },
  renameRule: async ({ form, caller }) =>
    caller.management.rss.renameRule(form.required('ruleName'), form.required('newRuleName')),
  cloneRule: async (call) => {
    const rule = await ruleNamed(call, call.form.required('sourceName'));
    if (rule === undefined) throw conflict('There is no such rule.');
    await call.caller.management.rss.putRule({ ...rule, name: call.form.required('cloneName') });
  },
  removeRule: async ({ form, caller }) => caller.management.rss.removeRule(form.required('ruleName')),
};
