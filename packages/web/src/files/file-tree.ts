/**
 * The files of a torrent as a tree of folders, and the part of it that is open as lines of a table. Paths are a
 * stranger's: whatever they are, the work is the number of files times a small depth.
 */

export type TreeFile = { readonly index: number; readonly path: string; readonly bytes: number };

export type TreeFolder<File extends TreeFile> = {
  readonly kind: 'folder';
  readonly name: string;
  /** From the root, with `/` at its end; the root's is empty. */
  readonly path: string;
  readonly children: TreeNode<File>[];
  bytes: number;
  fileCount: number;
};
export type TreeLeaf<File extends TreeFile> = {
  readonly kind: 'file';
  readonly name: string;
  readonly file: File;
};
export type TreeNode<File extends TreeFile> = TreeFolder<File> | TreeLeaf<File>;

export type TreeLine<File extends TreeFile> = { readonly depth: number; readonly node: TreeNode<File> };

/** What lies deeper is shown as one name with `/` in it. */
const depthMax = 24;

export function treeOf<File extends TreeFile>(files: Iterable<File>): TreeFolder<File> {
  const root = makeFolder<File>('', '');
  const folders = new Map<string, TreeFolder<File>>([['', root]]);
  for (const file of files) {
    const parts = file.path.split('/');
    const cut = Math.min(parts.length - 1, depthMax);
    let folder = root;
    count(folder, file);
    for (const part of parts.slice(0, cut)) {
      const path = `${folder.path}${part}/`;
      let next = folders.get(path);
      if (next === undefined) {
        next = makeFolder(part, path);
        folders.set(path, next);
        folder.children.push(next);
      }
      folder = next;
      count(folder, file);
    }
    folder.children.push({ kind: 'file', name: parts.slice(cut).join('/'), file });
  }
  return root;
}

function makeFolder<File extends TreeFile>(name: string, path: string): TreeFolder<File> {
  return { kind: 'folder', name, path, children: [], bytes: 0, fileCount: 0 };
}

function count<File extends TreeFile>(folder: TreeFolder<File>, file: File): void {
  folder.bytes += file.bytes;
  folder.fileCount++;
}

/** Folders that are open at first: down to where there is a choice, unless that would fill the screen. */
export function openAtFirst<File extends TreeFile>(root: TreeFolder<File>, linesMax = 100): Set<string> {
  const open = new Set<string>();
  let lines = root.children.length;
  let level = root.children.filter(isFolder);
  while (level.length > 0) {
    const next: TreeFolder<File>[] = [];
    for (const folder of level) {
      if (lines + folder.children.length > linesMax) continue;
      lines += folder.children.length;
      open.add(folder.path);
      next.push(...folder.children.filter(isFolder));
    }
    level = next;
  }
  return open;
}

/** Those lines that can be seen when these folders are open, folders of a level first; at most so many. */
export function linesOf<File extends TreeFile>(
  root: TreeFolder<File>,
  open: ReadonlySet<string>,
  linesMax: number,
): { readonly lines: readonly TreeLine<File>[]; readonly isMore: boolean } {
  const lines: TreeLine<File>[] = [];
  const stack: TreeLine<File>[] = below(root, 0);
  for (let line = stack.pop(); line !== undefined; line = stack.pop()) {
    if (lines.length === linesMax) return { lines, isMore: true };
    lines.push(line);
    if (line.node.kind === 'folder' && open.has(line.node.path)) {
      for (const child of below(line.node, line.depth + 1)) stack.push(child);
    }
  }
  return { lines, isMore: false };
}

/** The last first, for a stack. */
function below<File extends TreeFile>(folder: TreeFolder<File>, depth: number): TreeLine<File>[] {
  const folders = folder.children.filter(isFolder);
  const files = folder.children.filter((child) => child.kind === 'file');
  return [...folders, ...files].map((node) => ({ depth, node })).reverse();
}

/** All files in it, however deep. */
export function filesIn<File extends TreeFile>(node: TreeNode<File>): File[] {
  const files: File[] = [];
  const stack = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.kind === 'file') files.push(next.file);
    else for (const child of next.children) stack.push(child);
  }
  return files;
}

function isFolder<File extends TreeFile>(node: TreeNode<File>): node is TreeFolder<File> {
  return node.kind === 'folder';
}
