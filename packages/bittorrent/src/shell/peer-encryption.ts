/**
 * Encryption of peer connections as the service has it: the user's policy, which torrents may be meant, who may begin a
 * handshake, and the memory in which bytes are decrypted. Dialer and acceptor share one.
 */
import {
  type Clock,
  type Endpoint,
  type Entropy,
  type Hashes,
  type KeyAgreement,
  toHex,
} from '@tequio/kernel';
import { addressKey } from '@tequio/network';
import type { EncryptionPolicy } from '../contract.ts';
import { mseCrypto, mseLimits, mseTorrentHash } from '../core/encryption/mse.ts';
import { MseAllowance } from '../core/encryption/mse-allowance.ts';
import { MseInitiator } from '../core/encryption/mse-initiator.ts';
import { MseResponder } from '../core/encryption/mse-responder.ts';
import { SpokenWays, type Way } from '../core/encryption/spoken-ways.ts';
import { DecryptMemory } from './cipher-stream.ts';

export type PeerEncryptionDeps = {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly hashes: Hashes;
  readonly keyAgreement: KeyAgreement;
};

export class PeerEncryption {
  readonly policy: EncryptionPolicy;
  readonly memory = new DecryptMemory();
  readonly #deps: PeerEncryptionDeps;
  /** Null: there is one way only. */
  readonly #ways: SpokenWays | null;
  readonly #allowance = new MseAllowance();
  /** Hex of H('req2', SKEY) -> SKEY. A hybrid torrent has two. */
  readonly #torrents = new Map<string, Uint8Array>();
  /** Bits of `mseCrypto`. */
  readonly #offered: number;
  readonly #taken: number;

  constructor(policy: EncryptionPolicy, deps: PeerEncryptionDeps) {
    this.policy = policy;
    this.#deps = deps;
    this.#ways =
      policy === 'allow' || policy === 'prefer'
        ? new SpokenWays(policy === 'allow' ? 'plain' : 'encrypted')
        : null;
    const any = mseCrypto.rc4 | mseCrypto.plain;
    // Who prefers encryption offers nothing else: many would choose the plain payload.
    this.#offered = policy === 'allow' ? any : mseCrypto.rc4;
    this.#taken = policy === 'require' ? mseCrypto.rc4 : any;
  }

  /** @param infoHash the 20 bytes that a handshake names it by */
  addTorrent(infoHash: Uint8Array): void {
    this.#torrents.set(toHex(mseTorrentHash(this.#deps.hashes, infoHash)), infoHash);
  }

  removeTorrent(infoHash: Uint8Array): void {
    this.#torrents.delete(toHex(mseTorrentHash(this.#deps.hashes, infoHash)));
  }

  /** How to dial this endpoint. */
  wayTo(endpointKey: string): Way {
    return this.#ways?.wayTo(endpointKey) ?? (this.policy === 'require' ? 'encrypted' : 'plain');
  }

  markUnderstood(endpointKey: string): void {
    this.#ways?.markUnderstood(endpointKey);
  }

  handleSilentEnd(endpointKey: string): boolean {
    return this.#ways?.handleSilentEnd(endpointKey) ?? false;
  }

  createInitiator(skey: Uint8Array, initialPayload: Uint8Array): MseInitiator {
    const [pad, innerPadBytes] = [this.#pad(), this.#pad().length];
    return new MseInitiator({ skey, provide: this.#offered, initialPayload, pad, innerPadBytes }, this.#deps);
  }

  /** For a connection that did not begin plainly; null: it may not go on. */
  tryCreateResponder(remote: Endpoint): MseResponder | null {
    if (this.policy === 'off') return null;
    if (!this.#allowance.tryTake(addressKey(remote.address), this.#deps.clock.nowMs())) return null;
    const findSkey = (hash: Uint8Array): Uint8Array | null => this.#torrents.get(toHex(hash)) ?? null;
    const prefersRc4 = this.policy !== 'allow';
    const options = { accept: this.#taken, prefersRc4, pad: this.#pad(), findSkey };
    return new MseResponder(options, this.#deps);
  }

  /** 0 to 512 random bytes. */
  #pad(): Uint8Array {
    const [high = 0, low = 0, ...rest] = this.#deps.entropy.bytes(mseLimits.padBytesMax + 2);
    return Uint8Array.from(rest).subarray(0, ((high << 8) | low) % (mseLimits.padBytesMax + 1));
  }
}
