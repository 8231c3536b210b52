/** The v1 part of an info dictionary (BEP 3, BEP 47): one file of `length`, or the list `files`. */
import { decodeUtf8Lossy, ok, type Result } from '@tequio/kernel';
import type { BencodeValue } from './bencode.ts';
import { metainfoLimits, refused } from './metainfo-fault.ts';
import type { ListedFile } from './unique-paths.ts';

/** Pad files of programs that knew no attributes begin like this (BitComet, 2006). */
export const padNamePrefix = '_____padding_file_';

export type ListedFiles = {
  readonly files: readonly ListedFile[];
  /** The content is one file that bears the torrent's name, without a folder. */
  readonly isSingle: boolean;
};

/** @param name the torrent's name as it stands */
export function decodeFilesV1(info: BencodeValue, name: string): Result<ListedFiles> {
  const list = info.getItems('files');
  if (list === null) {
    const file = decodeFile(info, [name]);
    return file.ok ? ok({ files: [file.value], isSingle: true }) : file;
  }
  const files: ListedFile[] = [];
  for (const entry of list) {
    const elements = tryElements(entry.get('path.utf-8')) ?? tryElements(entry.get('path'));
    if (elements === null) return refused('PATH', 'A file of the torrent has no valid path.');
    const file = decodeFile(entry, elements);
    if (!file.ok) return file;
    files.push(file.value);
  }
  return ok({ files, isSingle: false });
}

/**
 * A path's elements, with U+FFFD for what is not UTF-8; null when it is no list of 1 to {@link
 * metainfoLimits.pathDepthMax} strings.
 */
export function tryElements(value: BencodeValue | null): string[] | null {
  const items = value?.tryItems() ?? null;
  if (items === null || items.length === 0 || items.length > metainfoLimits.pathDepthMax) return null;
  const elements: string[] = [];
  for (const item of items) {
    const text = tryLossyText(item);
    if (text === null) return null;
    elements.push(text);
  }
  return elements;
}

/** Text of a string, with U+FFFD for what is not UTF-8. */
export function tryLossyText(value: BencodeValue | null): string | null {
  const bytes = value?.tryBytes() ?? null;
  return bytes === null ? null : (value!.tryText() ?? decodeUtf8Lossy(bytes));
}

/** Length and attributes of one file; links have no length whatever they say. */
function decodeFile(entry: BencodeValue, elements: readonly string[]): Result<ListedFile> {
  const attributes = tryLossyText(entry.get('attr')) ?? '';
  const isLink = attributes.includes('l');
  const bytes = isLink ? 0 : entry.getInteger('length');
  if (bytes === null || bytes < 0) return refused('LENGTH', 'A file of the torrent has no valid length.');
  return ok({
    elements,
    bytes,
    pad: !isLink && (attributes.includes('p') || elements[elements.length - 1]!.startsWith(padNamePrefix)),
    executable: attributes.includes('x'),
    hidden: attributes.includes('h'),
    link: isLink ? (tryElements(entry.get('symlink path')) ?? []) : null,
    piecesRoot: null,
  });
}
