/**
 * What a peer may say, when, and what it means: the rules of BEP 3, 6, 9, 10, 11, 21, 52, 54 and 55 over a connection.
 * It turns messages into calls on the torrent's content and metadata, and breaks of the rules into faults.
 *
 * Order: handshake first (the decoder sees to that), the bitfield at most once; piece numbers are checked as soon as
 * the torrent is known, and what was said before is kept, within limits, until then.
 */
import {
  type Bitfield,
  bytesEqual,
  copyBytes,
  type Fault,
  type Hashes,
  type IpAddress,
} from '@tequio/kernel';
import {
  decodeDontHave,
  decodeExtensionHandshake,
  decodeUploadOnly,
  encodeDontHave,
  encodeExtensionHandshake,
  encodeUploadOnly,
  ourExtensionIds,
  tryOurExtension,
} from '../wire/extension.ts';
import { decodeHashes, decodeHashReject, decodeHashRequest } from '../wire/hash-messages.ts';
import { decodeMetadata } from '../wire/metadata.ts';
import { wireFault } from '../wire/peer-decoder.ts';
import { type Handshake, messageId, type PeerMessage } from '../wire/peer-message.ts';
import { allowedFastLimits, createAllowedFastSet } from './allowed-fast.ts';
import type { TorrentContent } from './content.ts';
import type { Introductions } from './introductions.ts';
import type { MetadataExchange } from './metadata-exchange.ts';
import type { Peer, PeerHost } from './peer.ts';
import { earlyHaveCountMax } from './peer-pieces.ts';
import { uploadLimits } from './uploader.ts';

/** What the conversation needs of the torrent. */
export interface ConversationHost {
  readonly content: TorrentContent | null;
  readonly metadata: MetadataExchange;
  readonly introductions: Introductions;
  /** v1, and the first 20 bytes of v2, as far as they exist. */
  readonly infoHashes: readonly Uint8Array[];
  readonly peerId: Uint8Array;
  readonly listenPort: number;
  /** Upload-only: we want nothing (BEP 21). */
  readonly isUploadOnly: boolean;
  /** Super seeding hides what we have (BEP 16). */
  readonly hidesPieces: boolean;
  readonly nowMs: number;
  touched(peer: Peer): void;
  /** Its interest or choke changed. */
  wantsSlot(peer: Peer): void;
  /** It may have something for us now. */
  updateInterest(peer: Peer): void;
  handshaken(peer: Peer): Fault | null;
  /** It said of itself what it wants to: its listening port is known now, if it told; and how it sees us. */
  introduced(peer: Peer, ourAddress: IpAddress | null): void;
  haveSeen(peer: Peer, piece: number): void;
  /** Of our DHT node; 0: none. */
  readonly dhtPort: number;
  /** It says that it has a DHT node at this port. */
  dhtNodeSeen(peer: Peer, port: number): void;
}

/** A message about which pieces the peer has. */
type PiecesMessage =
  | { readonly type: 'bitfield'; readonly bytes: Uint8Array }
  | { readonly type: 'have'; readonly piece: number }
  | { readonly type: 'have-all' | 'have-none' };

export const clientName = 'Tequio 0.1.0';
/** How often a peer may say anew all that it has, without having more. */
const toldCountMax = 4;

export class Conversation implements PeerHost {
  readonly #host: ConversationHost;
  readonly #hashes: Hashes;

  constructor(host: ConversationHost, hashes: Hashes) {
    this.#host = host;
    this.#hashes = hashes;
  }

  handleHandshake(peer: Peer, handshake: Handshake): Fault | null {
    const host = this.#host;
    if (!host.infoHashes.some((infoHash) => bytesEqual(infoHash, handshake.infoHash))) {
      return wireFault('OTHER_TORRENT', 'The peer answered for another torrent.', 20);
    }
    if (bytesEqual(handshake.peerId, host.peerId)) {
      return { ...wireFault('OURSELVES', 'The peer is this node itself.', 0), blame: 'none' };
    }
    peer.handshake = handshake;
    const fault = host.handshaken(peer);
    if (fault !== null) return fault;
    this.introduce(peer);
    if (host.content !== null) this.sayPieces(peer, host.content);
    if (handshake.dht && host.dhtPort !== 0) peer.writer.writePort(host.dhtPort);
    host.touched(peer);
    return null;
  }

