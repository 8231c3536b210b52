/** What a block links to, by its codec. */
import { decode as decodeDagCbor } from '@ipld/dag-cbor';
import { decode as decodeDagJson } from '@ipld/dag-json';
import { decode as decodeDagPb } from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';

const dagPbCode = 0x70;
const dagCborCode = 0x71;
const dagJsonCode = 0x0129;

/** False: no block of this codec has links that we know of, so that it need not be read. */
export function mayLink(cid: CID): boolean {
  return cid.code === dagPbCode || cid.code === dagCborCode || cid.code === dagJsonCode;
}

/** The links in their order, the same one as often as it is there; null: the bytes are no block of this codec. */
export function tryLinksOf(cid: CID, bytes: Uint8Array): CID[] | null {
  try {
    switch (cid.code) {
      case dagPbCode:
        return decodeDagPb(bytes).Links.map((link) => link.Hash as CID);
      case dagCborCode:
        return linksIn(decodeDagCbor(bytes));
      case dagJsonCode:
        return linksIn(decodeDagJson(bytes));
      default:
        return [];
    }
  } catch {
    return null;
  }
}

/** Without recursion: a value may be nested as deep as its bytes are long. */
function linksIn(root: unknown): CID[] {
  const links: CID[] = [];
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (value === null || typeof value !== 'object' || value instanceof Uint8Array) continue;
    const cid = CID.asCID(value);
    if (cid !== null) {
      links.push(cid);
      continue;
    }
    const inside = Object.values(value);
    for (let i = inside.length - 1; i >= 0; i--) waiting.push(inside[i]);
  }
  return links;
}
