/**
 * Who this node is: one Ed25519 key in a file for the user alone. It is text, the key as libp2p and kubo write it
 * (base64 of the PrivateKey message), so that it can be carried from there and back.
 */
import { privateKeyFromProtobuf, privateKeyFromRaw, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { type Entropy, encodeUtf8, NodeError, type Signatures, tryDecodeUtf8 } from '@tequio/kernel';
import type { IdentityFiles } from './options.ts';

const fileBytesMax = 4096;

/**
 * The seed (32 bytes) that the file holds; a new one is made where there is none.
 * @throws NodeError `OVERLAY_KEY` when the file holds something else
 */
export async function readIdentity(
  path: string,
  folder: string,
  ports: { readonly files: IdentityFiles; readonly entropy: Entropy; readonly signatures: Signatures },
): Promise<Uint8Array> {
  const { files, entropy, signatures } = ports;
  if ((await files.kind(path)) === null) {
    const seed = entropy.bytes(32);
    const text = Buffer.from(privateKeyToProtobuf(keyOf(seed, signatures))).toString('base64');
    await files.makeFolder(folder);
    await files.writeFile(path, encodeUtf8(`${text}\n`), { secret: true });
    return seed;
  }
  const seed = tryDecodeIdentity(tryDecodeUtf8(await files.readFile(path, fileBytesMax)) ?? '');
  if (seed !== null) return seed;
  throw new NodeError(
    'OVERLAY_KEY',
    `${path} holds no Ed25519 key. Put back the file that was there, or remove it: then a new key is made, and others know this node by another name.`,
    { op: 'identity', data: { path } },
  );
}

/** The seed in a text that `readIdentity` writes, or null. */
export function tryDecodeIdentity(text: string): Uint8Array | null {
  try {
    const key = privateKeyFromProtobuf(new Uint8Array(Buffer.from(text.trim(), 'base64')));
    return key.type === 'Ed25519' ? key.raw.slice(0, 32) : null;
  } catch {
    return null;
  }
}

/** How others name the node with this seed. */
export function peerOf(seed: Uint8Array, signatures: Signatures): string {
  return peerIdFromPrivateKey(keyOf(seed, signatures)).toString();
}

/** libp2p's form of the key. */
export function keyOf(seed: Uint8Array, signatures: Signatures): Ed25519PrivateKey {
  const raw = new Uint8Array(64);
  raw.set(seed);
  raw.set(signatures.publicKeyOf(seed), 32);
  const key = privateKeyFromRaw(raw);
  if (key.type !== 'Ed25519') throw new TypeError('a seed of 32 bytes makes an Ed25519 key');
  return key;
}
