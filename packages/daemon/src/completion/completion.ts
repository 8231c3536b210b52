/** What happens when a torrent is complete: it moves to its place, then the user's program is run. */
import { join } from 'node:path';
import type { BittorrentApi, ManagementEvent, Settings } from '@tequio/api';
import type { Log } from '@tequio/kernel';
import type { ProgramRun } from '@tequio/runtime';
import type { Places } from '../torrents/places.ts';
import type { BookEntry } from '../torrents/torrent-book.ts';

export type CompletionDeps = {
  readonly engine: Pick<BittorrentApi, 'move' | 'row'>;
  readonly places: Places;
  readonly log: Log;
  settings(): Pick<Settings, 'completion' | 'folders'>;
  run(
    argv: readonly string[],
    options: { readonly cwd: string; readonly timeoutMs: number },
  ): Promise<ProgramRun>;
  emit(event: ManagementEvent): void;
};

/** Each is done, or was done before: a crash in between makes it be done again. @throws NodeError of the move */
export async function finishTorrent(entry: BookEntry, deps: CompletionDeps): Promise<void> {
  const { engine, places, settings } = deps;
  const { id } = entry;
  const folder = finalFolderOf(entry, places, settings());
  if (folder !== null && folder !== entry.row.folder) {
    await engine.move(id, folder);
    deps.emit({ type: 'node.torrent.moved', torrent: id, folder });
  }
  await runProgramOf(entry, deps);
}

/** Where content goes when it is complete; null: it stays. */
export function finalFolderOf(
  { note }: Pick<BookEntry, 'note'>,
  places: Places,
  { folders }: Pick<Settings, 'folders'>,
): string | null {
  return note.finishedFolder ?? places.folderOf(note.category, 'finishedFolder') ?? folders.finished;
}

async function runProgramOf(entry: BookEntry, deps: CompletionDeps): Promise<void> {
  const { program, timeoutSeconds } = deps.settings().completion;
  if (program.length === 0) return;
  const row = deps.engine.row(entry.id) ?? entry.row;
  const argv = program.map((argument) => fillIn(argument, { ...entry, row }));
  const { exitCode, reason } = await deps.run(argv, { cwd: row.folder, timeoutMs: timeoutSeconds * 1000 });
  const name = program[0]!;
  if (exitCode !== 0) deps.log.warn('program.failed', { program: name, torrent: entry.id, exitCode, reason });
  deps.emit({ type: 'node.program.ended', torrent: entry.id, program: name, exitCode });
}

/** `{name}` and the others, once: what stands in a value stays as it is. */
export function fillIn(argument: string, { row, note }: Pick<BookEntry, 'row' | 'note'>): string {
  const values: Readonly<Record<string, string>> = {
    name: row.name,
    folder: row.folder,
    path: join(row.folder, row.name),
    category: note.category ?? '',
    tags: note.tags.join(','),
    id: row.id,
    bytes: String(row.totalBytes),
    tracker: row.trackerHost ?? '',
  };
  return argument.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
