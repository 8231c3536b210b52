/**
 * One connection: what both sides have said, and the messages that wait to be sent. It decodes and remembers; what a
 * message means for the torrent is decided by its host (core/conversation).
 *
 * Invariants: `requests` holds exactly the blocks that the picker counts as requested from this peer; `wantedCount` is
 * the number of pieces that we want and it has (for a seed the picker's own count is used instead).
 */
import {
  type Bitfield,
  type ByteTarget,
  type Endpoint,
  type Fault,
  type PlainMemory,
  RateMeter,
} from '@tequio/kernel';
import type { ExtensionIds } from '../wire/extension.ts';
import { PeerDecoder, type PeerSink } from '../wire/peer-decoder.ts';
import { type Handshake, MessageWriter, messageId, type PeerMessage } from '../wire/peer-message.ts';
import { RequestWindow } from './request-window.ts';

export type PeerKey = number;

export interface PeerHost {
  handleHandshake(peer: Peer, handshake: Handshake): Fault | null;
  handleMessage(peer: Peer, message: PeerMessage): Fault | null;
  handleBlockHead(peer: Peer, piece: number, offset: number, bytes: number): Fault | null;
  handleBlockEnd(peer: Peer): Fault | null;
}

/** A request of theirs that waits to be served. */
export type UploadRequest = { readonly piece: number; readonly offset: number; readonly bytes: number };

/** What a peer told us before we knew the torrent's `info`. */
export type EarlyPieces = { all: boolean; field: Uint8Array | null; haves: number[] };

export type Arriving = {
  readonly piece: number;
  readonly block: number;
  readonly bytes: number;
  readonly scratch: PlainMemory | null;
  /** Nobody needs it any more: its bytes are passed over. */
  isWaste: boolean;
};

export class Peer implements PeerSink {
  readonly key: PeerKey;
  readonly endpoint: Endpoint;
  readonly incoming: boolean;
  /** The connection is uTP. */
  readonly isUtp: boolean;
  /** All that is said over it is encrypted; known from the handshake on. */
  isEncrypted = false;
  readonly connectedMs: number;
  readonly decoder: PeerDecoder;
  readonly writer = new MessageWriter();
  readonly #host: PeerHost;

  handshake: Handshake | null = null;
  /** Extension ids that they gave (BEP 10), by name; empty until their extension handshake. */
  extensionIds: ExtensionIds = {};
  client = '';
  /** Where others can dial it: we did, or it named its listening port; null: it did not. */
  contact: Endpoint | null;
  /** Requests that they accept at once. */
  requestCountMax = 250;

  // What they said.
  choking = true;
  interested = false;
  uploadOnly = false;
  isSeed = false;
  /** Null: nothing yet, or everything (`isSeed`). */
  has: Bitfield | null = null;
  early: EarlyPieces | null = null;
  /** How often they have said all that they have without having more. */
  toldCount = 0;
  readonly allowedFast = new Set<number>();
  readonly suggested: number[] = [];

  // What we said.
  amChoking = true;
  amInterested = false;
  saidUploadOnly = false;
  /** We have said what we have. */
  saidPieces = false;
  readonly allowedFastGiven = new Set<number>();
  readonly suggestionsGiven = new Set<number>();
  /** Not before this is another piece suggested. */
  suggestAtMs = 0;

  // Downloading from them.
  wantedCount = 0;
  /** Block key -> when it was asked for. */
  readonly requests = new Map<number, number>();
  readonly window = new RequestWindow();
  readonly down = new RateMeter();
  unaskedBytes = 0;
  /** The block that is arriving, and whether it goes to memory of its own because another peer is filling the slab. */
  arriving: Arriving | null = null;
  /** As many were asked for as the window allowed, when it was last filled. */
  wasFull = false;
  onParole = false;
  lastBlockMs: number;

  // Uploading to them.
  readonly uploads: UploadRequest[] = [];
  readonly up = new RateMeter();
  uploadedSinceUnchoke = 0;
  unchokedSinceMs: number | null = null;
  /** Bytes given to the connection and not yet taken by the system. */
  unsentBytes = 0;

  lastReceivedMs: number;
  lastSentMs: number;
  isClosed = false;
  /** Of all faults that did not end the connection by themselves. */
  penalty = 0;

  blockTarget: ByteTarget | null = null;
  blockTargetAt = 0;

  constructor(
    key: PeerKey,
    endpoint: Endpoint,
    incoming: boolean,
    isUtp: boolean,
    host: PeerHost,
    nowMs: number,
  ) {
    this.key = key;
    this.endpoint = endpoint;
    this.incoming = incoming;
    this.isUtp = isUtp;
    this.contact = incoming ? null : endpoint;
    this.connectedMs = nowMs;
    this.lastBlockMs = nowMs;
    this.lastReceivedMs = nowMs;
    this.lastSentMs = nowMs;
    this.#host = host;
    this.decoder = new PeerDecoder(this);
  }

  // A message may end the connection; what came in the same packet after it is not heard.

  onHandshake(handshake: Handshake): Fault | null {
    return this.isClosed ? null : this.#host.handleHandshake(this, handshake);
  }

  onMessage(message: PeerMessage): Fault | null {
    return this.isClosed ? null : this.#host.handleMessage(this, message);
  }

  onBlockHead(piece: number, offset: number, bytes: number): Fault | null {
    return this.isClosed ? null : this.#host.handleBlockHead(this, piece, offset, bytes);
  }

  onBlockEnd(): Fault | null {
    return this.isClosed ? null : this.#host.handleBlockEnd(this);
  }

  get speaksFast(): boolean {
    return this.handshake?.fast ?? false;
  }

  hasPiece(piece: number): boolean {
    return this.isSeed || (this.has?.has(piece) ?? false);
  }

  /** 0 to 1. */
  progressOf(pieceCount: number): number {
    if (this.isSeed) return 1;
    return this.has === null || pieceCount === 0 ? 0 : this.has.setCount / pieceCount;
  }

  /** not interested -> interested, or back; says so once. */
  markInterested(interested: boolean): void {
    if (this.amInterested === interested) return;
    this.amInterested = interested;
    this.writer.writeEmpty(interested ? messageId.interested : messageId.notInterested);
  }

  /** choked -> unchoked. */
  markUnchoked(nowMs: number): void {
    if (!this.amChoking) return;
    this.amChoking = false;
    this.unchokedSinceMs = nowMs;
    this.uploadedSinceUnchoke = 0;
    this.writer.writeEmpty(messageId.unchoke);
  }

  /** unchoked -> choked. BEP 6: requests that go unserved are rejected one by one, the allowed-fast ones stay. */
  markChoked(): void {
    if (this.amChoking) return;
    this.amChoking = true;
    this.unchokedSinceMs = null;
    this.writer.writeEmpty(messageId.choke);
    const kept: UploadRequest[] = [];
    for (const request of this.uploads) {
      if (this.speaksFast && this.allowedFastGiven.has(request.piece)) kept.push(request);
      else if (this.speaksFast) this.writeReject(request);
    }
    this.uploads.length = 0;
    this.uploads.push(...kept);
  }

  writeReject(request: UploadRequest): void {
    this.writer.writeRange(messageId.reject, request.piece, request.offset, request.bytes);
  }
}
