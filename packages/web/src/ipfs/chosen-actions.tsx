import type { IpfsFileEntry } from '@tequio/api';
import type { JSX } from 'preact';
import { node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { go, linkTo } from '../route.ts';
import { Icon } from '../shell/icon.tsx';
import { say } from '../words/words.ts';
import { openMove, openRemove, openRename } from './file-dialogs.tsx';
import { pathIn } from './tree-path.ts';
import { treeChange } from './uploads.ts';

type Props = {
  readonly folder: string;
  readonly entries: readonly IpfsFileEntry[];
  /** Nothing is chosen any more. */
  readonly done: () => void;
};

/** The same content as a torrent, which is shown then. */
async function makeTorrent({ cid, name }: IpfsFileEntry): Promise<void> {
  tell(say('ipfs.makingTorrent'));
  await attempt(async () => {
    const { torrent } = await node.bridge.ipfsToTorrent({ path: `/ipfs/${cid}`, name });
    go('torrents', torrent);
  });
}

/** What can be done with what is chosen; it keeps its place, so that nothing jumps. */
export function ChosenActions({ folder, entries, done }: Props): JSX.Element {
  const [only] = entries.length === 1 ? entries : [];
  const paths = entries.map(({ name }) => pathIn(folder, name));
  const isNone = entries.length === 0;
  const isPinned = !isNone && entries.every(({ pin }) => pin !== null);
  const turnPins = async (): Promise<void> => {
    const isDone = await attempt(async () => {
      for (const { cid, name } of entries)
        await (isPinned ? node.ipfs.unpin(cid) : node.ipfs.pin(cid, name.slice(0, 255)));
    });
    treeChange.value++;
    if (isDone) tell(say(isPinned ? 'ipfs.unpinned' : 'ipfs.pinned'));
  };
  return (
    <div
      class={`row actions tree-actions ${isNone ? 'wide-only' : ''}`}
      role="toolbar"
      aria-label={say('top.commands')}
    >
      <span class="soft" role="status">
        {say('list.chosen', { n: entries.length })}
      </span>
      {only === undefined || only.kind === 'link' || only.kind === 'unknown' ? (
        <button type="button" class="button quiet" disabled>
          <Icon name="down" />
          {say('ipfs.download')}
        </button>
      ) : (
        <a class="button quiet" href={node.ipfsContentUrl(paths[0]!)} download="">
          <Icon name="down" />
          {say('ipfs.download')}
        </a>
      )}
      <button type="button" class="button quiet" disabled={isNone} onClick={turnPins}>
        <Icon name="pin" />
        {say(isPinned ? 'ipfs.unpin' : 'ipfs.pin')}
      </button>
      <button
        type="button"
        class="button quiet"
        disabled={only === undefined}
        onClick={() => only !== undefined && openRename(folder, only.name, done)}
      >
        {say('ipfs.rename')}
      </button>
      <button type="button" class="button quiet" disabled={isNone} onClick={() => openMove(paths, done)}>
        <Icon name="folder" />
        {say('ipfs.move')}
      </button>
      <button
        type="button"
        class="button quiet"
        disabled={only === undefined}
        onClick={() => only !== undefined && makeTorrent(only)}
      >
        <Icon name="torrents" />
        {say('ipfs.asTorrent')}
      </button>
      {only !== undefined && (
        <a class="button quiet" href={linkTo('ipfs', 'explore', only.cid)}>
          <Icon name="search" />
          {say('ipfs.explore')}
        </a>
      )}
      <button
        type="button"
        class="button quiet danger"
        disabled={isNone}
        onClick={() => openRemove(paths, done)}
      >
        <Icon name="remove" />
        {say('act.remove')}
      </button>
    </div>
  );
}
