/**
 * A model swarm for tests of metadata-exchange.ts: one exchange and peers that are honest, slow, silent,
 * refusing or lying, in virtual time.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Prng } from '@tequio/kernel';
import { type MetadataMessage, metadataPieceBytes, metadataPieceBytesOf } from '../wire/metadata.ts';
import { type MetadataEffect, MetadataExchange } from './metadata-exchange.ts';

const digest = (name: string, bytes: Uint8Array) => new Uint8Array(createHash(name).update(bytes).digest());
const hashes = { sha1: (b: Uint8Array) => digest('sha1', b), sha256: (b: Uint8Array) => digest('sha256', b) };

/** Answers of a simulated peer to a request: a message after so many milliseconds, or silence. */
export type Behaviour = (
  piece: number,
  info: Uint8Array,
) => { message: MetadataMessage; delayMs: number } | null;

const pieceOf = (info: Uint8Array, piece: number) =>
  info.subarray(piece * metadataPieceBytes, (piece + 1) * metadataPieceBytes);
export const honest =
  (delayMs = 50): Behaviour =>
  (piece, info) => ({
    message: { type: 'data', piece, totalBytes: info.length, bytes: pieceOf(info, piece) },
    delayMs,
  });
export const silent: Behaviour = () => null;
export const rejecting: Behaviour = (piece) => ({ message: { type: 'reject', piece }, delayMs: 20 });
/** Sends invented bytes of the size it claims, for pieces that `lies` picks. */
export const lying =
  (sizeBytes: number, lies: (piece: number) => boolean = () => true, delayMs = 20): Behaviour =>
  (piece, info) => {
    const bytes = new Uint8Array(metadataPieceBytesOf(sizeBytes, piece));
    bytes.set(pieceOf(info, piece).subarray(0, bytes.length));
    if (lies(piece)) bytes[0]! ^= 0xff;
    return { message: { type: 'data', piece, totalBytes: sizeBytes, bytes }, delayMs };
  };

/** One exchange and its peers in virtual time. */
export class World {
  readonly info: Uint8Array;
  readonly exchange: MetadataExchange;
  readonly blamed: [number, string][] = [];
  readonly requestCounts = new Map<number, number>();
  nowMs = 0;
  doneMs: number | null = null;
  requestCountAtOnceMax = 0;
  readonly #behaviours = new Map<number, Behaviour>();
  #inbox: { atMs: number; peer: number; message: MetadataMessage }[] = [];
  readonly #open = new Map<number, number>();

  constructor(infoBytes: number, versions: 'v1' | 'v2' | 'both' = 'v1') {
    this.info = new Prng(infoBytes).bytes(infoBytes);
    this.exchange = new MetadataExchange(hashes, {
      infoHashV1: versions === 'v2' ? null : hashes.sha1(this.info),
      infoHashV2: versions === 'v1' ? null : hashes.sha256(this.info),
    });
  }

  add(peer: number, behaviour: Behaviour, sizeBytes: number | null = this.info.length): void {
    this.#behaviours.set(peer, behaviour);
    this.exchange.addPeer(peer, sizeBytes, this.nowMs);
    this.#settle();
  }

  remove(peer: number): void {
    this.#behaviours.delete(peer);
    this.exchange.removePeer(peer, this.nowMs);
    this.#settle();
  }

  send(peer: number, message: MetadataMessage): void {
    this.exchange.handleMessage(peer, message, this.nowMs);
    this.#settle();
  }

  /** Runs until done, or `untilMs`. */
  run(untilMs: number): void {
    while (this.nowMs < untilMs && this.doneMs === null) {
      this.#inbox.sort((a, b) => a.atMs - b.atMs);
      const timeoutMs = this.exchange.nextTimeoutMs() ?? Number.POSITIVE_INFINITY;
      const nextMs = Math.min(this.#inbox[0]?.atMs ?? Number.POSITIVE_INFINITY, timeoutMs, untilMs);
      this.nowMs = nextMs;
      if (this.#inbox[0] !== undefined && this.#inbox[0].atMs <= nextMs) {
        const { peer, message } = this.#inbox.shift()!;
        this.#open.set(peer, (this.#open.get(peer) ?? 1) - 1);
        this.exchange.handleMessage(peer, message, nextMs);
      } else this.exchange.handleTimeout(nextMs);
      this.#settle();
    }
  }

  #settle(): void {
    const effects: MetadataEffect[] = [];
    this.exchange.drain(effects);
    for (const effect of effects) {
      if (effect.type === 'blame') this.blamed.push([effect.peer, effect.fault.code]);
      if (effect.type === 'done') {
        assert.equal(this.doneMs, null, 'done once');
        assert.deepEqual(effect.info, this.info);
        this.doneMs = this.nowMs;
      }
      if (effect.type === 'request') this.#answer(effect.peer, effect.piece);
    }
  }

  #answer(peer: number, piece: number): void {
    this.requestCounts.set(peer, (this.requestCounts.get(peer) ?? 0) + 1);
    const answer = this.#behaviours.get(peer)?.(piece, this.info) ?? null;
    if (answer === null) return;
    const open = (this.#open.get(peer) ?? 0) + 1;
    this.#open.set(peer, open);
    this.requestCountAtOnceMax = Math.max(this.requestCountAtOnceMax, open);
    const message =
      answer.message.type === 'data'
        ? { ...answer.message, bytes: answer.message.bytes.slice() }
        : answer.message;
    this.#inbox.push({ atMs: this.nowMs + answer.delayMs, peer, message });
  }

  blamedFor(code: string): number[] {
    return [...new Set(this.blamed.filter(([, c]) => c === code).map(([peer]) => peer))].sort(
      (a, b) => a - b,
    );
  }
}
