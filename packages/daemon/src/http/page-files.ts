/**
 * The files of the web page. All are read once, so that a path is only ever looked up among their names: nothing that a
 * client writes becomes a path on the disk.
 */
import { createHash } from 'node:crypto';
import type { FilesPort, WebResponse } from '@tequio/kernel';

/** Of the whole page, unpacked and packed. */
const bytesMax = 32 << 20;

type PageFile = {
  readonly type: string;
  readonly tag: string;
  readonly plain: Uint8Array;
  readonly packed: { readonly br?: Uint8Array; readonly gzip?: Uint8Array };
  /** Its name holds a hash of its content. */
  readonly isFixed: boolean;
};

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  gif: 'image/gif',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  mjs: 'text/javascript; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  ttf: 'font/ttf',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  webmanifest: 'application/manifest+json',
  webp: 'image/webp',
  woff: 'font/woff',
  woff2: 'font/woff2',
};

export class PageFiles {
  readonly #files: ReadonlyMap<string, PageFile>;

  private constructor(files: ReadonlyMap<string, PageFile>) {
    this.#files = files;
  }

  /** @param folder null, or not there: there is no page */
  static async read(folder: string | null, files: FilesPort): Promise<PageFiles> {
    if (folder === null || (await files.kind(folder)) !== 'folder') return new PageFiles(new Map());
    const contents = new Map<string, Uint8Array>();
    let bytes = 0;
    for (const file of (await files.walk(folder)).files) {
      bytes += file.bytes;
      if (bytes <= bytesMax)
        contents.set(file.path, await files.readFile(`${folder}/${file.path}`, file.bytes));
    }
    return new PageFiles(new Map([...contents].flatMap(([path, plain]) => pageFile(path, plain, contents))));
  }

  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  /**
   * Null: there is no such file. A path without a dot is a place inside the page, which finds its way by itself.
   * @param path decoded, begins with `/`
   */
  answer(path: string, headers: Readonly<Record<string, string>>, policy: string): WebResponse | null {
    const name = path === '/' ? 'index.html' : path.slice(1);
    const file = this.#files.get(name) ?? (/\./.test(name) ? undefined : this.#files.get('index.html'));
    if (file === undefined) return null;
    const accepted = headers['accept-encoding'] ?? '';
    const encoding =
      /\bbr\b/.test(accepted) && file.packed.br
        ? 'br'
        : /\bgzip\b/.test(accepted) && file.packed.gzip
          ? 'gzip'
          : null;
    const tag = encoding === null ? `"${file.tag}"` : `"${file.tag}-${encoding}"`;
    const answered = {
      'content-type': file.type,
      'content-security-policy': policy,
      'cache-control': file.isFixed ? 'private, max-age=31536000, immutable' : 'private, no-cache',
      etag: tag,
      vary: 'accept-encoding',
    };
    if ((headers['if-none-match'] ?? '').split(/\s*,\s*/).includes(tag))
      return { status: 304, headers: answered, body: null };
    const body = encoding === null ? file.plain : (file.packed[encoding] ?? file.plain);
    return {
      status: 200,
      headers: encoding === null ? answered : { ...answered, 'content-encoding': encoding },
      body,
    };
  }
}

function pageFile(
  path: string,
  plain: Uint8Array,
  all: ReadonlyMap<string, Uint8Array>,
): [string, PageFile][] {
  const type = types[/\.([a-z0-9]+)$/.exec(path)?.[1] ?? ''];
  // Packed twins, maps and what else a build leaves are not served by themselves.
  if (type === undefined) return [];
  const [br, gzip] = [all.get(`${path}.br`), all.get(`${path}.gz`)];
  return [
    [
      path,
      {
        type,
        tag: createHash('sha256').update(plain).digest('base64url').slice(0, 22),
        plain,
        packed: { ...(br === undefined ? {} : { br }), ...(gzip === undefined ? {} : { gzip }) },
        isFixed: /[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/.test(path) && path.startsWith('assets/'),
      },
    ],
  ];
}
