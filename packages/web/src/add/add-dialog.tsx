import type { ShownTorrent, TorrentSource } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { node, status } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { go } from '../route.ts';
import { Dialog } from '../shell/dialog.tsx';
import { closeDialog, dialogAbout } from '../shell/dialogs.ts';
import { Icon } from '../shell/icon.tsx';
import { formatBytes } from '../words/format.ts';
import { say } from '../words/words.ts';
import { Content } from './content-tree.tsx';

/** How long others are asked what a magnet link is. */
const previewMs = 60_000;

export function AddDialog(): JSX.Element {
  const given = dialogAbout.value.source;
  const [text, setText] = useState(typeof given === 'string' ? given : '');
  const [source, setSource] = useState<TorrentSource | null>(null);
  const [shown, setShown] = useState<ShownTorrent | null>(null);
  const [isLooking, setLooking] = useState(false);
  const look = async (from: TorrentSource): Promise<void> => {
    setSource(from);
    setShown(null);
    setLooking(true);
    await attempt(async () => setShown(await node.torrents.preview(from, previewMs)));
    setLooking(false);
  };
  useEffect(() => {
    if (given instanceof Uint8Array) void look({ torrent: given });
    else if (given !== undefined) void look({ magnet: given });
  }, []);
  const lookAtText = (event: SubmitEvent): void => {
    event.preventDefault();
    void look({ magnet: text.trim() });
  };
  const lookAtFile = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) await look({ torrent: new Uint8Array(await file.arrayBuffer()) });
  };
  return (
    <Dialog title={say('add.title')}>
      <form class="stack" onSubmit={lookAtText}>
        <label class="field">
          <span>{say('add.link')}</span>
          <input
            class="input"
            autofocus
            value={text}
            required
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <div class="row">
          <button type="submit" class="button" disabled={isLooking}>
            <Icon name="search" />
            {say('add.look')}
          </button>
          <label class="button file-button">
            <Icon name="file" />
            {say('add.file')}
            <input
              type="file"
              accept=".torrent"
              class="unseen"
              onChange={(event) => lookAtFile(event.currentTarget.files?.[0])}
            />
          </label>
          <span class="hint wide-only">{say('add.drop')}</span>
        </div>
      </form>
      <p role="status" class="soft">
        {isLooking && say('add.looking')}
      </p>
      {source !== null && shown !== null && <Inside source={source} shown={shown} />}
    </Dialog>
  );
}

type InsideProps = { readonly source: TorrentSource; readonly shown: ShownTorrent };

/** What is in it, and how it is to be taken. */
function Inside({ source, shown }: InsideProps): JSX.Element {
  const files = useMemo(
    () => shown.files.map((file, index) => ({ ...file, index })).filter(({ pad }) => !pad),
    [shown],
  );
  const [unwanted, setUnwanted] = useState<ReadonlySet<number>>(new Set());
  const [categories, setCategories] = useState<readonly string[]>([]);
  useEffect(
    () =>
      void node.torrents.categories().then(
        (all) => setCategories(all.map(({ name }) => name)),
        () => {},
      ),
    [],
  );
  const wantedBytes = files.reduce((sum, { index, bytes }) => sum + (unwanted.has(index) ? 0 : bytes), 0);
  const add = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const [folder, category] = [String(form.get('folder') ?? '').trim(), String(form.get('category') ?? '')];
    await attempt(async () => {
      const { id, known } = await node.torrents.add({
        source,
        ...(folder === '' ? {} : { folder }),
        ...(category === '' ? {} : { category }),
        ...(unwanted.size === 0
          ? {}
          : { filePriorities: shown.files.map((_, index) => (unwanted.has(index) ? 0 : 4)) }),
        sequential: form.has('sequential'),
        paused: !form.has('start'),
      });
      closeDialog();
      if (known) tell(say('add.known'));
      go('torrents', id);
    });
  };
  return (
    <form class="stack" onSubmit={add}>
      <h3 class="plain-text">{shown.name.slice(0, 500)}</h3>
      <p class="soft">
        {say('add.files', { n: files.length - unwanted.size, size: formatBytes(wantedBytes) })}
      </p>
      <Content files={files} unwanted={unwanted} change={setUnwanted} />
      <div class="two">
        <label class="field">
          <span>{say('add.folder')}</span>
          <input class="input" name="folder" placeholder={status.value?.downloadFolder} />
        </label>
        <label class="field">
          <span>{say('add.category')}</span>
          <select class="input" name="category">
            <option value="">{say('add.noCategory')}</option>
            {categories.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </div>
      <label class="check">
        <input type="checkbox" name="start" defaultChecked />
        <span>{say('add.start')}</span>
      </label>
      <label class="check">
        <input type="checkbox" name="sequential" />
        <span>{say('add.sequential')}</span>
      </label>
      <div class="dialog-actions">
        <button type="submit" class="button primary" disabled={unwanted.size === files.length}>
          <Icon name="add" />
          {say('add.go')}
        </button>
      </div>
    </form>
  );
}
