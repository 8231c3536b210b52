/**
 * A disk thread: takes batches of jobs, does them one after the other with blocking calls, and hands results back in
 * batches. Between two jobs it looks for new batches, so that a load (a peer is waiting for it) overtakes the queue
 * of stores and checks.
 *
 *   batch ─> slabs, names, queues ─> load / store / check / hash ─> reply
 */
import { readSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { DiskDigests, FileId } from '@tequio/kernel';
import { HashStreams, JobDigest } from './disk-digest.ts';
import { DiskFailure, faultOf, sentenceOf } from './disk-fault.ts';
import { FileHandles } from './disk-handles.ts';
import {
  type DiskAnswer,
  type DiskBatch,
  type DiskOrder,
  diskLimits,
  emptyReply,
  isAsExpected,
} from './disk-messages.ts';

const port = parentPort!;
const handles = new FileHandles((workerData as { handleMax: number }).handleMax);
const streams = new HashStreams();
const slabs = new Map<number, Uint8Array>();
const scratch = new Uint8Array(diskLimits.scratchBytes);

/** Jobs that wait, the first in line at `head`: taking one moves nothing. */
class OrderQueue {
  #orders: (DiskOrder | undefined)[] = [];
  #head = 0;

  push(order: DiskOrder): void {
    this.#orders.push(order);
  }

  tryTake(): DiskOrder | null {
    const order = this.#orders[this.#head];
    if (order === undefined) return null;
    this.#orders[this.#head++] = undefined;
    if (this.#head === this.#orders.length) {
      this.#orders.length = 0;
      this.#head = 0;
    }
    return order;
  }
}

const loads = new OrderQueue();
const others = new OrderQueue();
let loadStreak = 0;
let closing = false;
let reply = emptyReply();
/** Somebody waits for what is in the reply: it is not of checks alone. */
let isUrgent = false;
let repliedMs = 0;

port.on('message', (batch: DiskBatch) => {
  accept(batch);
  work();
});
// Now, and not when the program ends: whoever is killed would compile this file again each time.
port.once('message', () => flushCompileCache());

function accept(batch: DiskBatch): void {
  for (const [id, memory] of batch.slabs) slabs.set(id, new Uint8Array(memory));
  for (const id of batch.droppedSlabs) slabs.delete(id);
  for (const [id, root, path, isSecret] of batch.files) handles.name(id, { root, path, isSecret });
  for (const order of batch.jobs) (order.kind === 'load' ? loads : others).push(order);
  for (const file of batch.closeFiles) {
    handles.forget(file);
    reply.closedFiles.push(file);
    isUrgent = true;
  }
  closing ||= batch.close;
}

function work(): void {
  for (;;) {
    for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
      accept(more.message as DiskBatch);
    }
    const order = tryNext();
    if (order === null) break;
    const answer = perform(order);
    if (isAsExpected(order, answer)) reply.asExpected.push(order.id);
    else reply.results.push(answer);
    isUrgent ||= order.kind !== 'check';
    const everyMs = isUrgent ? diskLimits.replyEveryMs : diskLimits.replyChecksEveryMs;
    if (performance.now() - repliedMs >= everyMs) sendReply();
  }
  sendReply();
  if (closing) {
    handles.closeAll();
    port.close();
  }
}

function tryNext(): DiskOrder | null {
  if (loadStreak < diskLimits.loadStreakMax) {
    const load = loads.tryTake();
    if (load !== null) {
      loadStreak++;
      return load;
    }
  }
  loadStreak = 0;
  return others.tryTake() ?? loads.tryTake();
}

function sendReply(): void {
  repliedMs = performance.now();
  if (reply.results.length + reply.asExpected.length + reply.closedFiles.length === 0) return;
  port.postMessage(reply);
  reply = emptyReply();
  isUrgent = false;
}

/** The file that the running job uses, for its fault. */
let currentFile = 0;

function perform(order: DiskOrder): DiskAnswer {
  currentFile = 0;
  const stream = order.digest?.stream ?? null;
  try {
    const answer = performKind(order);
    if (stream?.part === 'last') streams.end(stream.key);
    return answer;
  } catch (error) {
    if (stream !== null) streams.end(stream.key);
    const fault = faultOf(error, handles.pathOf(currentFile), currentFile as FileId);
    return {
      id: order.id,
      fault: { ...fault, file: currentFile === 0 ? null : (currentFile as FileId) },
      digests: null,
      written: false,
    };
  }
}

