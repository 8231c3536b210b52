/**
 * The v2 part of a torrent (BEP 52): the file tree, the linear space that we lay it out in, the agreement of
 * a hybrid's two halves, and the piece layers.
 */
import { bytesEqual, decodeUtf8Lossy, type Hashes, ok, type Result, toHex } from '@tequio/kernel';
import type { BencodeValue } from './bencode.ts';
import { nodeBytes, pieceLayerMatches } from './merkle.ts';
import { metainfoLimits, refused } from './metainfo-fault.ts';
import { type ListedFiles, tryElements, tryLossyText } from './metainfo-v1.ts';
import type { TorrentInfo } from './torrent-info.ts';
import type { ListedFile } from './unique-paths.ts';

const noRoot = new Uint8Array(nodeBytes);

/**
 * The files of `file tree`, in its order, without pads. Names must rise strictly by their bytes in every
 * folder: the order is the order of the files, so two programs that sorted differently would disagree about
 * every piece.
 */
export function decodeFilesV2(info: BencodeValue, name: string): Result<ListedFiles> {
  const tree = info.getDictionary('file tree');
  if (tree === null) return refused('TREE', 'The torrent says that it is version 2 but has no file tree.');
  const files: ListedFile[] = [];
  // Folders still to be read, the next one last. The bencode decoder has limited their depth.
  const open: { readonly elements: readonly string[]; readonly node: BencodeValue }[] = [
    { elements: [], node: tree },
  ];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const { elements, node } = folder;
    const entries = node.tryEntries();
    if (entries === null || !node.isSorted())
      return refused('TREE', 'The file tree of the torrent is not in order.');
    if (entries[0]?.key.length === 0) {
      if (entries.length !== 1 || elements.length === 0)
        return refused('TREE', 'The file tree of the torrent has something that is both file and folder.');
      const file = decodeFile(entries[0].value, elements);
      if (!file.ok) return file;
      files.push(file.value);
      continue;
    }
    if (elements.length >= metainfoLimits.pathDepthMax)
      return refused('PATH', 'The folders of the torrent are nested too deeply.');
    for (const entry of entries.reverse())
      open.push({ elements: [...elements, decodeUtf8Lossy(entry.key)], node: entry.value });
  }
  if (!rootsAgree(files)) return refused('ROOT', 'Two files of different length have the same root hash.');
  const isSingle = files.length === 1 && files[0]!.elements.length === 1 && files[0]!.elements[0] === name;
  return ok({ files, isSingle });
}

function decodeFile(entry: BencodeValue, elements: readonly string[]): Result<ListedFile> {
  const attributes = tryLossyText(entry.get('attr')) ?? '';
  if (attributes.includes('p')) return refused('PAD', 'A version 2 torrent must not list pad files.');
  const bytes = entry.getInteger('length');
  const isLink = attributes.includes('l');
  if (!isLink && (bytes === null || bytes < 0))
    return refused('LENGTH', 'A file of the torrent has no valid length.');
  const root = entry.getBytes('pieces root');
  const hasRoot = root !== null && root.length === nodeBytes && !bytesEqual(root, noRoot);
  // A link of some length is a contradiction; without a root it cannot be read as a file either.
  if (bytes !== null && bytes !== 0 && !hasRoot)
    return refused('ROOT', 'A file of the torrent has no valid root hash.');
  return ok({
    elements,
    bytes: isLink ? 0 : bytes!,
    pad: false,
    executable: attributes.includes('x'),
    hidden: attributes.includes('h'),
    link: isLink ? (tryElements(entry.get('symlink path')) ?? []) : null,
    piecesRoot: !isLink && bytes !== 0 ? root : null,
  });
}

/**
 * Files with one root are one content: of two lengths, one would be looked up with the other's piece layer.
 */
function rootsAgree(files: readonly ListedFile[]): boolean {
  const bytesByRoot = new Map<string, number>();
  return files.every(({ piecesRoot, bytes }) => {
    if (piecesRoot === null) return true;
    const root = toHex(piecesRoot);
    const known = bytesByRoot.get(root);
    bytesByRoot.set(root, bytes);
    return known === undefined || known === bytes;
  });
}