  /** Tells the peer what we have: once, when both the handshake and the torrent are known. */
  sayPieces(peer: Peer, content: TorrentContent): void {
    if (peer.saidPieces || peer.handshake === null) return;
    peer.saidPieces = true;
    const { have } = content.picker;
    const hides = this.#host.hidesPieces;
    if (peer.speaksFast && (have.isEmpty || hides)) peer.writer.writeEmpty(messageId.haveNone);
    else if (peer.speaksFast && have.isFull) peer.writer.writeEmpty(messageId.haveAll);
    else if (!have.isEmpty && !hides) peer.writer.writePayload(messageId.bitfield, copyBytes(have.bytes));
    if (peer.speaksFast && !hides) this.#giveAllowedFast(peer, content, have);
    this.#host.touched(peer);
  }

  /** BEP 21: tells a peer that we want nothing more, or something again. */
  sayUploadOnly(peer: Peer, on: boolean): void {
    const id = peer.extensionIds.upload_only;
    if (!id || peer.saidUploadOnly === on) return;
    peer.saidUploadOnly = on;
    peer.writer.writeExtended(id, encodeUploadOnly(on));
    this.#host.touched(peer);
  }

  /** BEP 54: a piece that we had is gone; and then we want something again. */
  sayLost(peer: Peer, piece: number): void {
    const id = peer.extensionIds.lt_donthave;
    if (id && peer.saidPieces) peer.writer.writeExtended(id, encodeDontHave(piece));
    if (this.#host.content?.picker.isFinished === false) this.sayUploadOnly(peer, false);
    this.#host.touched(peer);
  }

  handleMessage(peer: Peer, message: PeerMessage): Fault | null {
    peer.lastReceivedMs = this.#host.nowMs;
    switch (message.type) {
      case 'keep-alive':
        return null;
      case 'port':
        if (message.port !== 0) this.#host.dhtNodeSeen(peer, message.port);
        return null;
      case 'choke':
        peer.choking = true;
        this.#host.content?.requester.handleChoked(peer);
        return null;
      case 'unchoke':
        peer.choking = false;
        return null;
      case 'interested':
        if (!peer.interested) {
          peer.interested = true;
          this.#host.wantsSlot(peer);
        }
        return null;
      case 'not-interested':
        peer.interested = false;
        return null;
      case 'have-all':
      case 'have-none':
        return this.#handlePieces(peer, { type: message.type });
      case 'bitfield':
      case 'have':
        return this.#handlePieces(peer, message);
      case 'request':
      case 'cancel':
        return this.#handleRequest(peer, message);
      case 'reject':
        if (!peer.speaksFast) return notFastFault();
        this.#host.content?.requester.handleReject(peer, message.piece, message.offset);
        return null;
      case 'suggest':
      case 'allowed-fast':
        return this.#handleFast(peer, message.type, message.piece);
      case 'extended':
        return this.#handleExtended(peer, message.id, message.payload);
      default:
        return this.#handleHashes(peer, message.type, message.payload);
    }
  }

  handleBlockHead(peer: Peer, piece: number, offset: number, bytes: number): Fault | null {
    peer.lastReceivedMs = this.#host.nowMs;
    const content = this.#host.content;
    if (content === null) return wireFault('UNASKED', 'The peer sent a block before the torrent was known.');
    return content.requester.handleBlockHead(peer, piece, offset, bytes);
  }

  handleBlockEnd(peer: Peer): Fault | null {
    this.#host.content?.requester.handleBlockEnd(peer, this.#host.nowMs);
    return null;
  }

  /** BEP 10: says who we are; again when the torrent has become known, for then others may ask us for its `info`. */
  introduce(peer: Peer): void {
    if (peer.handshake?.extended !== true) return;
    const { metadata, introductions, listenPort, isUploadOnly } = this.#host;
    const { ut_metadata, lt_donthave, upload_only } = ourExtensionIds;
    peer.saidUploadOnly = isUploadOnly;
    const payload = encodeExtensionHandshake({
      ids: { ut_metadata, lt_donthave, upload_only, ...introductions.offerIds() },
      clientName,
      requestCountMax: uploadLimits.requestCountMax,
      metadataBytes: metadata.info?.length ?? null,
      yourAddress: peer.endpoint.address,
      ...(peer.incoming || listenPort === 0 ? {} : { listenPort }),
      ...(isUploadOnly ? { uploadOnly: true } : {}),
    });
    peer.writer.writeExtended(0, payload);
    this.#host.touched(peer);
  }

  #giveAllowedFast(peer: Peer, content: TorrentContent, have: Bitfield): void {
    if (have.isEmpty || content.info.pieceCount <= allowedFastLimits.pieceCountMax) return;
    const infoHash = this.#host.infoHashes[0]!;
    for (const piece of createAllowedFastSet(
      this.#hashes,
      infoHash,
      peer.endpoint.address,
      content.info.pieceCount,
    )) {
      peer.allowedFastGiven.add(piece);
      peer.writer.writeIndex(messageId.allowedFast, piece);
    }
  }

