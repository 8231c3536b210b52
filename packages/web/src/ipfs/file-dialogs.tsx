import type { IpfsFileEntry, IpfsNodeState } from '@tequio/api';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { node } from '../node.ts';
import { attempt } from '../notice.ts';
import { Dialog } from '../shell/dialog.tsx';
import { closeDialog, openPartDialog } from '../shell/dialogs.ts';
import { Icon } from '../shell/icon.tsx';
import type { WordKey } from '../words/en.ts';
import { formatBytes } from '../words/format.ts';
import { say } from '../words/words.ts';
import { CopyLine } from './copy-line.tsx';
import { pathIn } from './tree-path.ts';
import { treeChange } from './uploads.ts';

export function openNewFolder(folder: string): void {
  openPartDialog(() => (
    <OneField
      title="ipfs.newFolder"
      label="file.name"
      go="ipfs.make"
      run={(name) => node.ipfs.makeFolder(pathIn(folder, name))}
    />
  ));
}

export function openRename(folder: string, name: string, done: () => void): void {
  openPartDialog(() => (
    <OneField
      title="ipfs.rename"
      label="file.name"
      go="ipfs.rename"
      value={name}
      done={done}
      run={(wanted) => node.ipfs.moveFile(pathIn(folder, name), pathIn(folder, wanted))}
    />
  ));
}

/** Into a folder that is there, by its path. */
export function openMove(paths: readonly string[], done: () => void): void {
  openPartDialog(() => (
    <OneField
      title="ipfs.move"
      label="ipfs.moveTo"
      go="ipfs.move"
      value="/"
      done={done}
      mayHaveSlash
      run={async (folder) => {
        for (const path of paths) await node.ipfs.moveFile(path, `${folder.replace(/\/*$/, '')}/`);
      }}
    />
  ));
}

type FieldProps = {
  readonly title: WordKey;
  readonly label: WordKey;
  readonly go: WordKey;
  readonly value?: string;
  readonly mayHaveSlash?: boolean;
  readonly run: (text: string) => Promise<void>;
  readonly done?: () => void;
};

function OneField({ title, label, go, value = '', mayHaveSlash, run, done }: FieldProps): JSX.Element {
  const [text, setText] = useState(value);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!(await attempt(() => run(text.trim())))) return;
    treeChange.value++;
    closeDialog();
    done?.();
  };
  return (
    <Dialog title={say(title)}>
      <form class="stack" onSubmit={submit}>
        <label class="field">
          <span>{say(label)}</span>
          <input
            class="input"
            autofocus
            required
            maxLength={mayHaveSlash === true ? 4000 : 255}
            {...(mayHaveSlash === true ? {} : { pattern: '[^\\/]+' })}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <div class="row">
          <button type="submit" class="button primary">
            {say(go)}
          </button>
          <button type="button" class="button" onClick={closeDialog}>
            {say('act.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function openRemove(paths: readonly string[], done: () => void): void {
  openPartDialog(() => <Remove paths={paths} done={done} />);
}

function Remove({
  paths,
  done,
}: {
  readonly paths: readonly string[];
  readonly done: () => void;
}): JSX.Element {
  const remove = async (): Promise<void> => {
    if (!(await attempt(() => node.ipfs.removeFiles(paths)))) return;
    treeChange.value++;
    closeDialog();
    done();
  };
  return (
    <Dialog title={say('ipfs.remove.title', { n: paths.length })}>
      <p>{say('ipfs.remove.text')}</p>
      <div class="row">
        <button type="button" class="button primary" onClick={remove}>
          <Icon name="remove" />
          {say('act.remove')}
        </button>
        <button type="button" class="button" onClick={closeDialog}>
          {say('act.cancel')}
        </button>
      </div>
    </Dialog>
  );
}

export function openImport(folder: string, source = ''): void {
  openPartDialog(() => <Import folder={folder} source={source} />);
}

/** Looked at first: nothing is put into the tree that cannot be found. */
function Import({ folder, source }: { readonly folder: string; readonly source: string }): JSX.Element {
  const [text, setText] = useState(source);
  const [name, setName] = useState('');
  const [isKept, setKept] = useState(true);
  const [found, setFound] = useState<IpfsFileEntry | null>(null);
  const [isBusy, setBusy] = useState<WordKey | null>(null);
  const work = async (word: WordKey, run: () => Promise<void>): Promise<void> => {
    setBusy(word);
    await attempt(run);
    setBusy(null);
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (found === null)
      void work('ipfs.looking', async () => {
        const entry = await node.ipfs.entry(text.trim());
        setFound(entry);
        setName(entry.name || entry.cid);
      });
    else
      void work('ipfs.getting', async () => {
        await node.ipfs.importFile(text.trim(), pathIn(folder, name));
        treeChange.value++;
        if (isKept) await node.ipfs.pin(found.cid, name.slice(0, 255));
        treeChange.value++;
        closeDialog();
      });
  };
  return (
    <Dialog title={say('ipfs.import')}>
      <form class="stack" onSubmit={submit}>
        <p class="soft">{say('ipfs.importText')}</p>
        <label class="field">
          <span>{say('ipfs.address')}</span>
          <input
            class="input"
            autofocus
            required
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setFound(null);
            }}
          />
        </label>
        {found !== null && (
          <>
            <p>
              {say(found.kind === 'folder' ? 'ipfs.aFolder' : 'ipfs.aFile', {
                size: formatBytes(found.bytes ?? found.dagBytes),
              })}
            </p>
            <label class="field">
              <span>{say('file.name')}</span>
              <input
                class="input"
                required
                pattern="[^\/]+"
                maxLength={255}
                value={name}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            </label>
            <label class="check">
              <input
                type="checkbox"
                checked={isKept}
                onChange={(event) => setKept(event.currentTarget.checked)}
              />
              <span>{say('ipfs.keep')}</span>
            </label>
          </>
        )}
        <p role="status" class="soft">
          {isBusy !== null && say(isBusy)}
        </p>
        <div class="row">
          <button type="submit" class="button primary" disabled={isBusy !== null}>
            {say(found === null ? 'add.look' : 'add.go')}
          </button>
          <button type="button" class="button" onClick={closeDialog}>
            {say('act.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function openShare(entry: Pick<IpfsFileEntry, 'cid' | 'name'>, state: IpfsNodeState): void {
  openPartDialog(() => <Share cid={entry.cid} name={entry.name} state={state} />);
}

type ShareProps = { readonly cid: string; readonly name: string; readonly state: IpfsNodeState };

function Share({ cid, name, state }: ShareProps): JSX.Element {
  const { mode, gatewayUrl } = state;
  const query = name === '' ? '' : `?filename=${encodeURIComponent(name)}`;
  return (
    <Dialog title={`${say('ipfs.share')}: ${name.slice(0, 200)}`}>
      <p>{say('ipfs.shareText')}</p>
      {mode !== 'online' && <p class="notice">{say('ipfs.shareAlone')}</p>}
      <CopyLine label={say('ipfs.shareLink')} text={`ipfs://${cid}`} />
      {gatewayUrl === null ? (
        <p class="soft">{say('ipfs.shareNoGateway')}</p>
      ) : (
        <CopyLine label={say('ipfs.shareGateway')} text={`${gatewayUrl}ipfs/${cid}${query}`} />
      )}
      <CopyLine label={say('ipfs.cid')} text={cid} />
    </Dialog>
  );
}
