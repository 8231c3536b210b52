import type { NodeSettings } from '@tequio/api';
import { encodeUtf8, tryParseAddress } from '@tequio/kernel';
import { UsageError } from './errors.ts';
import { type LimitRuleText, tryParseLimitRule } from './limit-rule.ts';
import type { Messages } from './messages/en.ts';
import { tryParseBytes, tryParseRate } from './size-text.ts';

/** Texts of options into values. Each refuses with a sentence that says what would be right. */
export type OptionParsers = {
  port(text: string): number;
  address(text: string): string;
  /** An address, or the name of a network interface. */
  bind(text: string): string;
  /** Null: no limit. */
  rate(text: string): number | null;
  /** At most 64 bytes (BEP 44). */
  salt(text: string): string;
  limitRules(text: string, before?: readonly LimitRuleText[]): readonly LimitRuleText[];
  encryption(text: string): NodeSettings['encryption'];
  transport(text: string): NodeSettings['transport'];
  proxy(text: string): string;
  proxyPurpose(text: string): 'all' | 'peers' | 'trackers';
  /** Milliseconds of a text in seconds. */
  seconds(text: string): number;
  pieceSize(text: string): number;
  peers(text: string, before?: readonly string[]): readonly string[];
  /** One tier for each option; commas separate trackers of one tier. */
  trackers(text: string, before?: readonly (readonly string[])[]): readonly (readonly string[])[];
  webSeeds(text: string, before?: readonly string[]): readonly string[];
  /** One more of 40 or 64 hex digits. */
  infoHashes(text: string, before?: readonly string[]): readonly string[];
  texts(text: string, before?: readonly string[]): readonly string[];
};

const proxyPurposes = ['all', 'peers', 'trackers'] as const;
const encryptionPolicies = ['allow', 'prefer', 'require', 'off'] as const;
const transports = ['tcp', 'utp', 'both'] as const;

const saltBytesMax = 64;

/** BEP 52: a power of two from 16 KiB. The ceiling keeps one piece in memory. */
const pieceBytesMin = 16 * 1024;
const pieceBytesMax = 1024 ** 3;

export function createOptionParsers(messages: Messages): OptionParsers {
  const say = messages.usage;
  const check = <Value>(value: Value | null | undefined | false, sentence: string): Value => {
    if (value === null || value === undefined || value === false) throw new UsageError(sentence);
    return value;
  };
  return {
    port: (text) => check(tryParsePort(text), say.badPort(text)),
    address: (text) => check(tryParseAddress(text), say.badAddress(text)),
    // What consists of digits, dots and colons is meant as an address, and no interface is called so.
    bind: (text) =>
      check(tryParseAddress(text) ?? (/^[\d.:]*$/.test(text) ? null : text), say.badAddress(text)),
    rate: (text) => {
      const rate = tryParseRate(text);
      if (rate === undefined) throw new UsageError(say.badRate(text));
      return rate;
    },
    salt: (text) => check(encodeUtf8(text).length <= saltBytesMax && text, say.badSalt),
    limitRules: (text, before = []) => [...before, check(tryParseLimitRule(text), say.badLimitRule(text))],
    encryption: (text) =>
      check(
        encryptionPolicies.find((policy) => policy === text),
        say.badEncryption(text),
      ),
    transport: (text) =>
      check(
        transports.find((transport) => transport === text),
        say.badTransport(text),
      ),
    proxy: (text) => check(isProxy(text) && text, say.badProxy),
    proxyPurpose: (text) =>
      check(
        proxyPurposes.find((purpose) => purpose === text),
        say.badProxyPurpose(text),
      ),
    seconds: (text) => {
      const seconds = /^\d+(?:\.\d+)?s?$/.test(text) ? Number.parseFloat(text) : 0;
      return check(seconds > 0 && seconds <= 1e9 && seconds * 1000, say.badSeconds(text));
    },
    pieceSize: (text) => {
      const bytes = tryParseBytes(text) ?? 0;
      const isPower = Number.isInteger(Math.log2(bytes)) && bytes >= pieceBytesMin && bytes <= pieceBytesMax;
      return check(isPower && bytes, say.badPieceSize(text));
    },
    peers: (text, before = []) => [...before, check(isHostPort(text) && text, say.badPeer(text))],
    trackers: (text, before = []) => {
      const tier = text
        .split(',')
        .map((url) => url.trim())
        .filter((url) => url !== '');
      const wrong = tier.find((url) => !isUrl(url, /^(?:https?|udp):$/));
      if (wrong !== undefined || tier.length === 0) throw new UsageError(say.badTracker(wrong ?? text));
      return [...before, tier];
    },
    webSeeds: (text, before = []) => [
      ...before,
      check(isUrl(text, /^https?:$/) && text, say.badWebSeed(text)),
    ],
    infoHashes: (text, before = []) => [
      ...before,
      check(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text) && text.toLowerCase(), say.badInfoHash(text)),
    ],
    texts: (text, before = []) => [...before, text],
  };
}

function tryParsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  return port >= 0 && port <= 65535 ? port : null;
}

/** `host:1`, `192.0.2.7:6881`, `[::1]:6881`. Whether the host exists is found out when it is dialled. */
function isHostPort(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  if (match === null) return false;
  if (match[1] !== undefined && (!match[1].includes(':') || tryParseAddress(match[1]) === null)) return false;
  const port = Number(match[3]);
  return port >= 1 && port <= 65535;
}

/** A host, and besides it at most a port, a user and a password. */
function isProxy(text: string): boolean {
  if (!isUrl(text, /^(?:socks5h?|http):$/) || /%(?![\da-f]{2})/i.test(text)) return false;
  const { pathname, search, hash, port } = new URL(text);
  return (pathname === '' || pathname === '/') && search === '' && hash === '' && port !== '0';
}

function isUrl(text: string, protocol: RegExp): boolean {
  return URL.canParse(text) && protocol.test(new URL(text).protocol) && new URL(text).host !== '';
}