/**
 * The same files with a pad behind each that does not end at the end of a piece. Behind the last one with
 * content too in a torrent that is v2 only (libtorrent counts it so, and lets the last request reach into
 * it); in a hybrid when v1 has it.
 */
export function withPads(files: readonly ListedFile[], pieceBytes: number, padTail: boolean): ListedFile[] {
  let last = files.length - 1;
  while (last >= 0 && files[last]!.bytes === 0) last--;
  const padded: ListedFile[] = [];
  files.forEach((file, i) => {
    padded.push(file);
    const over = file.bytes % pieceBytes;
    if (over !== 0 && (i < last || padTail)) padded.push(padOf(pieceBytes - over));
  });
  return padded;
}

function padOf(bytes: number): ListedFile {
  return {
    elements: ['.pad', String(bytes)],
    bytes,
    pad: true,
    executable: false,
    hidden: false,
    link: null,
    piecesRoot: null,
  };
}

/**
 * The files of a hybrid: those of the tree, once the v1 list is found to say the same: the same files under
 * the same names in the same order, each with content at the start of a piece, nothing between but pads. An
 * attacker who makes the halves differ would give v1 and v2 peers different content under one torrent.
 */
export function mergeHybrid(v1: ListedFiles, v2: ListedFiles, pieceBytes: number): Result<ListedFiles> {
  const differ = refused(
    'HYBRID',
    'The version 1 and version 2 halves of the torrent do not describe the same files.',
  );
  if (v1.isSingle && v2.files.length !== 1) return differ;
  const ahead = v2.files.values();
  let offset = 0;
  let contentEnd = 0;
  for (const file of v1.files) {
    const start = offset;
    offset += file.bytes;
    if (file.pad) continue;
    const twin = ahead.next().value;
    if (twin === undefined || !isSameFile(file, twin)) return differ;
    if (file.bytes === 0) continue;
    if (start % pieceBytes !== 0) return differ;
    contentEnd = offset;
    // Whatever pads follow must reach the next piece exactly: `start` of the next file with content proves
    // it.
  }
  if (ahead.next().done !== true) return differ;
  const padTail = offset > contentEnd;
  if (padTail && offset !== Math.ceil(contentEnd / pieceBytes) * pieceBytes) return differ;
  const files = withPads(v2.files, pieceBytes, padTail);
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return totalBytes === offset ? ok({ files, isSingle: v1.isSingle }) : differ;
}

function isSameFile(a: ListedFile, b: ListedFile): boolean {
  return (
    a.bytes === b.bytes &&
    (a.link === null) === (b.link === null) &&
    a.elements.length === b.elements.length &&
    a.elements.every((element, i) => element === b.elements[i])
  );
}

/**
 * The piece layers beside `info`. Each must belong to a file, have a hash for each of its pieces, and lead to
 * its root: a file whose own parts contradict one another is refused, for nobody can tell which part is
 * wrong. Layers that are missing can be had from peers. Cost: one SHA-256 a piece.
 */
export function decodePieceLayers(
  torrent: BencodeValue,
  info: TorrentInfo,
  hashes: Hashes,
): Result<ReadonlyMap<string, Uint8Array>> {
  const layers = new Map<string, Uint8Array>();
  const entries = torrent.getDictionary('piece layers')?.tryEntries() ?? [];
  if (info.infoHashV2 === null || entries.length === 0) return ok(layers);
  const wrong = refused(
    'LAYER',
    'A piece layer of the torrent does not belong to any of its files, or is damaged.',
  );
  const bytesByRoot = new Map<string, number>();
  for (const file of info.files)
    if (file.piecesRoot !== null) bytesByRoot.set(toHex(file.piecesRoot), file.bytes);
  for (const { key, value } of entries) {
    const root = toHex(key);
    const fileBytes = bytesByRoot.get(root);
    const layer = value.tryBytes();
    if (fileBytes === undefined || layer === null) return wrong;
    // A file of one piece needs no layer: its root says everything.
    if (fileBytes <= info.pieceBytes) continue;
    if (layer.length !== Math.ceil(fileBytes / info.pieceBytes) * nodeBytes) return wrong;
    if (!layers.has(root) && !pieceLayerMatches(hashes, layer, info.pieceBytes, key)) return wrong;
    layers.set(root, layer);
  }
  return ok(layers);
}
