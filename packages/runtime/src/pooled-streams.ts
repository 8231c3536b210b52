/** SHA-1 over the parts of a piece, which come as jobs of their own; what `HashStreams` is for a thread. */
import type { DigestRequest } from '@tequio/kernel';
import { DiskFailure } from './disk-fault.ts';
import { diskLimits } from './disk-messages.ts';
import type { PooledSha1, Sha1Stream } from './pooled-sha1.ts';

type Part = NonNullable<DigestRequest['stream']>;
type Open = { readonly stream: Sha1Stream; isBusy: boolean; isEnded: boolean };

export class PooledStreams {
  readonly #sha1: PooledSha1;
  /** The oldest first. */
  readonly #open = new Map<number, Open>();

  constructor(sha1: PooledSha1) {
    this.#sha1 = sha1;
  }

  /** The parts before have been given to this, and none has failed. */
  has(key: number): boolean {
    return this.#open.has(key);
  }

  /** A part before is being hashed. */
  isBusy(key: number): boolean {
    return this.#open.get(key)?.isBusy === true;
  }

  /** Before `digest` of a first part, so that later parts are known to belong here. */
  begin(key: number): void {
    this.end(key);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size < diskLimits.streamCountMax) break;
      this.end(oldest);
    }
    this.#open.set(key, { stream: this.#sha1.open(), isBusy: false, isEnded: false });
  }

  /** The digest with the last part, else null. Only when it is not busy. @throws DiskFailure */
  async digest({ key, part }: Part, bytes: Uint8Array): Promise<Uint8Array | null> {
    const open = this.#open.get(key);
    if (open === undefined)
      throw new DiskFailure('io', 'An earlier part of the same piece failed: it must start anew.', null);
    open.isBusy = true;
    const isDone = await new Promise<boolean>((resolve) => open.stream.update(bytes, resolve));
    open.isBusy = false;
    if (open.isEnded) open.stream.close();
    if (!isDone || open.isEnded)
      throw new DiskFailure('io', 'The SHA-1 of a piece could not be computed.', null);
    if (part !== 'last') return null;
    const digest = open.stream.finish();
    this.end(key);
    return digest;
  }

  /** Forgets it, whatever was hashed. */
  end(key: number): void {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    open.isEnded = true;
    // Its memory is in use until then.
    if (!open.isBusy) open.stream.close();
  }

  close(): void {
    for (const key of [...this.#open.keys()]) this.end(key);
  }
}
