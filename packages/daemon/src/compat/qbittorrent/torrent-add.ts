import type { AddTorrent, TorrentSource } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import { isAbsolutePath } from '../paths.ts';
import { readTorrentSource } from '../torrent-source.ts';
import { badParams, conflict } from './api-error.ts';
import { type ApiCall, shareGoalOf } from './caller-state.ts';
import { ownPriority } from './torrent-looks.ts';

/** `torrents/add`: links in `urls`, a line each, and files. @returns `Ok.`, or `Fails.` when none could be added */
export async function add(call: ApiCall): Promise<string> {
  const { form, caller, ports } = call;
  const links = form.list('urls', '\n');
  if (links.length + form.files.length === 0) throw badParams('Missing required parameters: urls');
  const wishes = await wishesOf(call, links.length + form.files.length);
  const sources: (() => Promise<TorrentSource>)[] = [
    ...form.files.map((torrent) => async () => ({ torrent })),
    ...links.map((link) => () => readTorrentSource(link, caller, ports)),
  ];
  let addedCount = 0;
  for (const read of sources) {
    try {
      const { known } = await caller.management.torrents.add({ ...wishes, source: await read() });
      if (!known) addedCount++;
    } catch (error) {
      // One that is no good does not keep the others out.
      if (!(error instanceof NodeError) || error.code === 'USER_RIGHT') throw error;
    }
  }
  return addedCount > 0 ? 'Ok.' : 'Fails.';
}

const positive = (rate: number | null): number | null =>
  rate === null || rate <= 0 ? null : Math.floor(rate);

async function wishesOf(call: ApiCall, sourceCount: number): Promise<Omit<AddTorrent, 'source'>> {
  const { form, caller } = call;
  const { settings, torrents } = caller.management;
  const { sharing } = await settings.get();
  const isAutomatic = form.flag('autoTMM') ?? form.flag('useAutoTMM') ?? false;
  const folder = form.text('savepath').trim();
  if (folder !== '' && !isAbsolutePath(folder)) throw conflict('Save path must be absolute');
  const category = form.text('category').trim();
  // One that is new is made on the way.
  if (category !== '' && !(await torrents.categories()).some(({ name }) => name === category))
    await torrents.putCategory({
      name: category,
      folder: null,
      finishedFolder: null,
      limits: { down: null, up: null },
      shareGoal: null,
    });
  const shareGoal = shareGoalOf(form, sharing);
  const priorities = form.list('filePriorities', ',').map((text) => ownPriority(Number(text)));
  if (priorities.includes(null)) throw badParams('Priority is not valid');
  if (priorities.length > 0 && sourceCount > 1)
    throw badParams('Cannot specify filePriorities when adding multiple torrents');
  const name = form.text('rename').trim();
  return {
    ...(folder === '' || isAutomatic ? {} : { folder }),
    ...(category === '' ? {} : { category }),
    ...(name === '' || sourceCount > 1 ? {} : { name }),
    ...(shareGoal == null ? {} : { shareGoal }),
    ...(priorities.length === 0 ? {} : { filePriorities: priorities as number[] }),
    tags: form.list('tags', ','),
    paused: form.flag('stopped') ?? form.flag('paused') ?? false,
    limitDown: positive(form.number('dlLimit')),
    limitUp: positive(form.number('upLimit')),
    sequential: form.flag('sequentialDownload') ?? false,
    edgesFirst: form.flag('firstLastPiecePrio') ?? false,
    toTopOfQueue: form.flag('addToTopOfQueue') ?? false,
    forced: form.flag('forced') ?? false,
  };
}
