/**
 * Absolute paths as text, by the rules of both families of systems: `/` separates everywhere; `\` besides when the
 * path starts as Windows paths do. Nothing here looks at a disk.
 */

/** `/a/b` -> `/a`; `C:\a` -> `C:\`. The root is its own parent. */
export function parentFolder(path: string): string {
  const at = lastSeparator(path);
  const rootLength = rootOf(path).length;
  return at < rootLength ? path.slice(0, rootLength) : path.slice(0, at);
}

/** `/a/b.torrent` -> `b.torrent`; empty for a root. */
export function baseName(path: string): string {
  return path.slice(Math.max(lastSeparator(path) + 1, rootOf(path).length));
}

/** `name` (no separator needed) below `folder`. */
export function joinPath(folder: string, name: string): string {
  const separator = isWindowsPath(folder) ? '\\' : '/';
  return folder.endsWith('/') || folder.endsWith(separator) ? folder + name : folder + separator + name;
}

function isWindowsPath(path: string): boolean {
  return /^(?:[A-Za-z]:|\\\\)/.test(path);
}

function rootOf(path: string): string {
  return /^(?:[A-Za-z]:[\\/]|\\\\[^\\/]+[\\/][^\\/]+[\\/]?|\/)/.exec(path)?.[0] ?? '';
}

function lastSeparator(path: string): number {
  return isWindowsPath(path)
    ? Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
    : path.lastIndexOf('/');
}
