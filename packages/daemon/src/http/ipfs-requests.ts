/** The routes of IPFS that are no JSON: content that comes in, and links to content that goes out. */
import type { Management } from '@tequio/api';
import type { WebResponse } from '@tequio/kernel';
import { jsonResponse } from './answers.ts';
import type { ContentLinks } from './content-links.ts';
import { HttpError } from './http-fault.ts';
import { httpLimits } from './http-limits.ts';

type Upload = {
  readonly headers: Readonly<Record<string, string>>;
  readBodyParts(): AsyncIterable<Uint8Array>;
};

export class IpfsRequests {
  #uploadCount = 0;

  async addFile(node: Management, path: string, { headers, readBodyParts }: Upload): Promise<WebResponse> {
    // A form can be sent by any page without asking first; this type cannot.
    if (!/^application\/octet-stream(?:\s*;|$)/i.test(headers['content-type'] ?? ''))
      throw new HttpError(
        415,
        'HTTP_CONTENT_TYPE',
        'The body is the file itself: content-type: application/octet-stream.',
      );
    if (this.#uploadCount >= httpLimits.uploadCount)
      throw new HttpError(503, 'HTTP_BUSY', 'Too many files are being sent at once.', {
        headers: { 'retry-after': '2' },
      });
    this.#uploadCount++;
    try {
      return jsonResponse(await node.ipfs.addFile(path, readBodyParts()));
    } finally {
      this.#uploadCount--;
    }
  }

  /** Leads to the origin of content, by the CID that the path has now. */
  async content(
    node: Management,
    path: string,
    contentOrigin: string,
    links: ContentLinks,
    nowMs: number,
  ): Promise<WebResponse> {
    const { cid, name, kind } = await node.ipfs.entry(path);
    if (kind !== 'file' && kind !== 'folder')
      throw new HttpError(404, 'FILE_MISSING', 'There is neither a file nor a folder.');
    const shown = name === '' ? cid : name;
    const location = contentOrigin + links.pathOf({ cid }, kind === 'file' ? shown : `${shown}.tar`, nowMs);
    return { status: 307, headers: { location, 'cache-control': 'no-store' }, body: null };
  }
}
