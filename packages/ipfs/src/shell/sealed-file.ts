/**
 * Files that only those can read who have their link. What IPFS gets is sealed: chunks under ChaCha20-Poly1305, each
 * with its place in the nonce and the last one marked (STREAM, Hoang et al. 2015), under a key that is made for this
 * file alone and stands in the link's fragment, which no program sends anywhere. DESIGN.md has what this keeps from
 * whom.
 *
 *   magic "TQS1"   chunks of 64 KiB + 16 bytes of tag, the last one shorter
 *   plain text     length of the name (2 bytes), name (UTF-8), content
 *
 *   ipfs://CID#tqs1.KEY      KEY: 32 bytes in base64url
 */
import { type AeadKey, encodeUtf8, NodeError, tryDecodeUtf8 } from '@tequio/kernel';
import { base64url } from 'multiformats/bases/base64';

const magic = encodeUtf8('TQS1');
const chunkBytes = 64 << 10;
const tagBytes = 16;
const sealedChunkBytes = chunkBytes + tagBytes;
const keyBytes = 32;
const nameBytesMax = 1024;
const nothing = new Uint8Array(0);

export type SealedLink = { readonly cid: string; readonly key: Uint8Array };

/** Bytes `from` to before `to` of what is sealed; fewer only at its end. */
export type SealedReader = (from: number, to: number) => Promise<Uint8Array>;

type Chunks = {
  readonly key: AeadKey;
  readonly read: SealedReader;
  readonly lastIndex: number;
};

/** The sealed form of content, in parts. @param key of 32 random bytes, for this and nothing else */
export async function* sealFile(
  key: AeadKey,
  name: string,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const nameUtf8 = encodeUtf8(name);
  if (nameUtf8.length > nameBytesMax) throw sealedError(`The name has more than ${nameBytesMax} bytes.`);
  yield magic;
  let chunk = new Uint8Array(chunkBytes);
  let [filled, index] = [0, 0];
  const head = new Uint8Array([nameUtf8.length >> 8, nameUtf8.length & 255, ...nameUtf8]);
  for await (const part of withHead(head, content)) {
    for (let at = 0; at < part.length; ) {
      // Only with a byte more to come is a full chunk not the last.
      if (filled === chunkBytes) {
        yield* key.seal(nonceOf(index++, false), [chunk], nothing);
        chunk = new Uint8Array(chunkBytes);
        filled = 0;
      }
      const count = Math.min(chunkBytes - filled, part.length - at);
      chunk.set(part.subarray(at, at + count), filled);
      filled += count;
      at += count;
    }
  }
  yield* key.seal(nonceOf(index, true), [chunk.subarray(0, filled)], nothing);
}

async function* withHead(head: Uint8Array, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* content;
}

/** A sealed file that is read: any part of it, each checked before it is given out. */
export class SealedFile {
  readonly name: string;
  /** Of the content. */
  readonly bytes: number;
  readonly #chunks: Chunks;
  readonly #headBytes: number;

  private constructor(chunks: Chunks, name: string, headBytes: number, sealedBytes: number) {
    this.#chunks = chunks;
    this.name = name;
    this.#headBytes = headBytes;
    this.bytes = sealedBytes - magic.length - (chunks.lastIndex + 1) * tagBytes - headBytes;
  }

  /** @param sealedBytes of all that is sealed @throws NodeError `IPFS_SEALED`: wrong key, changed, cut short */
  static async open(key: AeadKey, sealedBytes: number, read: SealedReader): Promise<SealedFile> {
    const start = await read(0, magic.length);
    if (!start.every((byte, at) => byte === magic[at]) || sealedBytes < magic.length + tagBytes + 2)
      throw sealedError('This is no sealed file.');
    const chunks: Chunks = { key, read, lastIndex: lastIndexOf(sealedBytes) };
    const plain = await openChunk(chunks, 0);
    const nameBytes = (plain[0]! << 8) | plain[1]!;
    const name = nameBytes + 2 > plain.length ? null : tryDecodeUtf8(plain.subarray(2, 2 + nameBytes));
    if (name === null || nameBytes > nameBytesMax) throw sealedError('Its name cannot be read.');
    // The end is looked at too: what was cut off at a chunk would else be seen only by who reads so far.
    if (chunks.lastIndex > 0) await openChunk(chunks, chunks.lastIndex);
    return new SealedFile(chunks, name, 2 + nameBytes, sealedBytes);
  }

  /** The content from byte `from` to before byte `to`. @throws NodeError `IPFS_SEALED` */
  async *content(from = 0, to: number = this.bytes): AsyncGenerator<Uint8Array> {
    const end = this.#headBytes + Math.min(to, this.bytes);
    for (let at = this.#headBytes + from; at < end; ) {
      const index = Math.floor(at / chunkBytes);
      const plain = await openChunk(this.#chunks, index);
      const first = at - index * chunkBytes;
      const part = plain.subarray(first, Math.min(plain.length, first + end - at));
      if (part.length === 0) throw sealedError('It ends too early.');
      at += part.length;
      yield part;
    }
  }
}

export function encodeSealedLink({ cid, key }: SealedLink): string {
  return `ipfs://${cid}#tqs1.${base64url.baseEncode(key)}`;
}

/** Null: no link of this kind. */
export function tryDecodeSealedLink(text: string): SealedLink | null {
  const match = /^ipfs:\/\/([A-Za-z0-9]{10,200})\/?#tqs1\.([A-Za-z0-9_-]{43})$/.exec(text.trim());
  if (match === null) return null;
  try {
    const key = base64url.baseDecode(match[2]!);
    return key.length === keyBytes ? { cid: match[1]!, key } : null;
  } catch {
    // Bits beyond the last byte.
    return null;
  }
}

/** Seven zeros, the chunk's number, and whether it is the last: one key seals one file, so none comes twice. */
function nonceOf(index: number, isLast: boolean): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, index);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

async function openChunk({ key, read, lastIndex }: Chunks, index: number): Promise<Uint8Array> {
  const from = magic.length + index * sealedChunkBytes;
  const sealed = await read(from, from + sealedChunkBytes);
  const plainBytes = Math.max(0, sealed.length - tagBytes);
  const parts = [sealed.subarray(0, plainBytes)];
  const plain = key.tryOpen(nonceOf(index, index === lastIndex), parts, sealed.subarray(plainBytes), nothing);
  if (plain !== null) return plain[0]!;
  throw sealedError('The link has another key, or what it leads to was changed.');
}

function lastIndexOf(sealedBytes: number): number {
  return Math.ceil((sealedBytes - magic.length) / sealedChunkBytes) - 1;
}

function sealedError(message: string): NodeError {
  return new NodeError('IPFS_SEALED', message, { op: 'read' });
}
