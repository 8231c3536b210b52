/**
 * Trouble with the disk of one torrent, as a state that the user can read and that ends when its cause does.
 *
 *   fine ── fault ──> trouble ── probe (2 s, 4 s .. 30 s) ── good ──> fine
 *                       └── another fault: the newest sentence counts, the waiting time goes on
 *
 * While in trouble the torrent stores nothing new. What a probe is depends on the trouble: when writing failed, one
 * of the failed stores is tried again, for only that shows that there is space or permission. When something is
 * missing, or is no file, it is only looked for: to write would make a new file where perhaps just a drive is not
 * plugged in. If it is back, its pieces are checked again; if the user says go on (`reset`), it is made anew.
 */
import type { DiskFault, DiskFaultCode, FileId, Machine } from '@tequio/kernel';

export const storageStateLimits = {
  probeFirstMs: 2000,
  probeMaxMs: 30_000,
} as const;

export type StorageState =
  | { readonly kind: 'fine' }
  | {
      readonly kind: 'trouble';
      /** `BITTORRENT_DISK_FULL` and so on. */
      readonly code: string;
      readonly message: string;
      readonly file: FileId | null;
      readonly sinceMs: number;
    };

export type StorageInput =
  /** A job failed, or a probe did. */
  | { readonly kind: 'fault'; readonly fault: DiskFault }
  /** A store or a probe went well. */
  | { readonly kind: 'good' }
  /** The user started the torrent anew or rechecked it: the trouble counts as over. */
  | { readonly kind: 'reset' };

export type StorageEffect =
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'recovered' }
  /** `write`: try one failed store again. `look`: is the file there? Answer with `good` or `fault`. */
  | { readonly kind: 'probe'; readonly by: 'write' | 'look'; readonly file: FileId | null }
  /** It was missing and is there again: its pieces are doubtful. Comes before `recovered`. */
  | { readonly kind: 'recheck'; readonly file: FileId | null };

const codes: Readonly<Record<DiskFaultCode, string>> = {
  full: 'BITTORRENT_DISK_FULL',
  denied: 'BITTORRENT_DISK_DENIED',
  missing: 'BITTORRENT_FILE_MISSING',
  'not-a-file': 'BITTORRENT_NOT_A_FILE',
  io: 'BITTORRENT_DISK_ERROR',
};

const advice: Readonly<Record<DiskFaultCode, string>> = {
  full: 'Free some space: the torrent then goes on by itself.',
  denied: 'Permit it, or move the torrent: it then goes on by itself.',
  missing: 'Put it back and the torrent goes on by itself, or recheck the torrent to download it again.',
  'not-a-file': 'Take that away and the torrent goes on by itself.',
  io: 'It is tried again until it works.',
};

type Trouble = {
  readonly fault: DiskFault;
  readonly sinceMs: number;
  waitMs: number;
  /** Null: a probe is on its way. */
  probeAtMs: number | null;
};

export class StorageTrouble implements Machine<StorageInput, StorageEffect> {
  #trouble: Trouble | null = null;
  #effects: StorageEffect[] = [];

  get state(): StorageState {
    if (this.#trouble === null) return { kind: 'fine' };
    const { fault, sinceMs } = this.#trouble;
    return {
      kind: 'trouble',
      code: codes[fault.code],
      message: sentenceOf(fault),
      file: fault.file,
      sinceMs,
    };
  }

  handle(input: StorageInput, nowMs: number): void {
    if (input.kind === 'fault') this.#handleFault(input.fault, nowMs);
    else this.#handleGood(input.kind === 'reset');
  }

  handleTimeout(nowMs: number): void {
    const trouble = this.#trouble;
    if (trouble === null || trouble.probeAtMs === null || nowMs < trouble.probeAtMs) return;
    trouble.probeAtMs = null;
    this.#effects.push({ kind: 'probe', by: probeOf(trouble.fault), file: trouble.fault.file });
  }

  nextTimeoutMs(): number | null {
    return this.#trouble?.probeAtMs ?? null;
  }

  drain(out: StorageEffect[]): void {
    for (const effect of this.#effects) out.push(effect);
    this.#effects = [];
  }

  /** fine -> trouble; or, when a probe has just failed, a longer wait. */
  #handleFault(fault: DiskFault, nowMs: number): void {
    const before = this.#trouble;
    const isNews = before === null || before.fault.code !== fault.code || before.fault.file !== fault.file;
    if (isNews) this.#effects.push({ kind: 'failed', code: codes[fault.code], message: sentenceOf(fault) });
    if (before === null) {
      const waitMs: number = storageStateLimits.probeFirstMs;
      this.#trouble = { fault, sinceMs: nowMs, waitMs, probeAtMs: nowMs + waitMs };
      return;
    }
    // Jobs that were on their way when the trouble began fail too: they do not lengthen the wait.
    const probed = before.probeAtMs === null;
    const waitMs = probed ? Math.min(before.waitMs * 2, storageStateLimits.probeMaxMs) : before.waitMs;
    const probeAtMs = before.probeAtMs ?? nowMs + waitMs;
    this.#trouble = { fault, sinceMs: before.sinceMs, waitMs, probeAtMs };
  }

  /** trouble -> fine. Good news while nothing was asked is an older job's. */
  #handleGood(isReset: boolean): void {
    const trouble = this.#trouble;
    if (trouble === null || (!isReset && trouble.probeAtMs !== null)) return;
    this.#trouble = null;
    if (!isReset && probeOf(trouble.fault) === 'look') {
      this.#effects.push({ kind: 'recheck', file: trouble.fault.file });
    }
    this.#effects.push({ kind: 'recovered' });
  }
}

function probeOf(fault: DiskFault): 'write' | 'look' {
  return fault.code === 'missing' || fault.code === 'not-a-file' ? 'look' : 'write';
}

function sentenceOf(fault: DiskFault): string {
  return `${fault.message} ${advice[fault.code]}`;
}
