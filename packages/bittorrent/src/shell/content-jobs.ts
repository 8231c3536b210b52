/** Jobs of a torrent's content, as the disk takes them: which bytes of which files, to be hashed, stored or loaded. */
import type { Clock, DiskPort, DiskResult, FileSpan } from '@tequio/kernel';
import type { ContentJob } from '../core/content.ts';

/** Where the content lies. */
export interface ContentPlaces {
  spansToStore(piece: number, offset: number, bytes: number): FileSpan[];
  /** Null: bytes of this run were never stored anywhere. */
  trySpansToLoad(piece: number, offset: number, bytes: number): FileSpan[] | null;
}

const neverStored: DiskResult = {
  ok: false,
  fault: { code: 'missing', message: 'These bytes were never stored.', file: null },
};

/** `done` is called later, never from inside this call. */
export function submitContentJob(
  job: ContentJob,
  disk: DiskPort,
  clock: Clock,
  places: ContentPlaces,
  done: (result: DiskResult) => void,
): void {
  const { piece, bytes } = job;
  if (job.type === 'store') {
    const run = { slab: job.slab, slabOffset: 0, bytes, digest: job.digest };
    if (job.kind === 'hash') disk.submit({ kind: 'hash', ...run }, done);
    else
      disk.submit({ kind: 'store', ...run, spans: places.spansToStore(piece, job.pieceOffset, bytes) }, done);
    return;
  }
  const spans = places.trySpansToLoad(piece, job.type === 'load' ? job.pieceOffset : 0, bytes);
  if (spans === null) clock.setTimer(0, () => done(neverStored));
  else if (job.type === 'check') disk.submit({ kind: 'check', bytes, spans, digest: job.digest }, done);
  else disk.submit({ kind: 'load', slab: job.slab, slabOffset: 0, bytes, spans }, done);
}
