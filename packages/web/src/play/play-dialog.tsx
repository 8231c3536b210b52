import type { FileSnapshot } from '@tequio/api';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { usePolled } from '../detail/polled.ts';
import { node } from '../node.ts';
import { Dialog } from '../shell/dialog.tsx';
import { dialogAbout } from '../shell/dialogs.ts';
import { Icon } from '../shell/icon.tsx';
import { formatShare } from '../words/format.ts';
import { say } from '../words/words.ts';
import { mediaKindOf } from './media-kind.ts';

/** Plays a file while it is still coming: what the player needs next is asked for before all else. */
export function PlayDialog(): JSX.Element | null {
  const { ids, file } = dialogAbout.value;
  const [id] = ids ?? [];
  if (id === undefined || file === undefined) return null;
  return <Player id={id} file={file} />;
}

function Player({ id, file }: { readonly id: string; readonly file: FileSnapshot }): JSX.Element {
  const [isStuck, setStuck] = useState(false);
  const files = usePolled(() => node.torrents.files(id), 2000, [id]);
  const { bytes, doneBytes } = files?.find(({ index }) => index === file.index) ?? file;
  const url = node.contentUrl(id, file.index);
  const name = file.path.split('/').at(-1) ?? '';
  const player = {
    // Content comes from another origin, which our own page may ask, and no other.
    crossorigin: 'anonymous' as const,
    src: url,
    controls: true,
    autoplay: true,
    'aria-label': name.slice(0, 200),
    onError: () => setStuck(true),
  };
  return (
    <Dialog title={name.slice(0, 200)} isWide>
      {isStuck ? (
        <p class="notice bad-edge" role="alert">
          {say('play.cannot')}
        </p>
      ) : mediaKindOf(file.path) === 'audio' ? (
        <audio {...player} class="player" />
      ) : (
        <video {...player} class="player" playsInline />
      )}
      {doneBytes < bytes && (
        <p class="soft">{say('play.coming', { share: formatShare(doneBytes / Math.max(1, bytes)) })}</p>
      )}
      <div class="row">
        <a class="button" href={node.playlistUrl(id)} download="">
          <Icon name="play" />
          {say('play.playlist')}
        </a>
        <a class="button" href={url} target="_blank" rel="noopener">
          <Icon name="file" />
          {say('play.save')}
        </a>
      </div>
    </Dialog>
  );
}
