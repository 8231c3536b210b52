/** Nodes and keys for the DHT's tests. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import {
  addressToBytes,
  type Hashes,
  type IpAddress,
  Prng,
  type Signatures,
  tryParseAddress,
} from '@tequio/kernel';
import { secureNodeId } from '../../wire/dht-node-id.ts';
import { type NodeInfo, nodeInfo } from '../../wire/dht-node-info.ts';

export const testHashes: Hashes = {
  sha1: (bytes) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

function secretKeyOf(seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

export const testSignatures: Signatures = {
  publicKeyOf: (secretKey) => {
    const { x } = createPublicKey(secretKeyOf(secretKey)).export({ format: 'jwk' });
    return Uint8Array.from(Buffer.from(x!, 'base64url'));
  },
  sign: (secretKey, message) => Uint8Array.from(sign(null, message, secretKeyOf(secretKey))),
  verify: (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    const x = Buffer.from(publicKey).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, message, key, signature);
  },
};

export function addressOf(text: string): IpAddress {
  return tryParseAddress(text)!;
}

/** A node at this address; its id fits the address unless one is given. */
export function nodeAt(address: string, port = 6881, id?: Uint8Array): NodeInfo {
  const bytes = addressToBytes(addressOf(address));
  return nodeInfo(id ?? secureNodeId(bytes, new Prng(port).bytes(20)), { address: addressOf(address), port });
}

/** An id that shares exactly so many leading bits with `own`; the rest by chance. */
export function idIn(own: Uint8Array, bucket: number, prng: Prng): Uint8Array {
  const id = prng.bytes(20);
  for (let bit = 0; bit <= bucket; bit++) {
    const mask = 0x80 >> (bit & 7);
    const wanted = bit === bucket ? ~own[bit >> 3]! & mask : own[bit >> 3]! & mask;
    id[bit >> 3] = (id[bit >> 3]! & ~mask) | wanted;
  }
  return id;
}
