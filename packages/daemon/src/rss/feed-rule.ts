/** What a rule says of an item: a decision over texts, with its reason. */
import type { FeedItem, FeedRule } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import { type Episode, fitsEpisodes, isAgain, parseEpisodeRanges, tryEpisode } from './episode.ts';

const patternChars = 1000;

/** What a rule has taken before. */
export type RuleMemory = {
  readonly takenAtMs: number | null;
  /** Episodes that it has, as `s1e2`. */
  readonly taken: readonly string[];
};

export type CompiledRule = {
  /** Null: it fits; else why not. */
  reasonAgainst(item: FeedItem, memory: RuleMemory, nowMs: number): string | null;
};

const dayMs = 86_400_000;

/** @throws NodeError `RSS_RULE` with what is wrong */
export function compileRule(rule: FeedRule): CompiledRule {
  if (rule.name.trim() === '' || rule.name.length > 100)
    throw wrongRule('its name must have 1 to 100 characters');
  const must = compilePattern(rule.must, rule.regex);
  const mustNot = compilePattern(rule.mustNot, rule.regex);
  const ranges = rule.episodes === null ? null : parseEpisodeRanges(rule.episodes);
  if (rule.episodes !== null && ranges === null)
    throw wrongRule(`"${rule.episodes}" is no list of episodes, as 2x1-8;2x11;3x5-; would be`);
  return {
    reasonAgainst(item, memory, nowMs) {
      const { title, bytes } = item;
      if (rule.feeds.length > 0 && !rule.feeds.includes(item.feed)) return 'it is of another feed';
      if (item.source === null) return 'it has no torrent';
      if (!must(title, true)) return 'the title has not what it must have';
      if (mustNot(title, false)) return 'the title has what it must not have';
      if (rule.bytesMin !== null && (bytes ?? 0) < rule.bytesMin) return 'it is too small';
      if (rule.bytesMax !== null && (bytes ?? 0) > rule.bytesMax) return 'it is too large';
      const episode = tryEpisode(title);
      const against = episodeReason(episode, ranges, rule, title, memory);
      if (against !== null) return against;
      const isResting = memory.takenAtMs !== null && nowMs - memory.takenAtMs < rule.restDays * dayMs;
      return isResting ? 'the rule rests since it took the last one' : null;
    },
  };
}

function episodeReason(
  episode: Episode | null,
  ranges: ReturnType<typeof parseEpisodeRanges>,
  rule: FeedRule,
  title: string,
  memory: RuleMemory,
): string | null {
  if (ranges !== null && (episode === null || !fitsEpisodes(episode, ranges))) return 'it is another episode';
  if (rule.onceAnEpisode && episode !== null && isAgain(episode, title, memory.taken))
    return 'this episode was taken before';
  return null;
}

/** `empty`: what an empty pattern says. */
type Matcher = (title: string, empty: boolean) => boolean;

function compilePattern(pattern: string, regex: boolean): Matcher {
  if (pattern.length > patternChars) throw wrongRule(`a pattern has ${patternChars} characters at most`);
  if (pattern.trim() === '') return (_, empty) => empty;
  if (regex) {
    const compiled = compileRegex(pattern);
    return (title) => compiled.test(title);
  }
  const alternatives = pattern.split('|').map((one) => one.trim().split(/\s+/).map(wordMatcher));
  return (title) => {
    const lower = title.toLowerCase();
    return alternatives.some((words) => words.every((word) => word(lower)));
  };
}

/** A title is short, and so is what a pattern can do with it; the ones that take for ever have nested repetition. */
function compileRegex(pattern: string): RegExp {
  if (/\([^()]*[+*][^()]*\)\s*[+*{]/.test(pattern))
    throw wrongRule('a repetition inside a repetition can take for ever; write it without');
  try {
    return new RegExp(pattern, 'iu');
  } catch (error) {
    throw wrongRule(error instanceof Error ? error.message : 'it is no regular expression');
  }
}

/** With `*` for any text and `?` for one character; found anywhere in the title. Linear, whatever the pattern. */
function wordMatcher(word: string): (lower: string) => boolean {
  const parts = word.toLowerCase().split('*');
  return (lower) => {
    let at = 0;
    for (const part of parts) {
      const found = indexOfPart(lower, part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return true;
  };
}

function indexOfPart(text: string, part: string, from: number): number {
  if (!part.includes('?')) return text.indexOf(part, from);
  for (let at = from; at + part.length <= text.length; at++) {
    let index = 0;
    while (index < part.length && (part[index] === '?' || part[index] === text[at + index])) index++;
    if (index === part.length) return at;
  }
  return -1;
}

function wrongRule(reason: string): NodeError {
  return new NodeError('RSS_RULE', `The rule cannot be used: ${reason}.`, { op: 'rule' });
}
