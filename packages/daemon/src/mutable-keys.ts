/** Keys of torrents that change (BEP 46), in the data folder: whoever has one can say what its link leads to. */
import { join } from 'node:path';
import type { MutableKeys } from '@tequio/api';
import { encodeMutableLink, tryDecodeMutableLink } from '@tequio/bittorrent';
import {
  type Entropy,
  encodeUtf8,
  type FilesPort,
  NodeError,
  type Signatures,
  toHex,
  tryDecodeUtf8,
  tryFromHex,
} from '@tequio/kernel';

const keyFileBytesMax = 1000;
/** File systems take names of 255 bytes. */
const nameLengthMax = 200;

export function createMutableKeys(
  dataFolder: string,
  ports: { readonly files: FilesPort; readonly entropy: Entropy; readonly signatures: Signatures },
): MutableKeys {
  const { files, entropy, signatures } = ports;
  return {
    async key(name, salt = new Uint8Array(0)) {
      const folder = join(dataFolder, 'keys');
      const path = join(folder, `${encodeURIComponent(name.toWellFormed()).slice(0, nameLengthMax)}.key`);
      const isNew = (await files.kind(path)) === null;
      const secretKey = isNew ? entropy.bytes(32) : await readKey(path, files);
      if (isNew) {
        await files.makeFolder(folder);
        await files.writeFile(path, encodeUtf8(`${toHex(secretKey)}\n`), { secret: true });
      }
      const publicKey = signatures.publicKeyOf(secretKey);
      return { secretKey, path, link: encodeMutableLink({ publicKey, salt }) };
    },
    tryReadLink: tryDecodeMutableLink,
  };
}

async function readKey(path: string, files: FilesPort): Promise<Uint8Array> {
  const text = tryDecodeUtf8(await files.readFile(path, keyFileBytesMax)) ?? '';
  const key = tryFromHex(text.trim());
  if (key?.length === 32) return key;
  throw new NodeError('DATA_KEY', `${path} holds no secret key: it must be 64 hex digits.`);
}
