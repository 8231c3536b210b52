import type { FileSnapshot } from '@tequio/api';
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { filesIn, linesOf, openAtFirst, type TreeNode, treeOf } from '../files/file-tree.ts';
import { TreeName } from '../files/tree-name.tsx';
import { node } from '../node.ts';
import { attempt } from '../notice.ts';
import { mediaKindOf } from '../play/media-kind.ts';
import { openDialog } from '../shell/dialogs.ts';
import { Icon } from '../shell/icon.tsx';
import type { WordKey } from '../words/en.ts';
import { formatBytes, formatShare } from '../words/format.ts';
import { say } from '../words/words.ts';
import { usePolled } from './polled.ts';

const priorities: readonly { readonly value: number; readonly word: WordKey }[] = [
  { value: 0, word: 'priority.0' },
  { value: 2, word: 'priority.low' },
  { value: 4, word: 'priority.normal' },
  { value: 7, word: 'priority.high' },
];

/** So many at a time: a torrent can have a hundred thousand. */
const pageLines = 500;

export function FileTable({ id }: { readonly id: string }): JSX.Element {
  const [lineCount, setLineCount] = useState(pageLines);
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const files = usePolled(() => node.torrents.files(id), 2000, [id]);
  const root = useMemo(() => treeOf((files ?? []).filter(({ pad }) => !pad)), [files]);
  const open = useMemo(() => openAtFirst(root).symmetricDifference(turned), [root, turned]);
  if (files === null) return <p aria-busy="true" />;
  if (root.fileCount === 0) return <p class="soft">{say('file.unknown')}</p>;
  const { lines, isMore } = linesOf(root, open, lineCount);
  const hasMedia = files.some(({ path }) => mediaKindOf(path) !== null);
  return (
    <div class="stack">
      <OfferOnIpfs id={id} />
      {hasMedia && (
        <div class="row">
          <a class="button" href={node.playlistUrl(id)} download="">
            <Icon name="play" />
            {say('play.playlist')}
          </a>
          <span class="hint">{say('play.playlistHint')}</span>
        </div>
      )}
      <div class="table-holder">
        <table class="file-table">
          <thead>
            <tr>
              <th>{say('file.name')}</th>
              <th class="number">{say('file.size')}</th>
              <th class="number">{say('file.done')}</th>
              <th>{say('file.priority')}</th>
            </tr>
          </thead>
          <tbody>
            {lines.map(({ depth, node: line }) => (
              <FileLine
                key={line.kind === 'file' ? line.file.index : line.path}
                id={id}
                depth={depth}
                line={line}
                isOpen={line.kind === 'folder' && open.has(line.path)}
                turn={(path) => setTurned(turned.symmetricDifference(new Set([path])))}
              />
            ))}
          </tbody>
        </table>
      </div>
      {isMore && (
        <button type="button" class="button" onClick={() => setLineCount(lineCount + pageLines)}>
          {say('file.more')}
        </button>
      )}
    </div>
  );
}

/** The same files with an address of IPFS; they are not stored twice. */
function OfferOnIpfs({ id }: { readonly id: string }): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const offer = async (): Promise<void> => {
    setBusy(true);
    await attempt(async () => {
      const { cid, name } = await node.bridge.torrentToIpfs(id);
      const [{ openShare }, state] = await Promise.all([
        import('../ipfs/file-dialogs.tsx'),
        node.ipfs.state(),
      ]);
      openShare({ cid, name }, state);
    });
    setBusy(false);
  };
  return (
    <div class="row">
      <button type="button" class="button" disabled={isBusy} onClick={offer}>
        <Icon name="cube" />
        {say('ipfs.offer')}
      </button>
      <span class="hint">{say(isBusy ? 'ipfs.offering' : 'ipfs.offerHint')}</span>
    </div>
  );
}

type LineProps = {
  readonly id: string;
  readonly depth: number;
  readonly line: TreeNode<FileSnapshot>;
  readonly isOpen: boolean;
  readonly turn: (path: string) => void;
};

function FileLine({ id, depth, line, isOpen, turn }: LineProps): JSX.Element {
  const inside = filesIn(line);
  const bytes = inside.reduce((sum, file) => sum + file.bytes, 0);
  const doneBytes = inside.reduce((sum, file) => sum + file.doneBytes, 0);
  const isPlayable = line.kind === 'file' && mediaKindOf(line.file.path) !== null;
  return (
    <tr>
      <td>
        <div class="file-name">
          <TreeName depth={depth} line={line} isOpen={isOpen} turn={turn} />
          {isPlayable && (
            <button
              type="button"
              class="button quiet icon"
              aria-label={`${say('play.play')}: ${line.name.slice(0, 200)}`}
              onClick={() => openDialog('play', { ids: [id], file: line.file })}
            >
              <Icon name="play" />
            </button>
          )}
        </div>
      </td>
      <td class="number">{formatBytes(bytes)}</td>
      <td class="number">{formatShare(bytes === 0 ? 1 : doneBytes / bytes)}</td>
      <td>
        <PrioritySelect id={id} name={line.name} files={inside} />
      </td>
    </tr>
  );
}

/** Of one file, or of all in a folder. */
function PrioritySelect({
  id,
  name,
  files,
}: {
  readonly id: string;
  readonly name: string;
  readonly files: readonly FileSnapshot[];
}): JSX.Element {
  const values = new Set(files.map(({ priority }) => nearest(priority)));
  const [only] = values;
  const isMixed = values.size > 1;
  return (
    <select
      class="input"
      aria-label={`${say('file.priority')}: ${name.slice(0, 200)}`}
      value={isMixed ? 'mixed' : String(only)}
      onChange={(event) => {
        const indexes = files.map(({ index }) => index);
        void attempt(() => node.torrents.setFilePriorities(id, indexes, Number(event.currentTarget.value)));
      }}
    >
      {isMixed && (
        <option value="mixed" disabled>
          {say('priority.mixed')}
        </option>
      )}
      {priorities.map(({ value, word }) => (
        <option key={value} value={value}>
          {say(word)}
        </option>
      ))}
    </select>
  );
}

/** Of those that can be chosen. Not wanted is only what is not wanted at all. */
function nearest(priority: number): number {
  return priority === 0 ? 0 : priority < 4 ? 2 : priority > 4 ? 7 : 4;
}