function performKind(order: DiskOrder): DiskAnswer {
  switch (order.kind) {
    case 'load':
      readSpans(order, memoryOf(order));
      return {
        id: order.id,
        fault: null,
        digests: order.digest === null ? null : digestOf(order, memoryOf(order)),
        written: false,
      };
    case 'hash':
      return { id: order.id, fault: null, digests: digestOf(order, memoryOf(order)), written: false };
    case 'check':
      return { id: order.id, fault: null, digests: checkSpans(order), written: false };
    case 'store': {
      const memory = memoryOf(order);
      clearPadding(order, memory);
      const digests = order.digest === null ? null : digestOf(order, memory);
      const written = digests === null || digests.matched;
      if (written) writeSpans(order, memory);
      return { id: order.id, fault: null, digests, written };
    }
  }
}

function memoryOf(order: DiskOrder): Uint8Array {
  const slab = slabs.get(order.slab);
  if (slab === undefined || order.slabOffset + order.bytes > slab.length) {
    throw new DiskFailure('io', `A job names ${order.bytes} bytes that its slab does not have.`, null);
  }
  return slab.subarray(order.slabOffset, order.slabOffset + order.bytes);
}

function digestOf(order: DiskOrder, memory: Uint8Array): DiskDigests {
  const digest = new JobDigest(order.digest!, order.bytes, treeBytesOf(order), streams);
  digest.update(memory);
  return digest.finish();
}

/** Bytes up to the end of the last span that is no padding; all of them when there are no spans. */
function treeBytesOf(order: DiskOrder): number {
  let bytes = order.bytes;
  for (let i = order.spans.length - 3; i >= 0 && order.spans[i] === 0; i -= 3) bytes -= order.spans[i + 2]!;
  return bytes;
}

function clearPadding(order: DiskOrder, memory: Uint8Array): void {
  const { spans } = order;
  for (let i = 0, at = 0; i < spans.length; i += 3) {
    const bytes = spans[i + 2]!;
    if (spans[i] === 0) memory.fill(0, at, at + bytes);
    at += bytes;
  }
}

function writeSpans(order: DiskOrder, memory: Uint8Array): void {
  const { spans } = order;
  for (let i = 0, at = 0; i < spans.length; i += 3) {
    const bytes = spans[i + 2]!;
    if (spans[i] !== 0) {
      currentFile = spans[i]!;
      writeFully(handles.open(currentFile, true), memory, at, bytes, spans[i + 1]!);
    }
    at += bytes;
  }
}

function writeFully(fd: number, memory: Uint8Array, from: number, bytes: number, offset: number): void {
  for (let done = 0; done < bytes; ) {
    const count = writeSync(fd, memory, from + done, bytes - done, offset + done);
    if (count === 0) throw new Error('the system wrote nothing');
    done += count;
  }
}

function readSpans(order: DiskOrder, memory: Uint8Array): void {
  const { spans } = order;
  for (let i = 0, at = 0; i < spans.length; i += 3) {
    readSpan(spans[i]!, spans[i + 1]!, memory, at, spans[i + 2]!);
    at += spans[i + 2]!;
  }
}

/** Bytes of one span (file 0: zeros) to `memory`. */
function readSpan(file: number, offset: number, memory: Uint8Array, at: number, bytes: number): void {
  if (file === 0) {
    memory.fill(0, at, at + bytes);
    return;
  }
  currentFile = file;
  const fd = handles.open(file, false);
  for (let done = 0; done < bytes; ) {
    const count = readSync(fd, memory, at + done, bytes - done, offset + done);
    if (count === 0) {
      throw new DiskFailure('missing', sentenceOf('missing', handles.pathOf(file), null), file as FileId);
    }
    done += count;
  }
}

/** Reads and hashes, a scratch buffer at a time. */
function checkSpans(order: DiskOrder): DiskDigests {
  const { spans } = order;
  const digest = new JobDigest(order.digest!, order.bytes, treeBytesOf(order), streams);
  let filled = 0;
  for (let i = 0; i < spans.length; i += 3) {
    for (let done = 0; done < spans[i + 2]!; ) {
      const count = Math.min(spans[i + 2]! - done, scratch.length - filled);
      readSpan(spans[i]!, spans[i + 1]! + done, scratch, filled, count);
      done += count;
      filled += count;
      if (filled === scratch.length) {
        digest.update(scratch);
        filled = 0;
      }
    }
  }
  if (filled > 0) digest.update(scratch.subarray(0, filled));
  return digest.finish();
}
