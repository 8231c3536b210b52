import type { IpfsFileEntry, IpfsFolderPage, IpfsNodeState } from '@tequio/api';
import type { NodeError } from '@tequio/kernel';
import type { JSX, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isSeen, node } from '../node.ts';
import { attempt } from '../notice.ts';
import { linkTo } from '../route.ts';
import { dropTarget } from '../shell/drop-target.ts';
import { Icon } from '../shell/icon.tsx';
import { formatBytes } from '../words/format.ts';
import { say } from '../words/words.ts';
import { ChosenActions } from './chosen-actions.tsx';
import { EmptyCard } from './empty-card.tsx';
import { openImport, openNewFolder, openShare } from './file-dialogs.tsx';
import { withFreeNames } from './free-names.ts';
import { JoinCard } from './join-card.tsx';
import { crumbsOf, isContentAddress, pathIn, shortCid } from './tree-path.ts';
import { UploadBar } from './upload-bar.tsx';
import { filesOfInput, filesOfTransfer, type PickedFile, treeChange, upload } from './uploads.ts';

const pageEntries = 200;
/** All browsers know it; the types of Preact do not. */
const wholeFolder = { webkitdirectory: true } as object;

type Props = { readonly path: string; readonly state: IpfsNodeState };

/** One folder of the tree. */
export function FilesPart({ path, state }: Props): JSX.Element {
  const [limit, setLimit] = useState(pageEntries);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { page, error } = useFolder(path, limit);
  const fileInput = useRef<HTMLInputElement>(null);
  const names = new Set(page?.entries.map(({ name }) => name));
  const latest = useRef<(files: readonly PickedFile[]) => void>(() => {});
  latest.current = (files) => upload(withFreeNames(files, names), path);
  useDropTarget(path, fileInput, latest);
  if (error !== null) return <Missing message={error.message} />;
  const entries = page?.entries ?? [];
  const size = page === null || entries.length === 0 ? '' : formatBytes(page.folder.dagBytes);
  const isTop = path === '/';
  const picked = entries.filter(({ name }) => chosen.has(name));
  return (
    <div class="stack">
      <JoinCard mode={state.mode} />
      <div class="row spread">
        <Crumbs path={path} />
        <span class="soft">{size}</span>
      </div>
      <AddButtons path={path} fileInput={fileInput} add={(files) => latest.current(files)} />
      <UploadBar />
      {page === null ? (
        <p aria-busy="true" />
      ) : entries.length === 0 ? (
        <Empty isTop={isTop} />
      ) : (
        <>
          <ChosenActions folder={path} entries={picked} done={() => setChosen(new Set())} />
          <FileTable path={path} entries={entries} chosen={chosen} choose={setChosen} state={state} />
        </>
      )}
      {page !== null && page.totalCount > entries.length && (
        <button type="button" class="button" onClick={() => setLimit(limit + pageEntries)}>
          {say('file.more')}
        </button>
      )}
    </div>
  );
}

function Missing({ message }: { readonly message: string }): JSX.Element {
  return (
    <div class="stack">
      <p class="notice bad-edge plain-text" role="alert">
        {message}
      </p>
      <a href={linkTo('ipfs', 'files')}>{say('ipfs.allFiles')}</a>
    </div>
  );
}

type AddProps = {
  readonly path: string;
  readonly fileInput: RefObject<HTMLInputElement | null>;
  readonly add: (files: readonly PickedFile[]) => void;
};

function AddButtons({ path, fileInput, add }: AddProps): JSX.Element {
  return (
    <div class="row">
      <button type="button" class="button primary" onClick={() => fileInput.current?.click()}>
        <Icon name="add" />
        {say('ipfs.addFiles')}
      </button>
      <label class="button file-button">
        <Icon name="folder" />
        {say('ipfs.addFolder')}
        <input
          type="file"
          class="unseen"
          {...wholeFolder}
          onChange={(event) => add(filesOfInput(event.currentTarget))}
        />
      </label>
      <button type="button" class="button" onClick={() => openNewFolder(path)}>
        {say('ipfs.newFolder')}
      </button>
      <button type="button" class="button" onClick={() => openImport(path)}>
        <Icon name="down" />
        {say('ipfs.import')}
      </button>
      <input
        ref={fileInput}
        type="file"
        multiple
        class="unseen"
        tabIndex={-1}
        aria-label={say('ipfs.addFiles')}
        onChange={(event) => add(filesOfInput(event.currentTarget))}
      />
    </div>
  );
}

/** What is dropped, pasted or added goes into this folder. */
function useDropTarget(
  path: string,
  fileInput: RefObject<HTMLInputElement | null>,
  latest: RefObject<(files: readonly PickedFile[]) => void>,
): void {
  useEffect(() => {
    dropTarget.value = {
      get word() {
        return say('ipfs.addHere');
      },
      choose: () => fileInput.current?.click(),
      take: (data) => void takeFrom(data, path, (files) => latest.current(files)),
    };
    return () => {
      dropTarget.value = null;
    };
  }, [path]);
}

async function takeFrom(
  data: DataTransfer,
  folder: string,
  add: (files: readonly PickedFile[]) => void,
): Promise<void> {
  const text = data.getData('text/uri-list') || data.getData('text/plain') || '';
  await attempt(async () => {
    const files = await filesOfTransfer(data);
    if (files.length > 0) add(files);
    else if (text.trim() !== '') openImport(folder, isContentAddress(text) ? text.trim() : '');
  });
}

