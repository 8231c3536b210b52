/**
 * When this node tells its local network which torrents it has (BEP 14), and what it believes of what others tell.
 *
 * Announcing: a torrent when it starts and every five minutes after that; but not more often than once a minute, also
 * when it is stopped and started again. Up to `aloneCountMax` torrents that are due together get a datagram each, for
 * old programs read only the first torrent of a datagram; more than that share datagrams. What is due within a second
 * goes together.
 *
 * Hearing: whoever can send to the group can name itself as a peer of a torrent, with its own address (the datagram's)
 * and any port. 20 at once and 60 a minute are believed, of all together: networks are small, and a flood shall not
 * keep us busy. Our own announces come back; the cookie tells.
 *
 * Cost: O(torrents) when one is due.
 */
import type { Prng } from '@tequio/kernel';
import type { LocalAnnounce } from '../wire/local-discovery.ts';
import { localDiscoveryLimits } from '../wire/local-discovery.ts';
import { Allowance } from './allowance.ts';

export const localAnnouncerLimits = {
  intervalMs: 300_000,
  /** So that nodes that were started together do not stay in step. */
  jitterMs: 20_000,
  /** A minute, and the second that gathering may take off it. */
  betweenMs: 61_000,
  gatherMs: 1000,
  aloneCountMax: 5,
  /** Torrents that were stopped lately and may be started again. */
  restingCountMax: 1000,
  heard: { burst: 20, perMinute: 60 },
} as const;

type Entry = { readonly infoHash: Uint8Array; nextMs: number };

export class LocalAnnouncer {
  readonly #prng: Prng;
  readonly #cookie: string;
  readonly #entries = new Map<string, Entry>();
  /** When torrents that are not announced now may be announced again, if that is still to come. */
  readonly #resting = new Map<string, number>();
  readonly #heard = new Allowance(localAnnouncerLimits.heard);

  /** @param cookie tells our own announces from others'; nobody else's business */
  constructor(cookie: string, prng: Prng) {
    this.#cookie = cookie;
    this.#prng = prng;
  }

  /**
   * A public torrent is running.
   * @param name of the torrent, as the caller calls it
   * @param infoHash 20 bytes
   */
  add(name: string, infoHash: Uint8Array, nowMs: number): void {
    if (this.#entries.has(name)) return;
    const nextMs = Math.max(nowMs, this.#resting.get(name) ?? nowMs);
    this.#resting.delete(name);
    this.#entries.set(name, { infoHash, nextMs });
  }

  /** It has stopped, or turned out to be private. */
  remove(name: string, nowMs: number): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    const { intervalMs, betweenMs, restingCountMax } = localAnnouncerLimits;
    const mayAtMs = entry.nextMs - intervalMs + betweenMs;
    if (mayAtMs > nowMs) this.#resting.set(name, mayAtMs);
    if (this.#resting.size > restingCountMax) this.#resting.delete(this.#resting.keys().next().value!);
  }

  nextTimeoutMs(): number | null {
    let next: number | null = null;
    for (const { nextMs } of this.#entries.values()) if (next === null || nextMs < next) next = nextMs;
    return next;
  }

  /** The announces that are due. @param port at which others reach us */
  takeDue(port: number, nowMs: number): LocalAnnounce[] {
    const { gatherMs, intervalMs, jitterMs, aloneCountMax } = localAnnouncerLimits;
    const next = this.nextTimeoutMs();
    if (next === null || next > nowMs) return [];
    const due: Uint8Array[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.nextMs > nowMs + gatherMs) continue;
      entry.nextMs = nowMs + intervalMs + this.#prng.below(jitterMs);
      due.push(entry.infoHash);
    }
    const perAnnounce = due.length <= aloneCountMax ? 1 : localDiscoveryLimits.infoHashCountMax;
    const announces: LocalAnnounce[] = [];
    for (let at = 0; at < due.length; at += perAnnounce)
      announces.push({ port, infoHashes: due.slice(at, at + perAnnounce), cookie: this.#cookie });
    return announces;
  }

  /** True when what another node announced is to be believed: it is not our own, and not one of a flood. */
  accepts(announce: LocalAnnounce, nowMs: number): boolean {
    return announce.cookie !== this.#cookie && this.#heard.tryTake(nowMs);
  }
}
