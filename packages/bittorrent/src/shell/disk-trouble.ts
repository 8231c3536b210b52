/** Runs the machine of disk trouble (core/storage-state.ts): one timer, probes, and what follows from them. */
import type { Clock, DiskFault, Fault, FileId, Timer } from '@tequio/kernel';
import { type StorageEffect, type StorageInput, StorageTrouble } from '../core/storage-state.ts';

export type DiskTroubleHost = {
  failed(code: string, message: string): void;
  recovered(): void;
  /** What was missing is there again: it is looked at anew. */
  recheck(): void;
  /** Gives the disk again what it could not store; false: nothing waits. */
  tryStores(): boolean;
  /** Is the file there that the fault names? Null: yes. */
  look(fault: DiskFault): Promise<DiskFault | null>;
};

export class DiskTrouble {
  readonly #machine = new StorageTrouble();
  readonly #clock: Clock;
  readonly #host: DiskTroubleHost;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(clock: Clock, host: DiskTroubleHost) {
    this.#clock = clock;
    this.#host = host;
  }

  get isAny(): boolean {
    return this.#machine.state.kind !== 'fine';
  }

  /** What is wrong, as a sentence; null: nothing. */
  get current(): { readonly code: string; readonly message: string } | null {
    const { state } = this.#machine;
    return state.kind === 'trouble' ? state : null;
  }

  handle(input: StorageInput): void {
    this.#machine.handle(input, this.#clock.nowMs());
    this.#settle();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #settle(): void {
    const effects: StorageEffect[] = [];
    this.#machine.drain(effects);
    for (const effect of effects) this.#carryOut(effect);
    this.#timer?.cancel();
    const next = this.#machine.nextTimeoutMs();
    if (next === null || this.#isClosed) return;
    this.#timer = this.#clock.setTimer(Math.max(0, next - this.#clock.nowMs()), () => {
      this.#machine.handleTimeout(this.#clock.nowMs());
      this.#settle();
    });
  }

  #carryOut(effect: StorageEffect): void {
    if (effect.kind === 'failed') this.#host.failed(effect.code, effect.message);
    else if (effect.kind === 'recovered') this.#host.recovered();
    else if (effect.kind === 'recheck') this.#host.recheck();
    else if (effect.by === 'look') void this.#look(effect.file);
    else if (!this.#host.tryStores()) this.handle({ kind: 'good' });
  }

  async #look(file: FileId | null): Promise<void> {
    const fault = await this.#host.look({ code: 'missing', message: '', file });
    if (!this.#isClosed) this.handle(fault === null ? { kind: 'good' } : { kind: 'fault', fault });
  }
}

/** Why a torrent's files could not be opened. */
export function openFault(error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'BITTORRENT_OPEN', message, blame: 'none', penalty: 0 };
}
