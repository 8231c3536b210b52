/** Paths of the system as the user gives them, taken apart: with `/`, or with `\` on Windows. */

/** The folder that a path lies in, and its last element; null when it has none (`/`, `C:\`, `..`). */
export function trySplitPath(path: string): { readonly folder: string; readonly name: string } | null {
  const isWindows = /^(?:[a-z]:[\\/]|\\\\)/i.test(path);
  const trimmed = path.replace(isWindows ? /[\\/]+$/ : /\/+$/, '');
  const at = isWindows
    ? Math.max(trimmed.lastIndexOf('/'), trimmed.lastIndexOf('\\'))
    : trimmed.lastIndexOf('/');
  const name = trimmed.slice(at + 1);
  if (at < 0 || name === '' || name === '.' || name === '..' || (isWindows && at < 2)) return null;
  // The root keeps its slash: `/` and `C:\`.
  const isRoot = at === 0 || (isWindows && at === 2);
  return { folder: trimmed.slice(0, isRoot ? at + 1 : at), name };
}

/** `name` inside `folder`. */
export function joinPath(folder: string, name: string): string {
  return /[\\/]$/.test(folder) ? folder + name : `${folder}/${name}`;
}

/** The same path without slashes at its end, which would lead through a symbolic link. */
export function plainPath(path: string): string {
  const split = trySplitPath(path);
  return split === null ? path : joinPath(split.folder, split.name);
}
