/**
 * A node of the BitTorrent DHT: one machine for both address families (BEP 32), because they share one port, one
 * store, one budget and one set of searches; what is separate (id, contacts, own address) is a {@link DhtSide} each.
 *
 *   handleDatagram ─┬─ query  ─ flood gate ─ responder ─ reply budget ─┐
 *                   ├─ answer ─ ledger ─ table, searches               ├─> drain: send, peers, searched, pinged, ...
 *   handleTimeout ──┴─ late and failed queries, upkeep, republishing ──┘
 *
 * Who becomes a contact: whoever answered a query of ours. Nodes that write to us, that others name or that a peer's
 * PORT message names are pinged, if the table wants them, a few at once and none twice in five minutes: what is sent
 * because of somebody's word is never more than what they sent.
 *
 * A read-only node (BEP 43) asks and does not answer, and others do not keep it.
 */
import {
  addressScope,
  addressToBytes,
  bytesEqual,
  concatBytes,
  type Endpoint,
  type Hashes,
  ipv4ToNumber,
  isIpv6,
  type Prng,
  type Signatures,
  writeUint16,
  writeUint32,
} from '@tequio/kernel';
import { type AddressFamily, decodeCompactPeers } from '../../wire/compact-peers.ts';
import type { DhtItem } from '../../wire/dht-item.ts';
import {
  compactEndpoint,
  type NodeInfo,
  nodeInfo,
  placeOf,
  placeOfCompact,
} from '../../wire/dht-node-info.ts';
import { decodeKrpc, type KrpcMessage, type Want } from '../../wire/krpc.ts';
import { encodeKrpcQuery, type SentQuery } from '../../wire/krpc-encode.ts';
import { QueryScan } from '../../wire/krpc-query-scan.ts';
import { AnnounceStore } from './announce-store.ts';
import type { DhtEffect, SearchReport, SearchRequest } from './dht-effect.ts';
import { dhtLimits } from './dht-limits.ts';
import { ItemStore } from './item-store.ts';
import { KeptItems } from './kept-items.ts';
import { isLocalSender, mayNameNode, mayNamePeer, networkBlockOf } from './place.ts';
import { type Query, QueryLedger } from './query-ledger.ts';
import { FloodGate, ReplyBudget } from './reply-budget.ts';
import { type Asker, Responder } from './responder.ts';
import type { Search } from './search.ts';
import { Searches, type SearchesHost, type SearchPurpose } from './searches.ts';
import { DhtSide } from './side.ts';
import { TransactionIds, WriteTokens } from './tokens.ts';

export type DhtNodeOptions = {
  readonly families: readonly AddressFamily[];
  /** Of the run before; null: new ones. */
  readonly ids?: Partial<Record<AddressFamily, Uint8Array>>;
  readonly isReadOnly?: boolean;
  readonly replyBytesPerSecond?: number;
};

export type DhtNodeDeps = {
  readonly prng: Prng;
  /** 32 bytes that nobody can guess. */
  readonly secret: Uint8Array;
  readonly hashes: Hashes;
  readonly signatures: Signatures;
};

type Purpose =
  | SearchPurpose
  | { readonly type: 'verify' }
  | { readonly type: 'check' }
  | { readonly type: 'ping'; readonly ping: number };

const { verifyCountMax, verifyAgainMs, verifyMemoryCountMax } = dhtLimits;
/** Stores are swept this often. */
const expireMs = 5 * 60_000;

