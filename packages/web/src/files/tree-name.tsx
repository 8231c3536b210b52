import type { JSX } from 'preact';
import { Icon } from '../shell/icon.tsx';
import { formatBytes } from '../words/format.ts';
import { say } from '../words/words.ts';
import type { TreeFile, TreeNode } from './file-tree.ts';

type Props<File extends TreeFile> = {
  readonly depth: number;
  readonly line: TreeNode<File>;
  readonly isOpen: boolean;
  /** Opens a folder, or closes it. */
  readonly turn: (path: string) => void;
};

/** A file's name, or a folder's, which opens it. */
export function TreeName<File extends TreeFile>({ depth, line, isOpen, turn }: Props<File>): JSX.Element {
  const place = { paddingInlineStart: `${depth * 18}px` };
  const name = line.name.slice(0, 500);
  if (line.kind === 'file') {
    return (
      <span class="tree-name" style={place}>
        <Icon name="file" />
        <span class="plain-text">{name}</span>
      </span>
    );
  }
  return (
    <button
      type="button"
      class="tree-name"
      style={place}
      aria-expanded={isOpen}
      title={say('add.files', { n: line.fileCount, size: formatBytes(line.bytes) })}
      onClick={() => turn(line.path)}
    >
      <Icon name={isOpen ? 'folderOpen' : 'folder'} />
      <span class="plain-text">{name}</span>
    </button>
  );
}
