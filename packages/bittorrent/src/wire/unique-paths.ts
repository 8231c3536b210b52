/**
 * The files of a torrent under their final names: safe, all different after case folding, no file where
 * another path needs a folder, links leading to files or folders of the same torrent.
 *
 * Rules. The first file of a name keeps it; a later one, or one that is also a folder, gets the first free
 * number, where a name that any other file of the torrent has by itself is not free. Links take part like
 * files, so no path leads through a link. Pads are never written and take no names. A link's target is looked
 * up from the torrent's root (BEP 47), and if nothing is there, from the link's own folder (programs have
 * written both); other links on the way are followed, at most {@link linkStepsMax}; a target that is not in
 * the torrent makes the link an empty file. Cost: linear, also when all files have the same name (numbers
 * already tried are remembered).
 */
import { foldedPath, numberedPath, safePath } from './file-name.ts';
import type { NameChange, TorrentFile } from './torrent-info.ts';

/** Links followed on the way to one target; real chains are one or two long. */
const linkStepsMax = 16;

/** A file as the torrent lists it. */
export type ListedFile = {
  /** Below the torrent's folder, unchecked; one element for a single file. */
  readonly elements: readonly string[];
  readonly bytes: number;
  readonly pad: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  /** Elements of a link's target; null for a file. */
  readonly link: readonly string[] | null;
  readonly piecesRoot: Uint8Array | null;
};

/** @param folder the torrent's safe name, or null when the content is one file without a folder */
export function uniquePaths(
  listed: readonly ListedFile[],
  folder: string | null,
): { readonly files: TorrentFile[]; readonly changes: NameChange[] } {
  const safe = listed.map((file) => safePath(file.elements));
  const prefix = folder === null ? '' : `${folder}/`;
  const names = new NameTable();
  const keys = listed.map((file, i) => (file.pad ? '' : foldedPath(prefix + safe[i]!.text)));
  for (const key of keys) if (key !== '') names.reserve(key);
  const changes: NameChange[] = [];
  const paths = listed.map((file, i) => {
    const wished = prefix + safe[i]!.text;
    if (file.pad) return wished;
    const path = names.take(wished, keys[i]!);
    const reasons = path === wished ? safe[i]!.reasons : [...safe[i]!.reasons, 'name used twice'];
    if (reasons.length > 0)
      changes.push({
        was: file.elements.join('/'),
        is: path.slice(prefix.length),
        reason: reasons.join('; '),
      });
    return path;
  });
  const links = listed.some((file) => file.link !== null) ? new LinkTable(listed, paths, prefix) : null;
  let offset = 0;
  const files = listed.map((file, index): TorrentFile => {
    const start = offset;
    offset += file.bytes;
    const symlink = file.link === null ? null : links!.tryTarget(index);
    if (file.link !== null && symlink === null)
      changes.push({
        was: file.elements.join('/'),
        is: paths[index]!.slice(prefix.length),
        reason: 'link that leads to nothing in the torrent',
      });
    const { bytes, pad, executable, hidden, piecesRoot } = file;
    return { index, path: paths[index]!, bytes, offset: start, pad, executable, hidden, symlink, piecesRoot };
  });
  return { files, changes };
}

/** Who has which name; keys are folded. */
class NameTable {
  readonly #wished = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #taken = new Set<string>();
  readonly #lastNumbers = new Map<string, number>();

  reserve(key: string): void {
    this.#wished.add(key);
    for (let slash = key.lastIndexOf('/'); slash > 0; slash = key.lastIndexOf('/', slash - 1)) {
      const folder = key.slice(0, slash);
      // Its own parents came in with it.
      if (this.#folders.has(folder)) break;
      this.#folders.add(folder);
    }
  }

  /** @param key `path`, folded */
  take(path: string, key: string): string {
    if (!this.#taken.has(key) && !this.#folders.has(key)) {
      this.#taken.add(key);
      return path;
    }
    for (let number = (this.#lastNumbers.get(key) ?? 0) + 1; ; number++) {
      const numbered = numberedPath(path, number);
      const numberedKey = foldedPath(numbered);
      if (this.#taken.has(numberedKey) || this.#folders.has(numberedKey) || this.#wished.has(numberedKey))
        continue;
      this.#lastNumbers.set(key, number);
      this.#taken.add(numberedKey);
      return numbered;
    }
  }
}

/** Finds what links lead to, by the names that the torrent lists. */
class LinkTable {
  readonly #listed: readonly ListedFile[];
  readonly #paths: readonly string[];
  /** Listed path -> index of the file, or final path of the folder. */
  readonly #places = new Map<string, number | string>();

  constructor(listed: readonly ListedFile[], paths: readonly string[], prefix: string) {
    this.#listed = listed;
    this.#paths = paths;
    listed.forEach((file, index) => {
      if (file.pad) return;
      const elements = file.elements.filter((element) => element !== '' && element !== '.');
      for (let depth = elements.length - 1; depth > 0; depth--) {
        const key = elements.slice(0, depth).join('/');
        if (this.#places.has(key)) break;
        this.#places.set(key, prefix + safePath(elements.slice(0, depth)).text);
      }
      const key = elements.join('/');
      if (!this.#places.has(key)) this.#places.set(key, index);
    });
  }

  /** Final path of what the link `index` leads to, or null. */
  tryTarget(index: number): string | null {
    const { link, elements } = this.#listed[index]!;
    const target = this.#tryWalk(link!) ?? this.#tryWalk([...elements.slice(0, -1), ...link!]);
    // A link to a folder that it lies in would make an endless tree.
    return target === null || `${this.#paths[index]!}/`.startsWith(`${target}/`) ? null : target;
  }

  #tryWalk(target: readonly string[]): string | null {
    const rest = [...target].reverse();
    const walked: string[] = [];
    let place: number | string | undefined;
    for (let steps = 0; rest.length > 0; ) {
      const element = rest.pop()!;
      if (element === '' || element === '.') continue;
      if (typeof place === 'number') return null;
      if (element === '..') {
        if (walked.pop() === undefined) return null;
        place = this.#places.get(walked.join('/'));
        continue;
      }
      walked.push(element);
      place = this.#places.get(walked.join('/'));
      if (place === undefined) return null;
      const link = typeof place === 'number' ? this.#listed[place]!.link : null;
      if (link === null) continue;
      if (++steps > linkStepsMax) return null;
      const fromRoot = this.#places.has(link.filter((part) => part !== '' && part !== '.').join('/'));
      if (fromRoot) walked.length = 0;
      else walked.pop();
      rest.push(...[...link].reverse());
      place = undefined;
    }
    if (place === undefined) return null;
    return typeof place === 'number' ? this.#paths[place]! : place;
  }
}
