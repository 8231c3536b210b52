/**
 * The info dictionary: what a torrent is, and what its info-hashes are taken over. It comes from a torrent
 * file or, for a magnet, from peers (BEP 9); once the hash matches, whoever made the torrent is the author of
 * every lie in it.
 */
import { type Hashes, ok, type Result, toHex } from '@tequio/kernel';
import { type BencodeValue, decodeBencode } from './bencode.ts';
import { nothingLeft, safePath } from './file-name.ts';
import { metainfoLimits, refused } from './metainfo-fault.ts';
import { decodeFilesV1, type ListedFiles, tryLossyText } from './metainfo-v1.ts';
import { decodeFilesV2, mergeHybrid, withPads } from './metainfo-v2.ts';
import { blockBytes, type NameChange, type TorrentInfo } from './torrent-info.ts';
import { uniquePaths } from './unique-paths.ts';

const sha1Bytes = 20;

/**
 * Decodes a bencoded info dictionary (for magnets). The result keeps views of `infoBytes`, which must not
 * change after. Faults: `BITTORRENT_BENCODE_*`, `BITTORRENT_METAINFO_*`, blame `file`.
 */
export function decodeInfo(infoBytes: Uint8Array, hashes: Hashes): Result<TorrentInfo> {
  const value = decodeBencode(infoBytes);
  if (!value.ok) return { ok: false, fault: { ...value.fault, blame: 'file' } };
  return readInfo(value.value, hashes);
}

/** As {@link decodeInfo}, of a value that is decoded already. */
export function readInfo(info: BencodeValue, hashes: Hashes): Result<TorrentInfo> {
  if (info.kind !== 'dictionary') return refused('INFO', 'The torrent has no info dictionary.');
  const versions = decodeVersions(info);
  if (!versions.ok) return versions;
  const { isV1, isV2 } = versions.value;
  const pieceBytes = info.getInteger('piece length');
  if (pieceBytes === null || !isPieceBytes(pieceBytes, isV2))
    return refused('PIECE_LENGTH', 'The torrent has no valid piece length.');
  const rawName = tryLossyText(info.get('name.utf-8')) ?? tryLossyText(info.get('name'));
  if (rawName === null) return refused('NAME', 'The torrent has no name.');
  const listed = decodeFiles(info, rawName, pieceBytes, isV1, isV2);
  if (!listed.ok) return listed;
  const pieceCount = countPieces(listed.value, pieceBytes);
  if (!pieceCount.ok) return pieceCount;
  const pieceHashes = isV1 ? info.getBytes('pieces') : null;
  if (isV1 && pieceHashes?.length !== pieceCount.value * sha1Bytes)
    return refused('PIECES', 'The torrent does not have one hash for each of its pieces.');
  const infoHashV1 = isV1 ? hashes.sha1(info.raw) : null;
  const infoHashV2 = isV2 ? hashes.sha256(info.raw) : null;
  if (listed.value.isSingle && safePath([rawName]).reasons.includes(nothingLeft))
    return refused('NAME', 'The torrent has no name that could be used.');
  const named = nameFiles(listed.value, rawName, toHex((infoHashV1 ?? infoHashV2)!).slice(0, 2 * sha1Bytes));
  return ok({
    ...named,
    infoBytes: info.raw,
    infoHashV1,
    infoHashV2,
    pieceBytes,
    pieceCount: pieceCount.value,
    totalBytes: listed.value.files.reduce((sum, file) => sum + file.bytes, 0),
    private: (info.getInteger('private') ?? 0) !== 0,
    pieceHashes,
    source: tryShortText(info.get('source')),
    similar: decodeSimilar(info),
    collections: decodeCollections(info),
  });
}

