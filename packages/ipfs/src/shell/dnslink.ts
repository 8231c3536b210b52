/** DNSLink (dnslink.dev): a TXT record of `_dnslink.DOMAIN`, or of the domain itself, that names a content path. */
import type { Clock } from '@tequio/kernel';
import { dnslinkLimits } from '../limits.ts';

export type Dnslink = { readonly path: string; readonly ttlMs: number };

/** TXT records of a name; empty: none, or DNS does not answer. */
export type LookUpText = (name: string, signal?: AbortSignal) => Promise<readonly string[]>;

type Kept = { readonly link: Promise<Dnslink | null>; readonly untilMs: number };

/** What domains say, each asked once in a while however often it is wanted. The oldest goes first. */
export class Dnslinks {
  readonly #lookUpText: LookUpText;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(lookUpText: LookUpText, clock: Clock) {
    this.#lookUpText = lookUpText;
    this.#clock = clock;
  }

  /** Null: the domain says nothing, or DNS does not answer. */
  async find(domain: string): Promise<Dnslink | null> {
    const name = domain.replace(/\.$/, '').toLowerCase();
    const nowMs = this.#clock.nowMs();
    const kept = this.#kept.get(name);
    if (kept !== undefined && nowMs < kept.untilMs) return await kept.link;
    // Whoever else asks meanwhile waits for the same answer; nobody's signal may take it away from the others.
    const link = readDnslink(this.#lookUpText, name);
    this.#keep(name, { link, untilMs: Number.POSITIVE_INFINITY });
    const found = await link;
    const lastMs = found === null ? dnslinkLimits.missingMs : found.ttlMs;
    if (this.#kept.get(name)?.link === link)
      this.#keep(name, { link, untilMs: this.#clock.nowMs() + lastMs });
    return found;
  }

  #keep(name: string, kept: Kept): void {
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > dnslinkLimits.keptCount && oldest.done !== true) this.#kept.delete(oldest.value);
  }
}

/** Of several the first in order of their text counts, so that all read the same. Never throws. */
async function readDnslink(lookUpText: LookUpText, domain: string): Promise<Dnslink | null> {
  for (const name of domain.startsWith('_dnslink.') ? [domain] : [`_dnslink.${domain}`, domain]) {
    const texts = await lookUpText(name).catch(() => []);
    const paths = texts
      .filter((text) => text.length <= dnslinkLimits.textChars)
      .flatMap((text) => /^dnslink=(\/(?:ipfs|ipns)\/[^\s]+)$/.exec(text.trim())?.[1] ?? [])
      .sort();
    if (paths[0] !== undefined) return { path: paths[0], ttlMs: dnslinkLimits.ttlMs };
  }
  return null;
}
