import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { filesIn, linesOf, openAtFirst, type TreeFile, type TreeNode, treeOf } from '../files/file-tree.ts';
import { TreeName } from '../files/tree-name.tsx';
import { formatBytes } from '../words/format.ts';
import { say } from '../words/words.ts';

/** So many at a time. */
const pageLines = 300;

type Props = {
  readonly files: readonly TreeFile[];
  readonly unwanted: ReadonlySet<number>;
  readonly change: (unwanted: ReadonlySet<number>) => void;
};

/** What is in a torrent, file by file, to choose from; a folder stands for all that is in it. */
export function Content({ files, unwanted, change }: Props): JSX.Element {
  const [lineCount, setLineCount] = useState(pageLines);
  const root = useMemo(() => treeOf(files), [files]);
  const [open, setOpen] = useState<ReadonlySet<string>>(() => openAtFirst(root));
  const { lines, isMore } = linesOf(root, open, lineCount);
  return (
    <div class="add-files">
      <ul aria-label={say('detail.files')}>
        {lines.map(({ depth, node }) => (
          <li key={node.kind === 'file' ? node.file.index : node.path} class="add-file">
            <Wanted node={node} unwanted={unwanted} change={change} />
            <TreeName
              depth={depth}
              line={node}
              isOpen={node.kind === 'folder' && open.has(node.path)}
              turn={(path) => setOpen(open.symmetricDifference(new Set([path])))}
            />
            <span class="soft add-size">
              {formatBytes(node.kind === 'file' ? node.file.bytes : node.bytes)}
            </span>
          </li>
        ))}
      </ul>
      {isMore && (
        <button type="button" class="button" onClick={() => setLineCount(lineCount + pageLines)}>
          {say('file.more')}
        </button>
      )}
    </div>
  );
}

type WantedProps = {
  readonly node: TreeNode<TreeFile>;
  readonly unwanted: ReadonlySet<number>;
  readonly change: (unwanted: ReadonlySet<number>) => void;
};

function Wanted({ node, unwanted, change }: WantedProps): JSX.Element {
  const indexes = filesIn(node).map(({ index }) => index);
  const wantedCount = indexes.filter((index) => !unwanted.has(index)).length;
  const turn = (): void => {
    const these = new Set(indexes);
    change(wantedCount === indexes.length ? unwanted.union(these) : unwanted.difference(these));
  };
  return (
    <input
      type="checkbox"
      aria-label={node.name.slice(0, 200)}
      checked={wantedCount === indexes.length}
      indeterminate={wantedCount > 0 && wantedCount < indexes.length}
      onChange={turn}
    />
  );
}