function decodeVersions(info: BencodeValue): Result<{ readonly isV1: boolean; readonly isV2: boolean }> {
  const version = info.get('meta version') === null ? 1 : info.getInteger('meta version');
  if (version !== 1 && version !== 2)
    return refused('VERSION', 'The torrent is of a version that is not known.');
  const isV2 = version === 2;
  if (!isV2 && info.getDictionary('file tree') !== null)
    return refused('VERSION', 'The torrent has a version 2 file tree but does not say that it is version 2.');
  return ok({ isV1: !isV2 || info.get('pieces') !== null, isV2 });
}

function isPieceBytes(pieceBytes: number, isV2: boolean): boolean {
  if (pieceBytes > metainfoLimits.pieceBytesMax) return false;
  // A power of two below 2^31 has one bit.
  return isV2
    ? pieceBytes >= blockBytes && (pieceBytes & (pieceBytes - 1)) === 0
    : pieceBytes >= metainfoLimits.pieceBytesMin;
}

function decodeFiles(
  info: BencodeValue,
  name: string,
  pieceBytes: number,
  isV1: boolean,
  isV2: boolean,
): Result<ListedFiles> {
  if (!isV2) return decodeFilesV1(info, name);
  const v2 = decodeFilesV2(info, name);
  if (!v2.ok) return v2;
  if (!isV1) return ok({ ...v2.value, files: withPads(v2.value.files, pieceBytes, true) });
  const v1 = decodeFilesV1(info, name);
  return v1.ok ? mergeHybrid(v1.value, v2.value, pieceBytes) : v1;
}

function countPieces(listed: ListedFiles, pieceBytes: number): Result<number> {
  let totalBytes = 0;
  for (const file of listed.files) {
    totalBytes += file.bytes;
    if (totalBytes > metainfoLimits.pieceCountMax * pieceBytes)
      return refused('PIECE_COUNT', `The torrent has more than ${metainfoLimits.pieceCountMax} pieces.`);
  }
  if (totalBytes === 0) return refused('EMPTY', 'The torrent has no content.');
  return ok(Math.ceil(totalBytes / pieceBytes));
}

/** @param hashText stands for a folder's name of which nothing is left */
function nameFiles(
  listed: ListedFiles,
  rawName: string,
  hashText: string,
): Pick<TorrentInfo, 'name' | 'files' | 'nameChanges'> {
  const safe = safePath([rawName]);
  const name = safe.reasons.includes(nothingLeft) ? hashText : safe.text;
  const nameChanges: NameChange[] =
    name === rawName ? [] : [{ was: rawName, is: name, reason: safe.reasons.join('; ') }];
  if (!listed.isSingle) {
    const { files, changes } = uniquePaths(listed.files, name);
    return { name, files, nameChanges: [...nameChanges, ...changes] };
  }
  // The one file bears the torrent's name; a pad behind it would lie in a folder of that name.
  const single = listed.files.map((file) => ({
    ...file,
    elements: file.pad ? [name, ...file.elements] : [name],
  }));
  const { files, changes } = uniquePaths(single, null);
  return { name, files, nameChanges: [...nameChanges, ...changes] };
}

/** BEP 38: info-hashes of torrents that probably share files with this one. Also read from beside `info`. */
export function decodeSimilar(dictionary: BencodeValue): readonly Uint8Array[] {
  const items = dictionary.getItems('similar') ?? [];
  return items
    .slice(0, metainfoLimits.similarCountMax)
    .map((item) => item.tryBytes())
    .filter((bytes) => bytes !== null)
    .filter((bytes) => bytes.length === sha1Bytes);
}

/** BEP 38: names of collections that this torrent belongs to. Also read from beside `info`. */
export function decodeCollections(dictionary: BencodeValue): readonly string[] {
  const items = dictionary.getItems('collections') ?? [];
  return items
    .slice(0, metainfoLimits.similarCountMax)
    .map(tryShortText)
    .filter((text) => text !== null);
}

/** A text of a length that is worth showing; U+FFFD for what is not UTF-8. */
export function tryShortText(value: BencodeValue | null): string | null {
  const bytes = value?.tryBytes() ?? null;
  return bytes === null || bytes.length > metainfoLimits.textBytesMax ? null : tryLossyText(value);
}
