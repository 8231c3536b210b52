/** `torrentcreator/…`: torrents that are made of files of the node's machine, one after the other. */
import { dirname } from 'node:path';
import type { CreateOptions } from '@tequio/api';
import { isAbsolutePath } from '../paths.ts';
import { badParams, conflict } from './api-error.ts';
import { type ApiCall, requireAdmin } from './caller-state.ts';
import type { CreationTask } from './torrent-creations.ts';

const may = 'make torrents of files of the node';

export async function addTask(call: ApiCall): Promise<object> {
  requireAdmin(call, may);
  const { form, caller, shared } = call;
  const path = form.required('sourcePath').trim();
  const torrentFile = form.text('torrentFilePath').trim();
  for (const given of [path, ...(torrentFile === '' ? [] : [torrentFile])])
    if (!isAbsolutePath(given)) throw badParams(`"${given}" is not an absolute path`);
  const format = form.text('format').toLowerCase();
  const options: CreateOptions = {
    path,
    version: format === 'v1' || format === 'v2' ? format : 'hybrid',
    pieceBytes: form.number('pieceSize') || null,
    trackers: urlsOf(call, 'trackers').map((url) => [url]),
    webSeeds: urlsOf(call, 'urlSeeds'),
    private: form.flag('private') ?? false,
    source: form.text('source') || null,
    comment: form.text('comment') || null,
    createdBy: 'Tequio',
    createdAt: Math.floor(call.ports.wallMs() / 1000),
  };
  const isShared = form.flag('startSeeding') ?? torrentFile === '';
  const share = (torrent: Uint8Array): Promise<unknown> =>
    caller.management.torrents.add({ source: { torrent }, folder: dirname(path), seed: true });
  const file = torrentFile === '' ? null : torrentFile;
  return { taskID: shared.creations.add(options, file, isShared ? share : null, call.ports) };
}

export async function taskStatus(call: ApiCall): Promise<readonly object[]> {
  requireAdmin(call, may);
  const { creations } = call.shared;
  const id = call.form.text('taskID');
  return (id === '' ? creations.all() : [creations.get(id)]).map(taskRow);
}

export async function taskTorrent(call: ApiCall): Promise<Uint8Array> {
  requireAdmin(call, may);
  const { state } = call.shared.creations.get(call.form.required('taskID'));
  if (state.is === 'Failed') throw conflict('Torrent creation failed.');
  if (state.is !== 'Finished') throw conflict('Torrent creation is still unfinished.');
  return state.torrent;
}

export async function deleteTask(call: ApiCall): Promise<void> {
  requireAdmin(call, may);
  call.shared.creations.remove(call.form.required('taskID'));
}

/** Between `|`, each with what is not plain in it as `%xx`. */
function urlsOf({ form }: ApiCall, name: string): readonly string[] {
  return form.list(name, '|').map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw badParams(`"${part}" in ${name} is not written as an address should be`);
    }
  });
}

const seconds = (ms: number): number => Math.floor(ms / 1000);

function taskRow({ id, options, torrentFile, addedMs, pieceBytes, state }: CreationTask): object {
  const { trackers = [], webSeeds = [], comment, source } = options;
  return {
    taskID: id,
    sourcePath: options.path,
    pieceSize: pieceBytes,
    private: options.private ?? false,
    timeAdded: seconds(addedMs),
    format: options.version,
    status: state.is,
    ...(comment == null ? {} : { comment }),
    ...(source == null ? {} : { source }),
    ...(torrentFile === null ? {} : { torrentFilePath: torrentFile }),
    ...(trackers.length === 0 ? {} : { trackers: trackers.flat() }),
    ...(webSeeds.length === 0 ? {} : { urlSeeds: webSeeds }),
    ...('startedMs' in state ? { timeStarted: seconds(state.startedMs) } : {}),
    ...('endedMs' in state ? { timeFinished: seconds(state.endedMs) } : {}),
    ...(state.is === 'Failed' ? { errorMessage: state.message } : {}),
    ...(state.is === 'Running' ? { progress: state.progress } : {}),
  };
}