type Folder = { readonly page: IpfsFolderPage | null; readonly error: NodeError | null };

/** A folder's CID says whether anything in it has changed: only then is it read again. */
function useFolder(path: string, limit: number): Folder {
  const [folder, setFolder] = useState<Folder>({ page: null, error: null });
  const seen = isSeen.value;
  const change = treeChange.value;
  useEffect(() => {
    if (!seen) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    let known = '';
    const look = async (): Promise<void> => {
      try {
        const { cid } = known === '' ? { cid: '' } : await node.ipfs.entry(path);
        if (cid !== known || known === '') {
          const page = await node.ipfs.files(path, { limit: Math.min(limit, 1000) });
          known = page.folder.cid;
          if (!isOver) setFolder({ page, error: null });
        }
      } catch (error) {
        const { code } = error as NodeError;
        if (!isOver && code !== 'HTTP_UNREACHABLE') setFolder({ page: null, error: error as NodeError });
      }
      if (!isOver) timer = setTimeout(look, 2000);
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [path, limit, seen, change]);
  return folder;
}

function Crumbs({ path }: { readonly path: string }): JSX.Element {
  const crumbs = crumbsOf(path);
  return (
    <nav class="row crumbs" aria-label={say('ipfs.where')}>
      <a href={linkTo('ipfs', 'files')} aria-current={path === '/' ? 'page' : undefined}>
        {say('ipfs.allFiles')}
      </a>
      {crumbs.map((crumb) => (
        <span key={crumb.path} class="row">
          <span aria-hidden="true">/</span>
          <a
            class="plain-text"
            href={linkTo('ipfs', 'files', crumb.path)}
            aria-current={crumb.path === path ? 'page' : undefined}
          >
            {crumb.name.slice(0, 200)}
          </a>
        </span>
      ))}
    </nav>
  );
}

function Empty({ isTop }: { readonly isTop: boolean }): JSX.Element {
  return (
    <EmptyCard title={say(isTop ? 'ipfs.empty.title' : 'ipfs.empty.folder')}>
      <p class="soft">{say('ipfs.empty.text')}</p>
      {isTop && <p class="soft">{say('ipfs.empty.how')}</p>}
    </EmptyCard>
  );
}

type TableProps = {
  readonly path: string;
  readonly entries: readonly IpfsFileEntry[];
  readonly chosen: ReadonlySet<string>;
  readonly choose: (names: ReadonlySet<string>) => void;
  readonly state: IpfsNodeState;
};

function FileTable({ path, entries, chosen, choose, state }: TableProps): JSX.Element {
  const isAll = entries.every(({ name }) => chosen.has(name));
  return (
    <div class="table-holder">
      <table class="tree-table">
        <thead>
          <tr>
            <th class="tick">
              <input
                type="checkbox"
                aria-label={say('keys.all')}
                checked={isAll}
                indeterminate={!isAll && chosen.size > 0}
                onChange={() => choose(new Set(isAll ? [] : entries.map(({ name }) => name)))}
              />
            </th>
            <th>{say('file.name')}</th>
            <th class="number">{say('file.size')}</th>
            <th class="number wide-cell">{say('ipfs.onDisk')}</th>
            <th class="wide-cell">{say('ipfs.cid')}</th>
            <th>
              <span class="unseen">{say('ipfs.share')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.name} class={chosen.has(entry.name) ? 'chosen' : ''}>
              <td class="tick">
                <input
                  type="checkbox"
                  aria-label={entry.name.slice(0, 200)}
                  checked={chosen.has(entry.name)}
                  onChange={() => choose(chosen.symmetricDifference(new Set([entry.name])))}
                />
              </td>
              <td>
                <EntryName path={pathIn(path, entry.name)} entry={entry} />
              </td>
              <td class="number">
                {entry.kind === 'file' && entry.bytes !== null ? formatBytes(entry.bytes) : ''}
              </td>
              <td class="number wide-cell soft">{formatBytes(entry.dagBytes)}</td>
              <td class="wide-cell">
                <a class="cid" href={linkTo('ipfs', 'explore', entry.cid)} title={entry.cid}>
                  {shortCid(entry.cid)}
                </a>
              </td>
              <td class="number">
                <button
                  type="button"
                  class="button quiet icon"
                  aria-label={`${say('ipfs.share')}: ${entry.name.slice(0, 200)}`}
                  onClick={() => openShare(entry, state)}
                >
                  <Icon name="link" />
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A folder opens here; a file in a tab of its own, from the origin of content. */
function EntryName({ path, entry }: { readonly path: string; readonly entry: IpfsFileEntry }): JSX.Element {
  const { name, kind, pin } = entry;
  const isFolder = kind === 'folder';
  const link = isFolder ? linkTo('ipfs', 'files', path) : node.ipfsContentUrl(path);
  return (
    <span class="tree-name">
      <Icon name={isFolder ? 'folder' : 'file'} />
      <span>
        {kind === 'file' || isFolder ? (
          <a class="plain-text" href={link} {...(isFolder ? {} : { target: '_blank', rel: 'noreferrer' })}>
            {name.slice(0, 500)}
          </a>
        ) : (
          <>
            <span class="plain-text">{name.slice(0, 500)}</span>{' '}
            <span class="soft">{say(kind === 'link' ? 'ipfs.symlink' : 'ipfs.notHere')}</span>
          </>
        )}
        {pin !== null && (
          <span class="tag" title={say('ipfs.pinnedHint')}>
            {say('ipfs.pinned')}
          </span>
        )}
      </span>
    </span>
  );
}