export class DhtNode implements SearchesHost {
  readonly sides: readonly DhtSide[];
  readonly hashes: Hashes;
  readonly signatures: Signatures;
  readonly announces: AnnounceStore;
  readonly items: ItemStore;
  readonly #four: DhtSide | undefined;
  readonly #six: DhtSide | undefined;
  readonly #isReadOnly: boolean;
  readonly #transactions: TransactionIds;
  readonly #responder: Responder;
  readonly #searches: Searches;
  readonly #kept: KeptItems;
  readonly #budget: ReplyBudget;
  readonly #gate = new FloodGate();
  readonly #scan = new QueryScan();
  readonly #compact4 = new Uint8Array(6);
  readonly #compact6 = new Uint8Array(18);
  readonly #address4 = this.#compact4.subarray(0, 4);
  readonly #address6 = this.#compact6.subarray(0, 16);
  readonly #ledger = new QueryLedger<Purpose>();
  /** By place: when it was pinged because of somebody's word. */
  readonly #verified = new Map<string, number>();
  /** Searches that are for a side's own sake. */
  readonly #upkeep = new Map<number, DhtSide>();
  #verifyCount = 0;
  /** Of the last answer that anybody gave: while there is none, failures are our own line's. */
  #answeredMs = Number.NEGATIVE_INFINITY;
  #expireMs = Number.POSITIVE_INFINITY;
  #nextPing = 1;
  #nowMs = 0;
  readonly #effects: DhtEffect[] = [];
  queriesAnswered = 0;
  queriesDropped = 0;

