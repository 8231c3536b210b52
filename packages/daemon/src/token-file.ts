import { join } from 'node:path';
import { type Entropy, encodeUtf8, type FilesPort, tryDecodeUtf8 } from '@tequio/kernel';

/**
 * The node's own token, which lets programs of its owner in: whoever may read the file may do everything. Made once; a
 * new one is made when the file is removed. @throws NodeError of files
 */
export async function readToken(dataFolder: string, files: FilesPort, entropy: Entropy): Promise<string> {
  const path = join(dataFolder, 'token');
  if ((await files.realPath(path)) !== null) {
    const text = tryDecodeUtf8(await files.readFile(path, 1000))?.trim() ?? '';
    if (/^[\w-]{32,}$/.test(text)) return text;
  }
  const token = Buffer.from(entropy.bytes(32)).toString('base64url');
  await files.writeFile(path, encodeUtf8(`${token}\n`), { secret: true });
  return token;
}
