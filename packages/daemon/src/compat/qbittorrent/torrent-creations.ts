import type { CreateOptions } from '@tequio/api';
import { toHex } from '@tequio/kernel';
import type { CompatPorts } from '../compat-caller.ts';
import { compatLimits } from '../compat-limits.ts';
import { conflict, notFound } from './api-error.ts';

/** Where a task is: `Queued -> Running -> Finished | Failed`. */
type State =
  | { readonly is: 'Queued' }
  | { readonly is: 'Running'; readonly startedMs: number; readonly progress: number }
  | {
      readonly is: 'Finished';
      readonly startedMs: number;
      readonly endedMs: number;
      readonly torrent: Uint8Array;
    }
  | { readonly is: 'Failed'; readonly startedMs: number; readonly endedMs: number; readonly message: string };

export type CreationTask = {
  readonly id: string;
  readonly options: CreateOptions;
  /** Where the torrent file is written besides; null: nowhere. */
  readonly torrentFile: string | null;
  readonly addedMs: number;
  readonly abort: AbortController;
  pieceBytes: number;
  state: State;
};

/** Tasks of this run of the node, those that have ended among them until there are too many. */
export class TorrentCreations {
  readonly #tasks = new Map<string, CreationTask>();
  #last: Promise<void> = Promise.resolve();

  /** @param share what is done with the finished torrent; null: nothing. @throws ApiError 409 */
  add(
    options: CreateOptions,
    torrentFile: string | null,
    share: ((torrent: Uint8Array) => Promise<unknown>) | null,
    ports: CompatPorts,
  ): string {
    this.#makeRoom();
    const task: CreationTask = {
      id: toHex(ports.randomBytes(8)),
      options,
      torrentFile,
      addedMs: ports.wallMs(),
      abort: new AbortController(),
      pieceBytes: options.pieceBytes ?? 0,
      state: { is: 'Queued' },
    };
    this.#tasks.set(task.id, task);
    this.#last = this.#last.then(() => this.#run(task, share, ports));
    return task.id;
  }

  /** @throws ApiError 404 */
  get(id: string): CreationTask {
    const task = this.#tasks.get(id);
    if (task === undefined) throw notFound();
    return task;
  }

  all(): readonly CreationTask[] {
    return [...this.#tasks.values()];
  }

  /** One that is not done is given up. @throws ApiError 404 */
  remove(id: string): void {
    this.get(id).abort.abort();
    this.#tasks.delete(id);
  }

  async #run(
    task: CreationTask,
    share: ((torrent: Uint8Array) => Promise<unknown>) | null,
    ports: CompatPorts,
  ): Promise<void> {
    if (task.abort.signal.aborted) return;
    const startedMs = ports.wallMs();
    task.state = { is: 'Running', startedMs, progress: 0 };
    try {
      const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }): void => {
        const progress = totalBytes === 0 ? 0 : Math.floor((100 * doneBytes) / totalBytes);
        task.state = { is: 'Running', startedMs, progress };
      };
      const torrent = await ports.create(task.options, onProgress, task.abort.signal);
      if (task.torrentFile !== null) await ports.writeFile(task.torrentFile, torrent);
      await share?.(torrent);
      task.pieceBytes = ports.show({ torrent }).pieceBytes;
      task.state = { is: 'Finished', startedMs, endedMs: ports.wallMs(), torrent };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      task.state = { is: 'Failed', startedMs, endedMs: ports.wallMs(), message };
    }
  }

  /** Those that have ended go, the oldest first, while there are too many or their torrents are too large. */
  #makeRoom(): void {
    const bytesOf = ({ state }: CreationTask): number => (state.is === 'Finished' ? state.torrent.length : 0);
    let bytes = this.all().reduce((sum, task) => sum + bytesOf(task), 0);
    for (const task of this.all()) {
      const { creationCountMax, readTorrentBytesMax } = compatLimits;
      if (this.#tasks.size < creationCountMax && bytes <= readTorrentBytesMax) return;
      if (task.state.is !== 'Finished' && task.state.is !== 'Failed') continue;
      this.#tasks.delete(task.id);
      bytes -= bytesOf(task);
    }
    if (this.#tasks.size >= compatLimits.creationCountMax) throw conflict('Too many active tasks');
  }
}