  constructor(options: DhtNodeOptions, { prng, secret, hashes, signatures }: DhtNodeDeps) {
    this.sides = options.families.map((family) => new DhtSide(family, options.ids?.[family] ?? null, prng));
    this.#four = this.sides.find(({ family }) => family === 4);
    this.#six = this.sides.find(({ family }) => family === 6);
    this.hashes = hashes;
    this.signatures = signatures;
    this.#isReadOnly = options.isReadOnly ?? false;
    this.announces = new AnnounceStore(prng, hashes);
    this.items = new ItemStore(hashes, signatures);
    this.#kept = new KeptItems(hashes);
    this.#budget = new ReplyBudget(options.replyBytesPerSecond);
    this.#transactions = new TransactionIds(secret.subarray(0, 16));
    this.#searches = new Searches(this);
    this.#responder = new Responder({
      tokens: new WriteTokens(secret.subarray(16, 32)),
      announces: this.announces,
      items: this.items,
      tableOf: (family) => this.#side(family)?.table ?? null,
    });
  }

  /** Queries of ours under way. */
  get queryCount(): number {
    return this.#ledger.count;
  }

  get searchCount(): number {
    return this.#searches.count;
  }

  start(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#expireMs = nowMs + expireMs;
    for (const side of this.sides) side.start(nowMs);
  }

  /** Contacts of an earlier run: asked first when we bootstrap. */
  addHints(nodes: readonly NodeInfo[], nowMs: number): void {
    for (const side of this.sides)
      side.addHints(
        nodes.filter((node) => node.family === side.family),
        nowMs,
      );
  }

  /** Hosts that the user, the defaults or a torrent name: asked for nodes while we have too few. */
  addHost(host: Endpoint, nowMs: number): void {
    if (isAddressable(host)) this.#side(familyOf(host))?.addHost(host, nowMs);
  }

  /** A peer says that it has a DHT node there (its PORT message, BEP 5). */
  addNode(endpoint: Endpoint, nowMs: number): void {
    this.#nowMs = nowMs;
    const side = this.#side(familyOf(endpoint));
    if (side === null || !isAddressable(endpoint)) return;
    const place = placeOf(endpoint);
    if (side.table.get(place) === null && this.#mayVerify(place)) this.#verify(side, endpoint, null, place);
  }

  /** @returns the search's number, which its effects carry; 0: too many wait */
  search(request: SearchRequest, nowMs: number): number {
    this.#nowMs = nowMs;
    const number = this.#searches.start(request, nowMs);
    this.#searches.advance(nowMs);
    return number;
  }

  cancelSearch(number: number): void {
    this.#searches.cancel(number);
  }

  /** Asks one node whether it is there. @returns the ping's number, or 0: not in that family */
  ping(endpoint: Endpoint, nowMs: number): number {
    this.#nowMs = nowMs;
    const side = this.#side(familyOf(endpoint));
    if (side === null || !isAddressable(endpoint)) return 0;
    const ping = this.#nextPing++;
    const isAsked = this.ask(endpoint, null, { method: 'ping', id: side.id }, { type: 'ping', ping });
    return isAsked ? ping : 0;
  }

  /** Puts the item again every hour. */
  keep(item: DhtItem, nowMs: number): boolean {
    return this.#kept.keep(item, nowMs);
  }

  forget(target: Uint8Array): void {
    this.#kept.forget(target);
  }

  /** `bytes` are borrowed. */
  handleDatagram(bytes: Uint8Array, from: Endpoint, nowMs: number): void {
    this.#nowMs = nowMs;
    const side = this.#side(familyOf(from));
    if (side === null || from.port === 0) return;
    const sender = this.#sender(from, side.family);
    const question = this.#scan.tryRead(bytes);
    if (question !== null) {
      if (this.#gate.admits(sender.compact, sender.isLocal, nowMs)) this.#handleQuery(side, question, sender);
      return;
    }
    const message = decodeKrpc(bytes);
    if (message.ok && message.value.type !== 'query') {
      const query = this.#ledger.tryEnd(message.value.transaction, placeOfCompact(sender.compact));
      if (query !== null) {
        this.#handleReply(side, query, message.value, { from, local: sender.isLocal });
        return;
      }
    }
    if (!this.#gate.admits(sender.compact, sender.isLocal, nowMs) || !message.ok) return;
    if (message.value.type === 'query') this.#handleQuery(side, message.value, sender);
  }

  handleTimeout(nowMs: number): void {
    this.#nowMs = nowMs;
    for (let query = this.#ledger.tryFailed(nowMs); query !== null; query = this.#ledger.tryFailed(nowMs))
      this.#handleFailed(query, null);
    for (let query = this.#ledger.tryLate(nowMs); query !== null; query = this.#ledger.tryLate(nowMs))
      if (query.purpose.type === 'look') this.#searches.handleLate(query.purpose, nowMs);
    for (const side of this.sides) this.#keepUp(side);
    for (let item = this.#kept.tryDue(nowMs); item !== null; item = this.#kept.tryDue(nowMs))
      this.search({ kind: 'put', item, cas: null }, nowMs);
    if (nowMs < this.#expireMs) return;
    this.#expireMs = nowMs + expireMs;
    this.announces.expire(nowMs);
    this.items.expire(nowMs);
  }

  nextTimeoutMs(): number | null {
    let next = Math.min(this.#ledger.nextTimeoutMs() ?? Number.POSITIVE_INFINITY, this.#expireMs);
    next = Math.min(next, this.#kept.nextTimeoutMs());
    for (const side of this.sides) next = Math.min(next, side.nextTimeoutMs());
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  drain(out: DhtEffect[]): void {
    if (this.#effects.length === 0) return;
    for (const effect of this.#effects) out.push(effect);
    this.#effects.length = 0;
  }

  /** Sends a query of ours and remembers it; part of {@link SearchesHost}. */
  ask(to: Endpoint, node: NodeInfo | null, query: SentQuery, purpose: Purpose): boolean {
    if (this.#ledger.isFull) return false;
    const transaction = this.#transactions.next();
    const place = node?.place ?? placeOf(to);
    const entry = {
      endpoint: to,
      place,
      node,
      purpose,
      sentMs: this.#nowMs,
      isLate: false,
      hasEnded: false,
    };
    if (!this.#ledger.add(transaction, entry)) return false;
    if (node !== null) this.#side(node.family)?.table.markAsked(place, this.#nowMs);
    this.#effects.push({ type: 'send', bytes: encodeKrpcQuery(transaction, query, this.#isReadOnly), to });
    return true;
  }

  /** Both families while the other one has too few contacts (BEP 32), else the side's own. */
  wantOf(side: DhtSide): Want {
    const other = this.sides.find(({ family }) => family !== side.family);
    return other !== undefined && other.table.count < dhtLimits.enoughContactCount
      ? { ipv4: true, ipv6: true }
      : null;
  }

  /** We may be one of the nodes that keep what is looked for, as everybody is in a small DHT. */
  begun(search: Search): void {
    const { request, target, number } = search;
    if (request.kind === 'peers') {
      const peers = this.sides.flatMap(({ family }) => this.#ownPeers(target, family));
      if (peers.length > 0) this.#effects.push({ type: 'peers', search: number, peers, isFromLocal: true });
    } else if (request.kind === 'get' || request.kind === 'put') {
      const own = this.items.get(target, this.#nowMs);
      // It is found as it would be elsewhere: without the salt, which the search knows.
      search.handleItem(own);
      if (request.kind === 'put') this.items.put(request.item, request.cas, null, this.#nowMs);
    }
  }

  /** Part of {@link SearchesHost}. */
  searched(search: Search, report: SearchReport): void {
    const side = this.#upkeep.get(search.number);
    if (side === undefined) {
      this.#effects.push({ type: 'searched', search: search.number, report });
      return;
    }
    this.#upkeep.delete(search.number);
    side.handleLooked(this.#nowMs);
  }

  /** Who has sent a datagram, good until the next one. */
  #sender(endpoint: Endpoint, family: AddressFamily): Asker {
    const compact = family === 4 ? this.#compact4 : this.#compact6;
    const address = family === 4 ? this.#address4 : this.#address6;
    if (family === 4) writeUint32(compact, 0, ipv4ToNumber(endpoint.address));
    else compact.set(addressToBytes(endpoint.address));
    writeUint16(compact, address.length, endpoint.port);
    return { endpoint, compact, address, family, isLocal: isLocalSender(endpoint.address, address) };
  }

  #handleQuery(side: DhtSide, message: Extract<KrpcMessage, { type: 'query' }>, asker: Asker): void {
    const { query, transaction, isReadOnly } = message;
    if (this.#isReadOnly || bytesEqual(query.id, side.id)) return;
    const answer = this.#responder.respond(query, transaction, asker, side.id, this.#nowMs);
    if (!this.#budget.tryTake(answer.length, this.#nowMs)) {
      this.queriesDropped++;
      return;
    }
    this.queriesAnswered++;
    this.#effects.push({ type: 'send', bytes: answer, to: asker.endpoint });
    if (isReadOnly) return;
    const place = placeOfCompact(asker.compact);
    if (side.table.handleHeard(place, query.id, this.#nowMs)) return;
    if (side.table.hasRoomFor(query.id) && this.#mayVerify(place))
      this.#consider(side, nodeInfo(query.id, asker.endpoint));
  }

  #handleReply(
    side: DhtSide,
    query: Query<Purpose>,
    message: Exclude<KrpcMessage, { type: 'query' }>,
    { from, local }: { readonly from: Endpoint; readonly local: boolean },
  ): void {
    this.#answeredMs = this.#nowMs;
    if (message.seenAs !== null && familyOf(message.seenAs) === side.family)
      this.#handleSeenAs(side, from, message.seenAs, local);
    if (message.type === 'error') {
      this.#handleFailed(query, message);
      return;
    }
    const { answer } = message;
    const isExpected = query.node !== null && bytesEqual(query.node.id, answer.id);
    const node = isExpected ? query.node! : nodeInfo(answer.id, from);
    side.table.handleAnswered(node, this.#nowMs);
    if (!side.isReady && side.table.count > 0) {
      side.isReady = true;
      this.#effects.push({ type: 'ready', family: side.family });
    }
    const named = (side.family === 4 ? answer.nodes : answer.nodes6).filter(
      (other) => other.place !== node.place && !bytesEqual(other.id, side.id) && mayNameNode(other, local),
    );
    this.#considerOthers(side, query.purpose, named, side.family === 4 ? answer.nodes6 : answer.nodes, local);
    const { purpose } = query;
    if (purpose.type === 'verify') this.#verifyCount--;
    else if (purpose.type === 'ping') this.#pinged(query, purpose.ping, node);
    else if (purpose.type !== 'check') {
      if (query.node !== null && !isExpected) this.#searches.handleFailed(purpose, null, this.#nowMs);
      else {
        this.#tellPeers(purpose.search, answer.peers, local);
        this.#searches.handleAnswer(purpose, node, answer, named, this.#nowMs);
      }
    }
  }

  #ownPeers(target: Uint8Array, family: AddressFamily): Endpoint[] {
    const want = { family, noSeed: false, askerIsLocal: true, countMax: dhtLimits.answerPeerCountMax };
    const stored = this.announces.peers(target, want, this.#nowMs);
    return decodeCompactPeers(concatBytes(stored), family, stored.length);
  }

  #tellPeers(search: Search, all: readonly Endpoint[], isFromLocal: boolean): void {
    const peers = all.filter((peer) => mayNamePeer(peer, isFromLocal));
    if (peers.length === 0 || search.request.kind !== 'peers') return;
    this.#effects.push({ type: 'peers', search: search.number, peers, isFromLocal });
  }

  /** Answers to a side's own checks name nodes that the table may have room for. */
  #considerOthers(
    side: DhtSide,
    purpose: Purpose,
    named: readonly NodeInfo[],
    ofOtherFamily: readonly NodeInfo[],
    local: boolean,
  ): void {
    if (purpose.type === 'check') for (const node of named) this.#consider(side, node);
    if (ofOtherFamily.length === 0) return;
    const other = this.sides.find(({ family }) => family !== side.family);
    if (other === undefined) return;
    for (const node of ofOtherFamily) if (mayNameNode(node, local)) this.#consider(other, node);
  }

  #handleFailed(query: Query<Purpose>, error: { code: number; text: string } | null): void {
    const { purpose, node } = query;
    // An error is an answer of somebody who is there; and when nobody at all answers, it is our line that is dead.
    if (error === null && node !== null && this.#answeredMs > query.sentMs)
      this.#side(node.family)?.table.handleFailed(query.place);
    if (purpose.type === 'verify') this.#verifyCount--;
    else if (purpose.type === 'ping') this.#pinged(query, purpose.ping, null);
    else if (purpose.type !== 'check') this.#searches.handleFailed(purpose, error, this.#nowMs);
  }

  #pinged(query: Query<Purpose>, ping: number, node: NodeInfo | null): void {
    this.#effects.push({ type: 'pinged', ping, node, elapsedMs: this.#nowMs - query.sentMs });
  }

  #handleSeenAs(side: DhtSide, from: Endpoint, seenAs: Endpoint, local: boolean): void {
    if (local) return;
    const block = networkBlockOf(compactEndpoint(from).subarray(0, -2));
    const address = side.handleSeenAs(block, seenAs, this.#nowMs);
    if (address !== null) this.#effects.push({ type: 'address', family: side.family, address });
  }

  #keepUp(side: DhtSide): void {
    const upkeep = side.pickUpkeep(this.#nowMs);
    if (upkeep === null) return;
    if (upkeep.type === 'check') {
      const { node, target } = upkeep;
      const want = this.wantOf(side);
      this.ask(node.endpoint, node, { method: 'find_node', id: side.id, target, want }, { type: 'check' });
      return;
    }
    const number = this.#searches.start({ kind: 'nodes', target: upkeep.target }, this.#nowMs, [side]);
    if (number === 0) {
      side.isLooking = false;
      return;
    }
    this.#upkeep.set(number, side);
    this.#searches.advance(this.#nowMs);
  }

  /** Pings a node that we know by word only, if it would be a contact. */
  #consider(side: DhtSide, node: NodeInfo): void {
    if (!side.table.wants(node) || !this.#mayVerify(node.place)) return;
    this.#verify(side, node.endpoint, node, node.place);
  }

  #mayVerify(place: string): boolean {
    if (this.#verifyCount >= verifyCountMax) return false;
    const lastMs = this.#verified.get(place);
    return lastMs === undefined || this.#nowMs - lastMs >= verifyAgainMs;
  }

  #verify(side: DhtSide, endpoint: Endpoint, node: NodeInfo | null, place: string): void {
    this.#verified.delete(place);
    this.#verified.set(place, this.#nowMs);
    if (this.#verified.size > verifyMemoryCountMax)
      this.#verified.delete(this.#verified.keys().next().value!);
    if (this.ask(endpoint, node, { method: 'ping', id: side.id }, { type: 'verify' })) this.#verifyCount++;
  }

  #side(family: AddressFamily): DhtSide | null {
    return (family === 4 ? this.#four : this.#six) ?? null;
  }
}

function familyOf({ address }: Endpoint): AddressFamily {
  return isIpv6(address) ? 6 : 4;
}

function isAddressable({ address, port }: Endpoint): boolean {
  const scope = addressScope(address);
  return port > 0 && port < 65_536 && scope !== 'unspecified' && scope !== 'multicast';
}
