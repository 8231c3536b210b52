/** The queue's promises, written down one by one and slowly; throws the first that is broken. */
import type { QueueItem, QueueLimits, QueueVerdict } from './torrent-queue.ts';

export function checkVerdict(items: readonly QueueItem[], limits: QueueLimits, verdict: QueueVerdict): void {
  const runs = (item: QueueItem): boolean =>
    (item.running && !verdict.wait.includes(item.id)) || verdict.run.includes(item.id);
  const takesPlace = (item: QueueItem): boolean => runs(item) && !(item.running && item.slow);
  for (const item of items) {
    if (verdict.run.includes(item.id) && item.running) throw new Error(`${item.id} is started twice`);
    if (verdict.wait.includes(item.id) && !item.running) throw new Error(`${item.id} is held twice`);
  }
  if (limits.isPaused) {
    if (items.some(runs)) throw new Error('something runs although all is paused');
    return;
  }
  for (const item of items) if (item.forced && !runs(item)) throw new Error(`${item.id} is forced and waits`);
  const downloads = items.filter((item) => !item.complete && takesPlace(item));
  const seeds = items.filter((item) => item.complete && takesPlace(item));
  const isFull = (item: QueueItem): boolean =>
    (item.complete
      ? reaches(seeds.length, limits.activeSeeds)
      : reaches(downloads.length, limits.activeDownloads)) ||
    reaches(downloads.length + seeds.length, limits.activeTotal);
  const exceeds = (running: readonly QueueItem[], most: number | null): boolean =>
    most !== null && running.length > most && running.some((item) => !item.forced);
  if (exceeds(downloads, limits.activeDownloads)) throw new Error('too many download');
  if (exceeds(seeds, limits.activeSeeds)) throw new Error('too many are shared');
  if (exceeds([...downloads, ...seeds], limits.activeTotal)) throw new Error('too many are active');
  for (const waiting of items.filter((item) => !runs(item))) {
    if (!isFull(waiting)) throw new Error(`${waiting.id} waits although there is a place`);
    const overtaken = items.find(
      (item) =>
        !item.complete && !waiting.complete && !item.forced && takesPlace(item) && item.rank > waiting.rank,
    );
    if (overtaken !== undefined) throw new Error(`${overtaken.id} runs before ${waiting.id}`);
  }
}

function reaches(count: number, most: number | null): boolean {
  return most !== null && count >= most;
}
