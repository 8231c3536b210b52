import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeApi } from '@tequio/api';

export type SampleTorrent = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The .torrent on the disk. */
  readonly file: string;
  readonly infoHash: string;
  readonly magnet: string;
  /** Holds `sample/a.bin`, `sample/b.mkv` and `sample/in/c.txt`. */
  readonly folder: string;
  remove(): void;
};

const sizes: Readonly<Record<string, number>> = { 'a.bin': 40_000, 'b.mkv': 90_000, 'in/c.txt': 1_000 };

/** A v1 torrent of three files and two tiers of trackers, made by the node itself. */
export async function makeSample(node: NodeApi, name = 'sample'): Promise<SampleTorrent> {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-compat-'));
  mkdirSync(join(folder, name, 'in'), { recursive: true });
  for (const [path, bytes] of Object.entries(sizes))
    writeFileSync(join(folder, name, path), new Uint8Array(bytes).fill(path.length));
  const bytes = await node.bittorrent.create({
    path: join(folder, name),
    version: 'v1',
    pieceBytes: 16_384,
    trackers: [['http://127.0.0.1:9/announce'], ['udp://127.0.0.1:9/announce']],
    comment: 'a comment',
    createdBy: 'tester',
    createdAt: 1_600_000_000,
  });
  const file = join(folder, `${name}.torrent`);
  writeFileSync(file, bytes);
  const { infoHashV1, magnet } = node.bittorrent.show({ torrent: bytes });
  return {
    bytes: new Uint8Array(bytes),
    file,
    infoHash: infoHashV1!,
    magnet,
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