  #handlePieces(peer: Peer, message: PiecesMessage): Fault | null {
    const isField = message.type !== 'have';
    if ((message.type === 'have-all' || message.type === 'have-none') && !peer.speaksFast)
      return notFastFault();
    if (isField && this.#repeatsItself(peer, message)) {
      return wireFault('BITFIELD', `The peer said ${peer.toldCount} times what it has, and nothing new.`);
    }
    const content = this.#host.content;
    if (content === null) return this.#rememberPieces(peer, message);
    let fault: Fault | null = null;
    if (message.type === 'bitfield') fault = content.pieces.handleField(peer, message.bytes);
    else if (message.type === 'have-all') content.pieces.handleAll(peer);
    else if (message.type === 'have-none') content.pieces.handleNone(peer);
    else if (message.type === 'have') {
      fault = content.pieces.handleHave(peer, message.piece);
      if (fault === null) this.#host.haveSeen(peer, message.piece);
    }
    if (fault === null) this.#host.updateInterest(peer);
    return fault;
  }

  /**
   * aria2 sends its bitfield anew where others send HAVEs. One that adds pieces is welcome, and there can only be as
   * many of those as there are pieces; of others a few are let pass.
   */
  #repeatsItself(peer: Peer, message: PiecesMessage): boolean {
    const before = peer.has?.setCount ?? (peer.isSeed ? Number.POSITIVE_INFINITY : -1);
    const adds = message.type === 'bitfield' && countBits(message.bytes) > before;
    if (!adds) peer.toldCount++;
    return peer.toldCount > toldCountMax;
  }

  #rememberPieces(peer: Peer, message: PiecesMessage): Fault | null {
    const early = (peer.early ??= { all: false, field: null, haves: [] });
    if (message.type === 'have-all') early.all = true;
    else if (message.type === 'bitfield') early.field = copyBytes(message.bytes);
    else if (message.type === 'have') {
      if (early.haves.length >= earlyHaveCountMax) {
        return {
          ...wireFault('EARLY_HAVES', 'The peer got too many pieces before the torrent was known.', 0),
          blame: 'none',
        };
      }
      early.haves.push(message.piece);
    }
    return null;
  }

  #handleRequest(
    peer: Peer,
    message: Extract<PeerMessage, { type: 'request' | 'cancel' | 'reject' }>,
  ): Fault | null {
    const { content, nowMs } = this.#host;
    if (content === null) return null;
    const request = { piece: message.piece, offset: message.offset, bytes: message.bytes };
    if (message.type === 'request') return content.uploader.handleRequest(peer, request, nowMs);
    content.uploader.handleCancel(peer, request);
    return null;
  }

  #handleFast(peer: Peer, type: 'suggest' | 'allowed-fast', piece: number): Fault | null {
    if (!peer.speaksFast) return notFastFault();
    const content = this.#host.content;
    if (content !== null && piece >= content.info.pieceCount) {
      return wireFault('FAST', `The peer offers piece ${piece} of ${content.info.pieceCount}.`);
    }
    if (type === 'allowed-fast') {
      // Far more than any program gives; the rest is of no use to us.
      if (peer.allowedFast.size < 64) peer.allowedFast.add(piece);
    } else {
      peer.suggested.unshift(piece);
      if (peer.suggested.length > allowedFastLimits.suggestionCountMax) peer.suggested.pop();
    }
    return null;
  }

  #handleExtended(peer: Peer, id: number, payload: Uint8Array): Fault | null {
    if (peer.handshake?.extended !== true)
      return wireFault('EXTENDED', 'The peer did not say that it speaks extensions.');
    if (id === 0) return this.#handleIntroduction(peer, payload);
    switch (tryOurExtension(id)) {
      case 'ut_metadata': {
        const message = decodeMetadata(payload);
        if (!message.ok) return message.fault;
        this.#host.metadata.handleMessage(peer.key, message.value, this.#host.nowMs);
        return null;
      }
      case 'lt_donthave': {
        const piece = decodeDontHave(payload);
        if (!piece.ok) return piece.fault;
        const fault = this.#host.content?.pieces.handleDontHave(peer, piece.value) ?? null;
        if (fault === null) this.#host.updateInterest(peer);
        return fault;
      }
      case 'upload_only': {
        const on = decodeUploadOnly(payload);
        if (!on.ok) return on.fault;
        peer.uploadOnly = on.value;
        return null;
      }
      case 'ut_pex':
        return this.#host.introductions.handlePex(peer, payload, this.#host.nowMs);
      case 'ut_holepunch':
        return this.#host.introductions.handleHolepunch(peer, payload, this.#host.nowMs);
      default:
        return null;
    }
  }

  #handleIntroduction(peer: Peer, payload: Uint8Array): Fault | null {
    const handshake = decodeExtensionHandshake(payload);
    if (!handshake.ok) return handshake.fault;
    const { ids, clientName: client, metadataBytes, listenPort } = handshake.value;
    peer.extensionIds = { ...peer.extensionIds, ...ids };
    peer.client = client ?? peer.client;
    peer.uploadOnly = handshake.value.uploadOnly ?? peer.uploadOnly;
    if (handshake.value.requestCountMax !== null) {
      peer.requestCountMax = handshake.value.requestCountMax;
      peer.window.setPeerLimit(handshake.value.requestCountMax);
    }
    if (peer.extensionIds.ut_metadata) this.#host.metadata.addPeer(peer.key, metadataBytes, this.#host.nowMs);
    if (peer.incoming && listenPort !== null)
      peer.contact = { address: peer.endpoint.address, port: listenPort };
    this.#host.introduced(peer, handshake.value.yourAddress);
    return null;
  }

  #handleHashes(
    peer: Peer,
    type: 'hash-request' | 'hashes' | 'hash-reject',
    payload: Uint8Array,
  ): Fault | null {
    const { content, nowMs } = this.#host;
    if (content === null) return null;
    if (type === 'hash-request') {
      const request = decodeHashRequest(payload);
      if (!request.ok) return request.fault;
      content.handleHashRequest(peer, request.value, nowMs);
      return null;
    }
    if (type === 'hashes') {
      const range = decodeHashes(payload);
      if (!range.ok) return range.fault;
      content.hashExchange.handleHashes(peer.key, range.value, nowMs);
    } else {
      const request = decodeHashReject(payload);
      if (!request.ok) return request.fault;
      content.hashExchange.handleReject(peer.key, request.value, nowMs);
    }
    return null;
  }
}

function countBits(bytes: Uint8Array): number {
  let count = 0;
  for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}

function notFastFault(): Fault {
  return wireFault('NOT_FAST', 'The peer uses the fast extension without having said so.');
}
