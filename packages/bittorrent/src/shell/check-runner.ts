/**
 * Runs many `check` jobs of the disk port, so that all its threads are busy and the queue stays short: what
 * is not queued can still be stopped. Small jobs are queued by bytes, for a round trip costs more than
 * hashing a few of them.
 */
import { type DiskJob, type DiskPort, type DiskResult, NodeError } from '@tequio/kernel';

/** Bytes under way for each thread, if jobs are small; and how many jobs at most. */
const bytesPerThread = 16 * 1024 * 1024;
const jobCountMax = 512;
/** Files whose size is asked for at once. */
export const statsAtOnce = 32;
/** Files that are forgotten at once: each waits for the answer of every thread. */
export const forgetsAtOnce = 256;

export type CheckJob = Extract<DiskJob, { kind: 'check' }>;

/**
 * Runs `jobCount` jobs; `jobAt` makes one when its turn comes (null: nothing to do), `handleResult` gets each
 * result once, in any order. Rejects with what either throws, or `BITTORRENT_ABORTED`, when nothing is under
 * way any more.
 */
export function runChecks(
  disk: DiskPort,
  jobCount: number,
  jobAt: (index: number) => CheckJob | null,
  handleResult: (index: number, result: DiskResult, job: CheckJob) => void,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let runningCount = 0;
    let runningBytes = 0;
    let failure: { readonly error: unknown } | null = null;
    let isPlanned = false;
    const hasRoom = (): boolean =>
      runningCount < 2 * disk.threadCount + 2 ||
      (runningBytes < disk.threadCount * bytesPerThread && runningCount < jobCountMax);
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        failure ??= { error };
      }
    };
    const submit = (index: number, job: CheckJob): void => {
      runningCount++;
      runningBytes += job.bytes;
      disk.submit(job, (result) => {
        runningCount--;
        runningBytes -= job.bytes;
        if (failure === null) attempt(() => handleResult(index, result, job));
        if (isPlanned) return;
        // Once for all results that came together: what follows from them goes out together.
        isPlanned = true;
        disk.afterAnswers(advance);
      });
    };
    const advance = (): void => {
      isPlanned = false;
      if (signal?.aborted === true) failure ??= { error: aborted() };
      attempt(() => {
        while (failure === null && next < jobCount && hasRoom()) {
          const index = next++;
          const job = jobAt(index);
          if (job !== null) submit(index, job);
        }
      });
      disk.flush();
      if (runningCount > 0) return;
      if (failure !== null) reject(failure.error);
      else if (next >= jobCount) resolve();
    };
    advance();
  });
}

/** What a stopped creation or verification rejects with. */
export function aborted(): NodeError {
  return new NodeError('BITTORRENT_ABORTED', 'Stopped before the end.', { op: 'check' });
}

/**
 * Calls `work` for each item, at most `atOnce` at a time; rejects with the first error after those under way.
 */
export async function forEachAtOnce<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      await work(items[index]!, index);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  const broken = lanes.find((result) => result.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}
