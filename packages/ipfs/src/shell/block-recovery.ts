/**
 * What is done when the store is opened, so that the index and the segments say the same whatever ended the last run.
 *
 *   the process ended     the system has all that was written: whole records behind the recorded end are taken in
 *   the power failed      what was surely on the device stays; what was recorded beyond it is read, and judged
 *   the index was lost    every segment is read from its beginning
 */
import type { FilesPort, Hashes, Log } from '@tequio/kernel';
import { NodeError } from '@tequio/kernel';
import { isPayloadOf, textOfKey } from '../core/block-key.ts';
import { recordBytesOf } from '../wire/block-record.ts';
import type { BlockIndex, NewBlock } from './block-index.ts';
import { type BlockSegments, segmentOfName } from './block-segments.ts';

export type RecoveryParts = {
  readonly index: BlockIndex;
  readonly segments: BlockSegments;
  readonly files: Pick<FilesPort, 'walk'>;
  readonly hashes: Hashes;
  readonly log: Log;
  /** `segments`, absolute. */
  readonly folder: string;
  /** Changes when the machine starts anew; null: not known, so that the worst is assumed. */
  readonly bootId: string | null;
};

/** @throws NodeError DISK_*, DATABASE_* */
export async function recoverBlocks(parts: RecoveryParts): Promise<void> {
  const { index, log } = parts;
  const wasClosed = index.state('closed') === 'yes';
  const isSameBoot = parts.bootId !== null && index.state('boot') === parts.bootId;
  const found = await segmentFiles(parts);
  let lost = dropVanished(index, found);
  if (!wasClosed && !isSameBoot) lost += await judgeUnsynced(parts, found);
  if (lost > 0) log.warn('ipfs.blocks.lost', { count: lost });
  const taken = await takeTails(parts, found);
  if (taken > 0) log.info('ipfs.blocks.recovered', { count: taken });
  index.setState('boot', parts.bootId ?? '');
  index.setState('closed', 'no');
}

/** Bytes of each segment file that is there. */
async function segmentFiles({ files, folder }: RecoveryParts): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  try {
    for (const { path, bytes } of (await files.walk(folder)).files) {
      const id = segmentOfName(path);
      if (id !== null) found.set(id, bytes);
    }
  } catch (error) {
    if (!(error instanceof NodeError) || error.code !== 'FILE_MISSING') throw error;
  }
  return found;
}

/** Segments whose file is gone: what was in them is not here. @returns how many blocks that are */
function dropVanished(index: BlockIndex, found: ReadonlyMap<number, number>): number {
  let lost = 0;
  for (const { id, bytes } of [...index.segments.values()]) {
    if (bytes === 0 || found.has(id)) continue;
    const keys = index.blocksIn(id).map(({ key }) => key);
    lost += index.remove(keys, () => true).count;
    index.dropSegment(id);
  }
  return lost;
}

/** Reads what may not have reached the device. @returns how many recorded blocks are not there */
async function judgeUnsynced(
  { index, segments, hashes }: RecoveryParts,
  found: ReadonlyMap<number, number>,
): Promise<number> {
  let lost = 0;
  for (const { id, bytes, syncedBytes } of [...index.segments.values()]) {
    if (syncedBytes >= bytes) continue;
    const good = new Map<number, string>();
    const to = Math.min(bytes, found.get(id) ?? 0);
    const end = await segments.walk(id, syncedBytes, to, ({ key, check }, payload, at) => {
      if (isPayloadOf(key, payload, check, hashes)) good.set(at, textOfKey(key));
    });
    const bad = index.blocksIn(id, syncedBytes).filter(({ at, key }) => good.get(at) !== textOfKey(key));
    const badKeys = bad.map(({ key }) => key);
    lost += index.remove(badKeys, (row) => row.place === id).count;
    index.cutSegment(id, Math.max(end, Math.min(syncedBytes, to)));
  }
  await segments.sync();
  return lost;
}

/** Takes in whole blocks that were written and not recorded, and removes what collections have left behind. */
async function takeTails(
  { index, segments, hashes, log }: RecoveryParts,
  found: ReadonlyMap<number, number>,
): Promise<number> {
  let taken = 0;
  const last = index.lastSegment;
  for (const [id, bytes] of [...found].sort(([a], [b]) => a - b)) {
    const known = index.segments.get(id);
    if (known === undefined && id < last) {
      log.info('ipfs.segment.left', { id });
      await segments.remove(id);
      continue;
    }
    const from = known?.bytes ?? 0;
    if (bytes <= from) continue;
    let blocks: NewBlock[] = [];
    let recorded = from;
    const end = await segments.walk(id, from, bytes, ({ key, check, bytes: length }, payload, at) => {
      if (!isPayloadOf(key, payload, check, hashes)) return;
      const recordBytes = recordBytesOf(key.length, length);
      blocks.push({ key: key.slice(), at, bytes: length, recordBytes, from: null });
      taken++;
      if (blocks.length < 4096) return;
      recorded = at + recordBytes;
      index.add(id, recorded, blocks);
      blocks = [];
    });
    if (end > recorded || blocks.length > 0) index.add(id, Math.max(end, recorded), blocks);
  }
  return taken;
}
