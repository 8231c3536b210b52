/** What a file is: by its name where that says something, else by its first bytes (WHATWG MIME Sniffing, a part). */
import { tryDecodeUtf8 } from '@tequio/kernel';

const types: Readonly<Record<string, string>> = {
  aac: 'audio/aac',
  atom: 'application/atom+xml',
  avif: 'image/avif',
  bin: 'application/octet-stream',
  bmp: 'image/bmp',
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  epub: 'application/epub+zip',
  flac: 'audio/flac',
  gif: 'image/gif',
  gz: 'application/gzip',
  htm: 'text/html; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  jsonld: 'application/ld+json',
  m3u8: 'application/vnd.apple.mpegurl',
  m4a: 'audio/mp4',
  md: 'text/markdown; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  mkv: 'video/x-matroska',
  mov: 'video/quicktime',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  oga: 'audio/ogg',
  ogg: 'audio/ogg',
  ogv: 'video/ogg',
  opus: 'audio/ogg',
  otf: 'font/otf',
  pdf: 'application/pdf',
  png: 'image/png',
  rss: 'application/rss+xml',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  ts: 'video/mp2t',
  ttf: 'font/ttf',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  wav: 'audio/wav',
  weba: 'audio/webm',
  webm: 'video/webm',
  webmanifest: 'application/manifest+json',
  webp: 'image/webp',
  woff: 'font/woff',
  woff2: 'font/woff2',
  xhtml: 'application/xhtml+xml',
  xml: 'text/xml; charset=utf-8',
  zip: 'application/zip',
};

/** Beginnings of files; `??`: any byte. */
const signatures: readonly (readonly [string, string])[] = [
  ['89504e470d0a1a0a', 'image/png'],
  ['ffd8ff', 'image/jpeg'],
  ['474946383761', 'image/gif'],
  ['474946383961', 'image/gif'],
  ['52494646????????57454250', 'image/webp'],
  ['52494646????????57415645', 'audio/wav'],
  ['25504446', 'application/pdf'],
  ['1f8b08', 'application/gzip'],
  ['504b0304', 'application/zip'],
  ['1a45dfa3', 'video/webm'],
  ['????????66747970', 'video/mp4'],
  ['4f676753', 'audio/ogg'],
  ['494433', 'audio/mpeg'],
  ['664c6143', 'audio/flac'],
  ['0061736d', 'application/wasm'],
];

/** How many bytes are looked at. */
export const sniffBytes = 512;

/** @param name of the file; null: it has none @param start its first bytes, up to {@link sniffBytes} */
export function contentTypeOf(name: string | null, start: Uint8Array, isAll: boolean): string {
  const extension = /\.([A-Za-z0-9]{1,11})$/.exec(name ?? '')?.[1]?.toLowerCase() ?? '';
  const known = types[extension];
  if (known !== undefined) return known;
  for (const [signature, type] of signatures) if (beginsWith(start, signature)) return type;
  const text = tryText(start, isAll);
  if (text === null) return 'application/octet-stream';
  const head = text.trimStart().toLowerCase();
  if (/^<(?:!doctype html|html|head|body|script|!--)/.test(head)) return 'text/html; charset=utf-8';
  if (/^<\?xml/.test(head)) return /<svg[\s>]/.test(head) ? 'image/svg+xml' : 'text/xml; charset=utf-8';
  if (isAll ? /^[[{]/.test(head) && isJson(text) : /^\{\s*"/.test(head)) return 'application/json';
  return 'text/plain; charset=utf-8';
}

function beginsWith(bytes: Uint8Array, signature: string): boolean {
  if (bytes.length * 2 < signature.length) return false;
  for (let i = 0; i < signature.length; i += 2) {
    const pair = signature.slice(i, i + 2);
    if (pair !== '??' && bytes[i / 2] !== Number.parseInt(pair, 16)) return false;
  }
  return true;
}

/** Null: not text. A character that is cut at the end is forgiven. */
function tryText(bytes: Uint8Array, isAll: boolean): string | null {
  for (const byte of bytes) if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) return null;
  for (let cut = 0; cut <= (isAll ? 0 : 3); cut++) {
    const text = tryDecodeUtf8(bytes.subarray(0, bytes.length - cut));
    if (text !== null) return text;
  }
  return null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
