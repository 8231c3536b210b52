/**
 * Writing KRPC messages; see krpc.ts. Keys are written from front to back in their order, for a node answers tens of
 * thousands of these a second, into a piece of memory of which each byte is used once: the datagram that leaves is a
 * part of it, given away for good.
 */
import type { NodeInfo } from './dht-node-info.ts';
import type { KrpcAnswer, KrpcQuery, Want } from './krpc.ts';

/** No datagram that we send is longer, so that none is cut on an ordinary path (IPv6 carries 1280 everywhere). */
export const krpcSendBytesMax = 1200;
/** `v`: the program, two letters and two digits of the version (BEP 5). And what kind of message it was. */
const endOf = (kind: string): Uint8Array =>
  Uint8Array.from(`1:v4:TQ\x00\x011:y1:${kind}e`, (letter) => letter.charCodeAt(0));
const ends = { q: endOf('q'), r: endOf('r'), e: endOf('e') } as const;

/** What a query needs of {@link KrpcQuery}: those that can be asked. */
export type SentQuery = Exclude<KrpcQuery, { method: 'unknown' | 'refused' }>;

/** An answer before it is written; absent parts are left out. Nodes are given as compact lists. */
export type SentAnswer = Partial<
  Pick<KrpcAnswer, 'token' | 'bloomSeeds' | 'bloomPeers' | 'item' | 'sequence' | 'samples'>
> & {
  readonly id: Uint8Array;
  readonly nodes?: readonly NodeInfo[] | null;
  readonly nodes6?: readonly NodeInfo[] | null;
  /** 6 or 18 bytes each. */
  readonly peers?: readonly Uint8Array[] | null;
  readonly sampleTotal?: number | null;
  readonly sampleIntervalS?: number | null;
};

/** A query's datagram. */
export function encodeKrpcQuery(transaction: Uint8Array, query: SentQuery, isReadOnly: boolean): Uint8Array {
  const writer = start();
  writer.text('d1:ad');
  writeArguments(writer, query);
  writer.text('e1:q');
  writer.string(query.method);
  if (isReadOnly) writer.text('2:roi1e');
  writer.text('1:t');
  writer.bytes(transaction);
  writeEnd(writer, 'q');
  return writer.take();
}

/** An answer's datagram. @param to who asked, in 6 or 18 bytes: it is told how we see it (BEP 42) */
export function encodeKrpcAnswer(transaction: Uint8Array, answer: SentAnswer, to: Uint8Array): Uint8Array {
  const writer = start();
  writer.text('d2:ip');
  writer.bytes(to);
  writer.text('1:rd');
  writeAnswer(writer, answer);
  writer.text('e1:t');
  writer.bytes(transaction);
  writeEnd(writer, 'r');
  return writer.take();
}

/** An error's datagram. */
export function encodeKrpcError(
  transaction: Uint8Array,
  code: number,
  text: string,
  to: Uint8Array,
): Uint8Array {
  const writer = start();
  writer.text('d1:el');
  writer.integer(code);
  writer.string(text);
  writer.text('e2:ip');
  writer.bytes(to);
  writer.text('1:t');
  writer.bytes(transaction);
  writeEnd(writer, 'e');
  return writer.take();
}

function writeArguments(writer: KrpcWriter, query: SentQuery): void {
  if (query.method === 'put' && query.cas !== null && query.item.type === 'mutable') {
    writer.text('3:cas');
    writer.integer(query.cas);
  }
  writer.text('2:id');
  writer.bytes(query.id);
  switch (query.method) {
    case 'ping':
      break;
    case 'find_node':
    case 'sample_infohashes':
    case 'get':
      if (query.method === 'get' && query.sequence !== null) {
        writer.text('3:seq');
        writer.integer(query.sequence);
      }
      writer.text('6:target');
      writer.bytes(query.target);
      writeWant(writer, query.want);
      break;
    case 'get_peers':
      writer.text('9:info_hash');
      writer.bytes(query.target);
      if (query.noSeed) writer.text('6:noseedi1e');
      if (query.scrape) writer.text('6:scrapei1e');
      writeWant(writer, query.want);
      break;
    case 'announce_peer':
      if (query.impliedPort) writer.text('12:implied_porti1e');
      writer.text('9:info_hash');
      writer.bytes(query.target);
      writer.text('4:port');
      writer.integer(query.port);
      if (query.seed) writer.text('4:seedi1e');
      writer.text('5:token');
      writer.bytes(query.token);
      break;
    default:
      writePut(writer, query);
  }
}

function writePut(writer: KrpcWriter, { item, token }: Extract<SentQuery, { method: 'put' }>): void {
  if (item.type === 'mutable') {
    writer.text('1:k');
    writer.bytes(item.publicKey);
    if (item.salt.length > 0) {
      writer.text('4:salt');
      writer.bytes(item.salt);
    }
    writer.text('3:seq');
    writer.integer(item.sequence);
    writer.text('3:sig');
    writer.bytes(item.signature);
  }
  writer.text('5:token');
  writer.bytes(token);
  writer.text('1:v');
  writer.raw(item.value);
}

