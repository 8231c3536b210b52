/**
 * What a full check of a torrent's content found, file by file.
 *
 * Rules. A piece is good when all that the torrent says of it holds: its SHA-1 (v1), its merkle root (v2),
 * both (hybrid). A piece that needs bytes of a file that is missing, too short or unreadable is bad without
 * being read. A v2 file whose piece layer is not known (the torrent came by magnet) is proven as a whole: all
 * its pieces are good or none is. In v1 a piece may hold several files: a bad one counts against each of
 * them, for nobody can tell which of them is wrong; so a file beside a missing one can be `wrong` with only
 * its edge pieces bad. A file that is longer than it should be is read up to its length and is `long` when
 * that much is right.
 */
import {
  Bitfield,
  bytesEqual,
  type DigestRequest,
  type DiskFaultCode,
  type DiskResult,
  type Hashes,
  toHex,
} from '@tequio/kernel';
import type { VerifyReport } from '../contract.ts';
import { merkleRoot, nodeBytes, pieceLayerHeight } from '../wire/merkle.ts';
import type { Metainfo } from '../wire/torrent-info.ts';
import { ContentLayout, type ContentPiece } from './content-layout.ts';

type FileReport = VerifyReport['files'][number];

/** What stands where a file should be. */
export type FoundFile =
  | { readonly kind: 'file'; readonly bytes: number }
  | { readonly kind: 'missing' | 'not-a-file' | 'unreadable' };

const sha1Bytes = 20;

export class Verification {
  readonly layout: ContentLayout;
  readonly #metainfo: Pick<Metainfo, 'info' | 'pieceLayers'>;
  readonly #hashes: Hashes;
  readonly #found: FoundFile[];
  readonly #good: Bitfield;
  /** Piece roots of v2 files without a piece layer, by file. */
  readonly #rootsByFile = new Map<number, Uint8Array>();

  /** @param found one for each file of the torrent, in order; pads and links are not looked at */
  constructor(metainfo: Pick<Metainfo, 'info' | 'pieceLayers'>, found: readonly FoundFile[], hashes: Hashes) {
    const { info } = metainfo;
    this.#metainfo = metainfo;
    this.#hashes = hashes;
    this.#found = [...found];
    this.layout = new ContentLayout(info.files, info.pieceBytes, {
      isV1: info.infoHashV1 !== null,
      isV2: info.infoHashV2 !== null,
    });
    this.#good = new Bitfield(this.layout.pieceCount);
  }

  /** Bytes of content, without pads. */
  get contentBytes(): number {
    return this.#metainfo.info.files.reduce((sum, file) => sum + (file.pad ? 0 : file.bytes), 0);
  }

  /** What to read and hash for a piece; null when that is in vain. */
  tryJobOf(piece: number): { readonly piece: ContentPiece; readonly digest: DigestRequest } | null {
    const content = this.layout.pieceOf(piece);
    for (const { file, offset, bytes } of content.spans)
      if (file !== null && !this.#holds(file, offset + bytes)) return null;
    const sha1 = this.#expectedSha1(piece);
    const { tree } = content;
    return {
      piece: content,
      digest: {
        sha1: sha1 !== null,
        merkle: tree === null ? null : { leafCount: tree.leafCount, bytes: tree.bytes },
        stream: null,
        expect: { sha1, root: tree === null ? null : this.#expectedRoot(piece, tree.file) },
      },
    };
  }

  /** The result of a job. @param faultFile the file that a failed job names */
  handleResult(piece: number, result: DiskResult, faultFile: number | null): void {
    if (!result.ok) {
      if (faultFile !== null) this.#markUnreadable(faultFile, result.fault.code);
      return;
    }
    const root = result.digests?.root ?? null;
    const { tree } = this.layout.pieceOf(piece);
    if (tree !== null && root !== null && this.#expectedRoot(piece, tree.file) === null)
      this.#keepRoot(piece, tree.file, root);
    if (result.digests?.matched === true) this.#good.set(piece);
  }

  /** Once, after the last result. */
  report(): VerifyReport {
    for (const [file, roots] of this.#rootsByFile) this.#proveWhole(file, roots);
    const { files } = this.#metainfo.info;
    const reports = files
      .filter((file) => !file.pad && file.symlink === null)
      .map((file) => this.#reportOf(file.index));
    return {
      ok: this.#good.isFull && reports.every((file) => file.state === 'good'),
      pieceCount: this.layout.pieceCount,
      goodPieceCount: this.#good.setCount,
      files: reports,
    };
  }

  #holds(file: number, bytes: number): boolean {
    const found = this.#found[file]!;
    return found.kind === 'file' && found.bytes >= bytes;
  }

  #expectedSha1(piece: number): Uint8Array | null {
    return this.#metainfo.info.pieceHashes?.subarray(piece * sha1Bytes, (piece + 1) * sha1Bytes) ?? null;
  }

  /** Null when only the root of the whole file is known. */
  #expectedRoot(piece: number, file: number): Uint8Array | null {
    const { pieceBytes, files } = this.#metainfo.info;
    const { piecesRoot, bytes } = files[file]!;
    if (bytes <= pieceBytes) return piecesRoot;
    const layer = this.#metainfo.pieceLayers.get(toHex(piecesRoot!));
    const at = (piece - this.layout.piecesOf(file)!.first) * nodeBytes;
    return layer?.subarray(at, at + nodeBytes) ?? null;
  }

  #keepRoot(piece: number, file: number, root: Uint8Array): void {
    const { first, last } = this.layout.piecesOf(file)!;
    let roots = this.#rootsByFile.get(file);
    if (roots === undefined)
      this.#rootsByFile.set(file, (roots = new Uint8Array((last - first + 1) * nodeBytes)));
    roots.set(root, (piece - first) * nodeBytes);
  }

  /** A piece that could not be read has left zeros among the roots, which lead to no file's root. */
  #proveWhole(file: number, roots: Uint8Array): void {
    const { pieceBytes, files } = this.#metainfo.info;
    const root = merkleRoot(this.#hashes, roots, pieceLayerHeight(pieceBytes));
    if (bytesEqual(root, files[file]!.piecesRoot!)) return;
    const { first, last } = this.layout.piecesOf(file)!;
    for (let piece = first; piece <= last; piece++) this.#good.clear(piece);
  }

  #markUnreadable(file: number, code: DiskFaultCode): void {
    // It was there and long enough when its size was taken.
    if (code === 'missing') this.#found[file] = { kind: 'file', bytes: 0 };
    else this.#found[file] = { kind: code === 'not-a-file' ? code : 'unreadable' };
  }

  #reportOf(file: number): FileReport {
    const { path, bytes } = this.#metainfo.info.files[file]!;
    const pieces = this.layout.piecesOf(file);
    const badPieces: number[] = [];
    let goodBytes = 0;
    for (let piece = pieces?.first ?? 0; pieces !== null && piece <= pieces.last; piece++) {
      if (this.#good.has(piece)) goodBytes += this.layout.bytesInPiece(file, piece);
      else badPieces.push(piece);
    }
    return { path, bytes, state: this.#stateOf(file, bytes, badPieces.length), badPieces, goodBytes };
  }

  #stateOf(file: number, bytes: number, badPieceCount: number): FileReport['state'] {
    const found = this.#found[file]!;
    if (found.kind !== 'file') return found.kind;
    if (found.bytes < bytes) return 'short';
    if (badPieceCount > 0) return 'wrong';
    return found.bytes > bytes ? 'long' : 'good';
  }
}
