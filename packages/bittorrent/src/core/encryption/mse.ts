/**
 * Message Stream Encryption, what both sides share. A = who dials, B = who is dialled, S = the Diffie-Hellman secret,
 * SKEY = the torrent's info-hash (20 bytes; of a v2 one the first 20), H = SHA-1:
 *
 *   1  A -> B   Ya (96)   PadA (0..512)
 *   2  B -> A   Yb (96)   PadB (0..512)
 *   3  A -> B   H('req1', S)   H('req2', SKEY) xor H('req3', S)
 *               keyA( VC (8 zeros)   crypto_provide (4)   len(PadC) (2)   PadC   len(IA) (2)   IA )
 *   4  B -> A   keyB( VC   crypto_select (4)   len(PadD) (2)   PadD )
 *   5  both     what was selected: nothing, or RC4 under keyA = H('keyA', S, SKEY) and keyB, less its first 1024 bytes
 *
 * It hides from who glances, not from who attacks: the secret is not authenticated, the cipher is broken, and whoever
 * knows the info-hash reads along from the middle. So nothing here is a secret worth more care than that.
 *
 * Attacker: anybody who can connect. He costs us two modular powers (0.25 ms) for 96 bytes of his; how often he may,
 * the acceptor limits. He gets no second look: whatever is not as above ends the handshake, memory is bounded by the
 * longest handshake and one read, and a machine that has ended stays so.
 *
 * Source: the Vuze wiki's "Message Stream Encryption" specification.
 */
import {
  concatBytes,
  encodeUtf8,
  type Fault,
  type Hashes,
  type KeyAgreement,
  type KeyPair,
  tryFromHex,
} from '@tequio/kernel';
import { Rc4 } from '../../wire/rc4.ts';

export const mseLimits = {
  /** Each of the four pads, by the specification. */
  padBytesMax: 512,
  /**
   * What A says along with the handshake; nearly always the 68 bytes of a BitTorrent handshake. Held only when the
   * payload after it is plain; the field could say 65,535.
   */
  initialPayloadBytesMax: 16_384,
} as const;

/** Bits of crypto_provide and crypto_select. */
export const mseCrypto = { plain: 1, rc4: 2 } as const;

export const mseKeyBytes = 96;
export const mseHashBytes = 20;
/** The verification constant: so many zeros. */
export const mseConstantBytes = 8;
const discardedBytes = 1024;

/** The 768-bit prime of the specification; the generator is 2. */
const prime = tryFromHex(
  'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd' +
    'ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563',
)!;

export type MseDeps = { readonly hashes: Pick<Hashes, 'sha1'>; readonly keyAgreement: KeyAgreement };

/** The handshake is over, and this is how to go on. */
export type MseResult = {
  /** The torrent that both mean. */
  readonly skey: Uint8Array;
  /** For what we send and what we receive from now on; null: it is plain. */
  readonly encrypt: Rc4 | null;
  readonly decrypt: Rc4 | null;
  /** What the other side has said so far after (and in) the handshake, readable. */
  readonly rest: Uint8Array;
};

export function createMsePair(deps: MseDeps): KeyPair {
  return deps.keyAgreement.createPair(prime, 2);
}

/** The two cipher streams of one connection. */
export function createMseCiphers(
  hashes: MseDeps['hashes'],
  secret: Uint8Array,
  skey: Uint8Array,
): { readonly ofA: Rc4; readonly ofB: Rc4 } {
  const create = (name: string): Rc4 => {
    const cipher = new Rc4(mseHash(hashes, name, secret, skey));
    cipher.discard(discardedBytes);
    return cipher;
  };
  return { ofA: create('keyA'), ofB: create('keyB') };
}

/** H(name, ...parts): 20 bytes. */
export function mseHash(hashes: MseDeps['hashes'], name: string, ...parts: Uint8Array[]): Uint8Array {
  return hashes.sha1(concatBytes([encodeUtf8(name), ...parts]));
}

/** H('req2', SKEY): by what a listener finds the torrent that is meant. */
export function mseTorrentHash(hashes: MseDeps['hashes'], skey: Uint8Array): Uint8Array {
  return mseHash(hashes, 'req2', skey);
}

/** `a` becomes a xor b; both have the same length. */
export function xorInto(a: Uint8Array, b: Uint8Array): void {
  for (let i = 0; i < a.length; i++) a[i]! ^= b[i]!;
}

/** Where `pattern` begins in `bytes`, at `from` or later but not after `last`; -1: nowhere. */
export function indexOfBytes(bytes: Uint8Array, pattern: Uint8Array, from: number, last: number): number {
  const end = Math.min(last, bytes.length - pattern.length);
  for (let at = from; at <= end; at++) {
    let i = 0;
    while (i < pattern.length && bytes[at + i] === pattern[i]) i++;
    if (i === pattern.length) return at;
  }
  return -1;
}

/** Nobody is banned for a handshake that fails: scanners, other protocols and peers without our torrent look so too. */
export function mseFault(code: string, message: string): Fault {
  return { code: `BITTORRENT_MSE_${code}`, message, blame: 'peer', penalty: 0 };
}
