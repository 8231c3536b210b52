/**
 * Where a torrent's bytes lie on a web seed (BEP 19): pieces to files, files to URLs.
 *
 * A torrent of one file without folder: the URL is the file's, or, when it ends with `/`, the file's folder. Otherwise
 * the URL is the folder that holds the torrent's folder. Path elements are percent-encoded one by one, as they stood in
 * the torrent before unsafe names were changed (the server has those names); elements `.` and `..` would climb out of
 * the URL, so such files are not asked for. Pad files are zeros and need no server.
 */
import type { TorrentFile, TorrentInfo } from '../wire/torrent-info.ts';
import type { CheckedUrl } from './url-rules.ts';

/** What a web seed needs to know of a torrent. */
export type WebSeedInfo = Pick<
  TorrentInfo,
  'files' | 'pieceBytes' | 'pieceCount' | 'totalBytes' | 'nameChanges'
>;

/** A part of a run inside one file. */
export type WebSeedSegment = {
  readonly file: TorrentFile;
  /** Within the file. */
  readonly offset: number;
  readonly bytes: number;
};

export class WebSeedMap {
  readonly #info: WebSeedInfo;
  readonly #url: CheckedUrl;
  readonly #isSingle: boolean;

  constructor(url: CheckedUrl, info: WebSeedInfo) {
    this.#url = url;
    this.#info = info;
    const real = info.files.filter((file) => !file.pad);
    this.#isSingle = real.length === 1 && !real[0]!.path.includes('/');
  }

  /** The file part at linear byte `at`, at most `bytesMax` long. */
  segmentAt(at: number, bytesMax: number): WebSeedSegment {
    const { files } = this.#info;
    let [low, high] = [0, files.length - 1];
    // The last file that begins at or before `at`, and so the one after any empty files there.
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (files[middle]!.offset <= at) low = middle;
      else high = middle - 1;
    }
    const file = files[low]!;
    const offset = at - file.offset;
    return { file, offset, bytes: Math.min(bytesMax, file.bytes - offset) };
  }

  /** Pieces that hold bytes of a file: first and last. */
  piecesOf(file: TorrentFile): readonly [number, number] {
    const { pieceBytes } = this.#info;
    const end = file.offset + Math.max(1, file.bytes);
    return [Math.floor(file.offset / pieceBytes), Math.ceil(end / pieceBytes) - 1];
  }

  /** The URL of a file, or null when its name cannot stand in one. */
  tryUrlOf(file: TorrentFile): string | null {
    const { href, path, query } = this.#url;
    if (this.#isSingle && !path.endsWith('/')) return href;
    const original = this.#info.nameChanges.find((change) => change.is === file.path)?.was ?? file.path;
    const elements = original.split('/');
    if (elements.some((element) => element === '' || element === '.' || element === '..')) return null;
    const encoded = elements.map(tryEncodeElement);
    if (encoded.includes(null)) return null;
    const base = href.slice(0, href.length - query.length);
    return `${base}${base.endsWith('/') ? '' : '/'}${encoded.join('/')}${query}`;
  }
}

/** Percent-encodes one path element; null for text that is not well-formed Unicode. */
function tryEncodeElement(element: string): string | null {
  try {
    return encodeURIComponent(element);
  } catch {
    return null;
  }
}
