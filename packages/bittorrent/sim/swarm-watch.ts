/**
 * What must hold at every moment of every simulation, whatever the scenario:
 *
 * 1. a piece that a service calls verified lies on its disk with the right bytes;
 * 2. no honest node is banned, and none is blamed when a connection closes;
 * 3. memory lent to a service, and bytes waiting in its connections, stay within what its options allow;
 * 4. pieces reported as kept were verified before.
 */
import type { BittorrentEvent } from '../src/contract.ts';
import { uploadLimits } from '../src/core/uploader.ts';
import { nodeMemory, type SwarmNode } from './swarm-node.ts';

/** A connection may end so without anybody's fault. */
const blameless = new Set([
  'BITTORRENT_PEER_CLOSED',
  'BITTORRENT_WIRE_CONNECTION',
  'BITTORRENT_WIRE_SILENCE',
  'BITTORRENT_WIRE_TWICE',
  'BITTORRENT_WIRE_OURSELVES',
  'BITTORRENT_WIRE_HANDSHAKE_TIMEOUT',
  'BITTORRENT_REPLACED',
]);

/**
 * Slabs are powers of two, one piece may always be opened, and a piece being hashed is held besides: the bound is the
 * options' sum and a half.
 */
const lentBytesMax = 1.5 * (nodeMemory.pieceMemoryBytesMax + nodeMemory.readCacheBytesMax);
/** Beside the blocks: haves, bitfields, requests. */
const smallMessageBytesMax = 64 * 1024;

export class SwarmWatch {
  readonly failures: string[] = [];
  /** Accused address -> addresses of those that banned it, with the code that they gave. */
  readonly bans = new Map<string, Map<string, string>>();
  readonly closeCodes = new Map<string, number>();
  readonly events: { readonly node: SwarmNode; readonly atMs: number; readonly event: BittorrentEvent }[] =
    [];
  readonly verified = new Map<SwarmNode, Set<number>>();
  readonly kept = new Map<SwarmNode, Set<number>>();
  verifiedCount = 0;
  finishedCount = 0;
  lentBytesPeak = 0;
  queuedBytesPeak = 0;
  readonly #nodeAt: (address: string) => SwarmNode | undefined;

  constructor(nodeAt: (address: string) => SwarmNode | undefined) {
    this.#nodeAt = nodeAt;
  }

  handleEvent(node: SwarmNode, event: BittorrentEvent, nowMs: number): void {
    switch (event.type) {
      case 'bittorrent.piece.verified':
        this.#checkPiece(node, event.piece);
        break;
      case 'bittorrent.pieces.kept':
        for (const piece of event.pieces) {
          if (!setOf(this.verified, node).has(piece))
            this.#fail(node, `kept piece ${piece} before it was verified`);
          setOf(this.kept, node).add(piece);
        }
        break;
      case 'bittorrent.peer.banned':
        this.#checkBan(node, event.endpoint, event.code, event.message);
        break;
      case 'bittorrent.peer.closed':
        this.#checkClose(node, event.endpoint, event.code, event.message);
        break;
      case 'bittorrent.torrent.finished':
        node.finishedMs ??= nowMs;
        this.finishedCount++;
        break;
      case 'bittorrent.torrent.failed':
      case 'bittorrent.torrent.recovered':
      case 'bittorrent.torrent.checked':
        this.events.push({ node, atMs: nowMs, event });
        break;
      default:
    }
  }

  /** Looked at once a second. */
  checkMemory(nodes: Iterable<SwarmNode>): void {
    for (const node of nodes) {
      const { lentBytes, queuedBytes, connectionCount } = node;
      this.lentBytesPeak = Math.max(this.lentBytesPeak, lentBytes);
      this.queuedBytesPeak = Math.max(this.queuedBytesPeak, queuedBytes);
      if (lentBytes > lentBytesMax) this.#fail(node, `holds ${lentBytes} bytes of memory`);
      const queuedMax =
        connectionCount * (uploadLimits.unsentBytesMax + uploadLimits.requestBytesMax + smallMessageBytesMax);
      if (node.isHonest && queuedBytes > queuedMax)
        this.#fail(node, `has ${queuedBytes} bytes in its connections`);
    }
  }

  /** What was promised of a whole swarm: all these nodes hold every byte. */
  checkComplete(nodes: Iterable<SwarmNode>): void {
    for (const node of nodes) {
      const { info } = node.made.metainfo;
      if (node.isRunning && node.snapshot.havePieceCount !== info.pieceCount) {
        this.#fail(node, `has ${node.snapshot.havePieceCount} of ${info.pieceCount} pieces`);
      }
      for (let piece = 0; piece < info.pieceCount; piece++) this.#checkPiece(node, piece);
    }
  }

  bannersOf(address: string): ReadonlyMap<string, string> {
    return this.bans.get(address) ?? new Map();
  }

  throwFirst(): void {
    const [first] = this.failures;
    if (first !== undefined) throw new Error(`${first} (${this.failures.length} broken promises in all)`);
  }

  #checkPiece(node: SwarmNode, piece: number): void {
    const { info } = node.made.metainfo;
    const expected = node.made.content.subarray(piece * info.pieceBytes, (piece + 1) * info.pieceBytes);
    this.verifiedCount++;
    setOf(this.verified, node).add(piece);
    if (Buffer.compare(node.readPiece(piece), expected) !== 0) {
      this.#fail(node, `says that piece ${piece} is verified, and its bytes are wrong`);
    }
  }

  #checkBan(node: SwarmNode, endpoint: string, code: string, message: string): void {
    const accused = this.#nodeAt(addressOf(endpoint));
    let banners = this.bans.get(addressOf(endpoint));
    if (banners === undefined) this.bans.set(addressOf(endpoint), (banners = new Map()));
    if (banners.has(node.address) && node.startedCount === 1) this.#fail(node, `banned ${endpoint} twice`);
    banners.set(node.address, code);
    // Whoever does not keep to the rules itself may say what it likes.
    if (node.isHonest && accused?.isHonest !== false) {
      this.#fail(node, `banned ${accused?.name ?? endpoint}, which is honest: ${code}: ${message}`);
    }
  }

  #checkClose(node: SwarmNode, endpoint: string, code: string, message: string): void {
    this.closeCodes.set(code, (this.closeCodes.get(code) ?? 0) + 1);
    if (!node.isHonest || blameless.has(code)) return;
    const accused = this.#nodeAt(addressOf(endpoint));
    if (accused?.isHonest !== false) {
      this.#fail(node, `blamed ${accused?.name ?? endpoint}, which is honest: ${code}: ${message}`);
    }
  }

  #fail(node: SwarmNode, what: string): void {
    this.failures.push(`at ${Math.round(node.host.clock.nowMs())} ms ${node.name} ${what}`);
  }
}

function addressOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(':'));
}

function setOf(map: Map<SwarmNode, Set<number>>, node: SwarmNode): Set<number> {
  let set = map.get(node);
  if (set === undefined) map.set(node, (set = new Set()));
  return set;
}
