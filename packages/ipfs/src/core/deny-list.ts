/**
 * Lists of content that this node neither shows nor passes on (ipfs/specs, compact-denylist-format). One rule a line;
 * the last that fits counts, so that `!` can take back what stands above:
 *
 *   /ipfs/CID   /ipfs/CID/path   /ipfs/CID/path*   /ipns/NAME…   //HASH-OF-A-PATH   !RULE   # remark
 *
 * A CID stands for its multihash, whatever its codec. Paths in rules are percent-encoded. Cost of a look-up: two
 * hashes where there are double-hashed rules, and the rules of one root.
 */
import { decodeUtf8Lossy, encodeUtf8, type Hashes, toHex } from '@tequio/kernel';
import { base32 } from 'multiformats/bases/base32';
import { base58btc } from 'multiformats/bases/base58';
import type { CID } from 'multiformats/cid';
import { create as createDigest, decode as decodeDigest } from 'multiformats/hashes/digest';
import { tryParseCid } from '../wire/cid.ts';
import { tryParseIpnsName } from '../wire/ipns-name.ts';
import { tryDigest } from './block-hash.ts';

const headerBytesMax = 1024 * 1024;

type PathRule = {
  readonly path: string;
  readonly isPrefix: boolean;
  readonly order: number;
  readonly allows: boolean;
};
type HashRule = { readonly order: number; readonly allows: boolean };

export type DenyListProblem = { readonly line: number; readonly text: string };

/** Rules of one or more lists, one below the other. */
export class DenyList {
  readonly #hashes: Hashes;
  /** By multihash in base 58, or `/ipns/domain`. */
  readonly #roots = new Map<string, PathRule[]>();
  readonly #hashed = new Map<string, HashRule>();
  /** Hash functions of the modern double-hashed rules. */
  readonly #hashCodes = new Set<number>();
  #hasLegacy = false;
  #ruleCount = 0;
  /** Lines that are no rules: said to whoever keeps the list, and passed over. */
  readonly problems: DenyListProblem[] = [];

  constructor(hashes: Hashes) {
    this.#hashes = hashes;
  }

  get ruleCount(): number {
    return this.#ruleCount;
  }

  /** Adds a list's rules below those that are there. */
  add(text: string): void {
    const lines = text.split(/\r?\n/);
    const end = text.slice(0, headerBytesMax).split(/\r?\n/).indexOf('---');
    for (const [index, raw] of lines.entries()) {
      if (index <= end) continue;
      const rule = raw.trim().split(/\s/)[0]!;
      if (rule === '' || rule.startsWith('#')) continue;
      if (this.#addRule(rule)) this.#ruleCount++;
      else if (this.problems.length < 100) this.problems.push({ line: index + 1, text: rule.slice(0, 200) });
    }
  }

  #addRule(text: string): boolean {
    const allows = text.startsWith('!');
    const rule = allows ? text.slice(1) : text;
    const order = this.#ruleCount;
    if (rule.startsWith('//')) return this.#addHashed(rule.slice(2), { order, allows });
    const match = /^\/(ipfs|ipns)\/([^/*]+)(.*)$/.exec(rule);
    if (match === null) return false;
    const [, namespace, root, rest] = match as unknown as [string, string, string, string];
    const key = namespace === 'ipfs' ? keyOfCidText(root) : keyOfName(root);
    const encoded = rest.replace(/\*$/, '');
    const path = tryDecode(encoded.replace(/^\/+|\/+$/g, ''));
    if (key === null || path === null || encoded.includes('*')) return false;
    const rules = this.#roots.get(key) ?? [];
    rules.push({ path, isPrefix: rest.endsWith('*'), order, allows });
    this.#roots.set(key, rules);
    return true;
  }

  #addHashed(text: string, rule: HashRule): boolean {
    let known = false;
    if (/^[0-9a-f]{64}$/i.test(text)) {
      this.#hashed.set(text.toLowerCase(), rule);
      this.#hasLegacy = true;
      known = true;
    }
    try {
      const hash = decodeDigest(base58btc.baseDecode(text));
      this.#hashed.set(text, rule);
      this.#hashCodes.add(hash.code);
      known = true;
    } catch {
      // It is none of the modern form.
    }
    return known;
  }

  /** Whether a block, or what a path from it leads to, is denied. @param segments decoded */
  deniesCid(cid: CID, segments: readonly string[] = []): boolean {
    const key = base58btc.baseEncode(cid.multihash.bytes);
    const path = segments.join('/');
    const verdicts = this.#pathVerdicts(key, path);
    if (this.#hashCodes.size > 0)
      verdicts.push(...this.#hashedVerdicts(path === '' ? key : `${key}/${path}`));
    if (this.#hasLegacy) verdicts.push(...this.#legacyVerdict(`${cid.toV1().toString(base32)}/${path}`));
    return isDenied(verdicts);
  }

  /** Whether a name is denied. @param name a key in any form, or a domain */
  deniesName(name: string, segments: readonly string[] = []): boolean {
    const key = keyOfName(name);
    if (key === null) return false;
    const path = segments.join('/');
    const verdicts = this.#pathVerdicts(key, path);
    if (this.#hashCodes.size > 0)
      verdicts.push(...this.#hashedVerdicts(path === '' ? key : `${key}/${path}`));
    if (this.#hasLegacy) {
      const domain = key.startsWith('/ipns/')
        ? key.slice(6)
        : (tryParseCid(name)?.toV1().toString(base32) ?? name);
      verdicts.push(...this.#legacyVerdict(`${domain}/${path}`));
    }
    return isDenied(verdicts);
  }

  #pathVerdicts(key: string, path: string): HashRule[] {
    return (this.#roots.get(key) ?? []).filter((rule) =>
      rule.isPrefix ? path.startsWith(rule.path) : path === rule.path,
    );
  }

  #hashedVerdicts(text: string): HashRule[] {
    const found: HashRule[] = [];
    for (const code of this.#hashCodes) {
      const digest = tryDigest(this.#hashes, code, encodeUtf8(text), 32);
      const rule =
        digest === null
          ? undefined
          : this.#hashed.get(base58btc.baseEncode(createDigest(code, digest).bytes));
      if (rule !== undefined) found.push(rule);
    }
    return found;
  }

  #legacyVerdict(text: string): HashRule[] {
    const rule = this.#hashed.get(toHex(this.#hashes.sha256(encodeUtf8(text))));
    return rule === undefined ? [] : [rule];
  }
}

function isDenied(verdicts: readonly HashRule[]): boolean {
  let last: HashRule | null = null;
  for (const verdict of verdicts) if (last === null || verdict.order > last.order) last = verdict;
  return last !== null && !last.allows;
}

function keyOfCidText(text: string): string | null {
  const cid = tryParseCid(text);
  if (cid !== null) return base58btc.baseEncode(cid.multihash.bytes);
  try {
    // A multihash alone, of any function.
    return base58btc.baseEncode(decodeDigest(base58btc.baseDecode(text)).bytes);
  } catch {
    return null;
  }
}

function keyOfName(text: string): string | null {
  const name = tryParseIpnsName(text);
  if (name !== null) return base58btc.baseEncode(name);
  return text.includes('.') ? `/ipns/${text.toLowerCase().replace(/\.$/, '')}` : null;
}

function tryDecode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return decodeUtf8Lossy(encodeUtf8(text)) === text ? text : null;
  }
}
