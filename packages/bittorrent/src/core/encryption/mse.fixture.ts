/** Two sides of an encryption handshake for tests, with keys as the test wants them. */
import { createHash } from 'node:crypto';
import { concatBytes, type Fault, type KeyAgreement, toHex } from '@tequio/kernel';
import type { MseDeps, MseResult } from './mse.ts';

const sha1 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha1').update(bytes).digest());
export const hashes: MseDeps['hashes'] = { sha1 };

/** Slow and plain; its secret keys are the given ones, in turn. */
export function fixedKeys(...secrets: Uint8Array[]): KeyAgreement {
  return {
    createPair: (primeBytes, generator) => {
      const prime = numberOf(primeBytes);
      const secret = numberOf(secrets.shift()!);
      return {
        publicKey: bytesOf(power(BigInt(generator), secret, prime), primeBytes.length),
        trySecretWith: (theirs) => {
          const number = numberOf(theirs);
          if (number < 2n || number > prime - 2n) return null;
          return bytesOf(power(number, secret, prime), primeBytes.length);
        },
      };
    },
  };
}

/** Either side. */
export interface MseSide {
  readonly result: MseResult | null;
  handleBytes(bytes: Uint8Array): Fault | null;
  drain(out: Uint8Array[]): void;
}

/** Gives bytes in portions; what comes back is the fault, and what of the bytes was not taken any more. */
export function feed(
  side: MseSide,
  bytes: Uint8Array,
  portion: () => number,
): { fault: Fault | null; left: Uint8Array } {
  let at = 0;
  while (at < bytes.length && side.result === null) {
    const part = bytes.slice(at, at + portion());
    at += part.length;
    const fault = side.handleBytes(part);
    if (fault !== null) return { fault, left: bytes.slice(at) };
  }
  return { fault: null, left: bytes.slice(at) };
}

export function takeOut(side: MseSide): Uint8Array {
  const out: Uint8Array[] = [];
  side.drain(out);
  return concatBytes(out);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function bytesOf(number: bigint, length: number): Uint8Array {
  return new Uint8Array(Buffer.from(number.toString(16).padStart(length * 2, '0'), 'hex'));
}
