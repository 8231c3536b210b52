import type { Signatures } from '@tequio/kernel';
import type { IpnsKey } from './ipns-names.ts';

/** @param seed 32 bytes: the secret half of an Ed25519 key */
export function ed25519Key(seed: Uint8Array, signatures: Signatures): IpnsKey {
  return {
    key: { type: 'ed25519', data: signatures.publicKeyOf(seed) },
    sign: (message) => signatures.sign(seed, message),
  };
}