function writeAnswer(writer: KrpcWriter, answer: SentAnswer): void {
  if (answer.bloomPeers && answer.bloomSeeds) {
    writer.text('4:BFpe');
    writer.bytes(answer.bloomPeers);
    writer.text('4:BFsd');
    writer.bytes(answer.bloomSeeds);
  }
  writer.text('2:id');
  writer.bytes(answer.id);
  if (answer.samples && answer.sampleIntervalS != null) {
    writer.text('8:interval');
    writer.integer(answer.sampleIntervalS);
  }
  const { item } = answer;
  if (item?.type === 'mutable') {
    writer.text('1:k');
    writer.bytes(item.publicKey);
  }
  if (answer.nodes) writeNodes(writer, '5:nodes', answer.nodes, 26);
  if (answer.nodes6) writeNodes(writer, '6:nodes6', answer.nodes6, 38);
  if (answer.samples && answer.sampleTotal != null) {
    writer.text('3:num');
    writer.integer(answer.sampleTotal);
  }
  if (answer.samples) {
    writer.text(`7:samples${20 * answer.samples.length}:`);
    for (const sample of answer.samples) writer.raw(sample);
  }
  const sequence = item?.type === 'mutable' ? item.sequence : (answer.sequence ?? null);
  if (sequence !== null) {
    writer.text('3:seq');
    writer.integer(sequence);
  }
  if (item?.type === 'mutable') {
    writer.text('3:sig');
    writer.bytes(item.signature);
  }
  if (answer.token) {
    writer.text('5:token');
    writer.bytes(answer.token);
  }
  if (item) {
    writer.text('1:v');
    writer.raw(item.value);
  }
  if (answer.peers && answer.peers.length > 0) {
    writer.text('6:valuesl');
    for (const peer of answer.peers) writer.bytes(peer);
    writer.text('e');
  }
}

function writeNodes(writer: KrpcWriter, key: string, nodes: readonly NodeInfo[], entryBytes: number): void {
  writer.text(key);
  writer.length(nodes.length * entryBytes);
  for (let i = 0; i < nodes.length; i++) writer.raw(nodes[i]!.compact);
}

function writeWant(writer: KrpcWriter, want: Want): void {
  if (want === null) return;
  writer.text('4:wantl');
  if (want.ipv4) writer.text('2:n4');
  if (want.ipv6) writer.text('2:n6');
  writer.text('e');
}

function writeEnd(writer: KrpcWriter, kind: 'q' | 'r' | 'e'): void {
  writer.raw(ends[kind]);
}

/** Below what the system's allocator asks the kernel for page by page. */
const slabBytes = 64 * 1024;
/** No ordinary message is longer, so that most find their room at once. */
const messageBytesMax = 2048;

/** `0:` to those of most byte strings that occur. */
const lengths = Array.from({ length: 512 }, (_, byteCount) => `${byteCount}:`);

class KrpcWriter {
  #buffer = new Uint8Array(slabBytes);
  #start = 0;
  #length = 0;

  /** What was not taken before is forgotten. */
  clear(): void {
    if (this.#start + messageBytesMax > this.#buffer.length) {
      this.#buffer = new Uint8Array(slabBytes);
      this.#start = 0;
    }
    this.#length = this.#start;
  }

  take(): Uint8Array {
    const bytes = this.#buffer.subarray(this.#start, this.#length);
    this.#start = this.#length;
    return bytes;
  }

  /** ASCII, as it is. */
  text(text: string): void {
    this.#reserve(text.length);
    const buffer = this.#buffer;
    const at = this.#length;
    for (let i = 0; i < text.length; i++) buffer[at + i] = text.charCodeAt(i);
    this.#length = at + text.length;
  }

  integer(value: number | bigint): void {
    this.text(`i${value}e`);
  }

  string(ascii: string): void {
    this.text(`${ascii.length}:`);
    this.text(ascii);
  }

  bytes(bytes: Uint8Array): void {
    this.length(bytes.length);
    this.raw(bytes);
  }

  /** What stands before a byte string. */
  length(byteCount: number): void {
    this.text(lengths[byteCount] ?? `${byteCount}:`);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    const buffer = this.#buffer;
    const at = this.#length;
    // Short ones are copied sooner than the engine's routine for long ones is called.
    if (bytes.length > 20) buffer.set(bytes, at);
    else for (let i = 0; i < bytes.length; i++) buffer[at + i] = bytes[i]!;
    this.#length = at + bytes.length;
  }

  #reserve(byteCount: number): void {
    if (this.#length + byteCount <= this.#buffer.length) return;
    const begun = this.#buffer.subarray(this.#start, this.#length);
    this.#buffer = new Uint8Array(Math.max(slabBytes, 2 * (begun.length + byteCount)));
    this.#buffer.set(begun);
    this.#start = 0;
    this.#length = begun.length;
  }
}

/** Only used between `start` and `take` of one call, so all calls can share it. */
const sharedWriter = new KrpcWriter();

function start(): KrpcWriter {
  sharedWriter.clear();
  return sharedWriter;
}
