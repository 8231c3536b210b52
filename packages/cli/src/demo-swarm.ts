import { Bitfield } from '@tequio/kernel';
import { tryFromBase64 } from './base64.ts';

/**
 * What the demonstration knows of its processes, from the JSON lines that they print. Who sent how much is exact in
 * sum (each process counts what it sent). How one downloader's bytes divide between the seed and the others is
 * reckoned from its rates over time, scaled to those sums. The seed is known by having all when first seen.
 */

export class DemoMember {
  readonly name: string;
  readonly isSeed: boolean;
  readonly pieces: Bitfield;
  downloadedBytes = 0;
  uploadedBytes = 0;
  /** It listens, and the tracker knows of it. */
  isReady = false;
  isDone = false;
  /** The last sentence of an error. */
  message = '';
  #isSharing = false;
  #isTracked = false;
  #lastMs: number | null = null;
  /** Bytes reckoned from rates, by who they came from. */
  #reckonedFromSeed = 0;
  #reckonedFromOthers = 0;
  readonly #seedEndpoints = new Set<string>();
  readonly #knownEndpoints = new Set<string>();

  constructor(name: string, isSeed: boolean, pieceCount: number) {
    this.name = name;
    this.isSeed = isSeed;
    this.pieces = new Bitfield(pieceCount);
  }

  /** Part of the downloaded bytes that came from the seed, 0 to 1, as far as rates tell. */
  get seedShare(): number {
    const sum = this.#reckonedFromSeed + this.#reckonedFromOthers;
    return sum === 0 ? 1 : this.#reckonedFromSeed / sum;
  }

  /** Takes one line of standard output. Lines that are not ours are left alone. */
  handleLine(line: string, nowMs: number): void {
    const value = tryParseObject(line);
    if (value === null) return;
    switch (value['type']) {
      case 'bittorrent.piece.verified':
        this.#setPiece(value['piece']);
        break;
      case 'progress':
        this.#handleProgress(value, nowMs);
        break;
      case 'bittorrent.tracker.answered':
        this.#isTracked = true;
        break;
      case 'seeding':
        this.#isSharing = true;
        break;
      case 'done':
        this.isDone = true;
        this.pieces.setAll();
        break;
    }
    const error = value['error'];
    if (isObject(error) && typeof error['message'] === 'string') this.message = error['message'];
    this.isReady = this.#isSharing && this.#isTracked;
    if (this.isSeed && this.#isSharing) this.pieces.setAll();
  }

  #setPiece(piece: unknown): void {
    if (typeof piece === 'number' && Number.isInteger(piece) && piece >= 0 && piece < this.pieces.bitCount)
      this.pieces.set(piece);
  }

  #handleProgress(value: JsonObject, nowMs: number): void {
    this.downloadedBytes = numberOf(value['downloadedBytes']);
    this.uploadedBytes = numberOf(value['uploadedBytes']);
    const bits = typeof value['pieces'] === 'string' ? tryFromBase64(value['pieces']) : null;
    const field = bits === null ? null : Bitfield.tryFromBytes(bits, this.pieces.bitCount);
    if (field !== null)
      for (let at = field.nextSet(0); at >= 0; at = field.nextSet(at + 1)) this.pieces.set(at);
    const sinceSeconds = this.#lastMs === null ? 0 : (nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    for (const peer of Array.isArray(value['peers']) ? value['peers'] : [])
      if (isObject(peer)) this.#reckonPeer(peer, sinceSeconds);
  }

  #reckonPeer(peer: JsonObject, sinceSeconds: number): void {
    const endpoint = String(peer['endpoint']);
    if (!this.#knownEndpoints.has(endpoint)) {
      this.#knownEndpoints.add(endpoint);
      if (numberOf(peer['progress']) >= 1) this.#seedEndpoints.add(endpoint);
    }
    const bytes = numberOf(peer['downRate']) * sinceSeconds;
    if (this.#seedEndpoints.has(endpoint)) this.#reckonedFromSeed += bytes;
    else this.#reckonedFromOthers += bytes;
  }
}

export class DemoSwarm {
  readonly seed: DemoMember;
  readonly downloaders: readonly DemoMember[];

  constructor(seedName: string, downloaderNames: readonly string[], pieceCount: number) {
    this.seed = new DemoMember(seedName, true, pieceCount);
    this.downloaders = downloaderNames.map((name) => new DemoMember(name, false, pieceCount));
  }

  get members(): readonly DemoMember[] {
    return [this.seed, ...this.downloaders];
  }

  get isDone(): boolean {
    return this.downloaders.every((member) => member.isDone);
  }

  /** Pieces of all downloaders together. */
  get havePieceCount(): number {
    return this.downloaders.reduce((sum, member) => sum + member.pieces.setCount, 0);
  }

  /** Bytes that the downloaders sent each other. */
  get exchangedBytes(): number {
    return this.downloaders.reduce((sum, member) => sum + member.uploadedBytes, 0);
  }

  /** Of all that was sent, whole percent that downloaders sent. */
  get exchangedPercent(): number {
    const sum = this.exchangedBytes + this.seed.uploadedBytes;
    return sum === 0 ? 0 : Math.round((this.exchangedBytes / sum) * 100);
  }

  /** About how many of a downloader's bytes came from the seed: the reckoned shares, scaled to what the seed sent. */
  fromSeedBytes(member: DemoMember): number {
    const reckoned = (one: DemoMember): number => one.downloadedBytes * one.seedShare;
    const sum = this.downloaders.reduce((bytes, one) => bytes + reckoned(one), 0);
    const scale = sum === 0 ? 0 : this.seed.uploadedBytes / sum;
    return Math.min(member.downloadedBytes, Math.round(reckoned(member) * scale));
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function tryParseObject(line: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
