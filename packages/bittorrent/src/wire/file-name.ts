/**
 * Names from a torrent file, made safe for every system that the content may be copied to.
 *
 * An attacker chooses the names. They must not leave the folder (`..`, absolute paths, slashes and drive
 * letters inside an element), must not name something else than they show (control and bidirectional
 * characters), must not open a device (`CON`, `aux.txt`) or a hidden stream (`:`), and must be storable on
 * Linux, macOS and Windows alike, so that the same torrent has the same names everywhere. A name that needs
 * no change comes out as it was; each change is reported with its reasons. Two names that come out equal are
 * told apart in unique-paths.ts.
 */
import { encodeUtf8 } from '@tequio/kernel';

/** Bytes of UTF-8 in one element. Systems allow 255; the rest is room for a number or a suffix. */
export const elementBytesMax = 240;
/** A longer "extension" is taken for a part of the name. */
const extensionBytesMax = 20;

/**
 * Unicode C0 and C1 controls, line and paragraph separators, and U+FFFD, which stands for bytes that were no
 * UTF-8.
 */
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/gu;
/** Marks that turn the direction of text around: `\u202egpj.exe` shows as `exe.jpg`. */
const bidirectional = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const forbidden = /[<>:"|?*]/gu;
const slashes = /[\\/\0]/gu;
const loneSurrogates = /\p{Surrogate}/gu;
const trailing = /[. ]+$/u;
/** Windows opens these devices whatever follows the first dot. */
const reserved = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\s*(?:\.|$))/iu;
const suspicious =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffd<>:"|?*\\/]|\p{Surrogate}|[. ]$|^$/u;

const ascii = /^[\u0020-\u007e]*$/;

export type SafeName = {
  readonly text: string;
  /** What was changed, as short phrases; empty when nothing was. */
  readonly reasons: readonly string[];
};

/**
 * One element of a path; '' when nothing is left of it (`.`, `..`, an empty one, slashes alone) and it is to
 * be left out.
 */
export function safeElement(element: string): SafeName {
  const isPlain =
    !suspicious.test(element) && !reserved.test(element) && element.length * 3 <= elementBytesMax;
  return isPlain ? { text: element, reasons: [] } : cleanElement(element);
}

function cleanElement(element: string): SafeName {
  const reasons: string[] = [];
  let text = element;
  const change = (next: string, reason: string): void => {
    if (next !== text) reasons.push(reason);
    text = next;
  };
  change(text.replace(slashes, ''), 'slash or zero inside a name');
  if (text === '' || text === '.' || text === '..')
    return { text: '', reasons: ['element that means another folder'] };
  change(text.replace(controls, '_').replace(loneSurrogates, '_'), 'control character or broken text');
  change(text.replace(bidirectional, ''), 'mark that reverses text');
  change(text.replace(forbidden, '_'), 'character not allowed on Windows');
  change(text.replace(trailing, ''), 'dot or space at the end');
  change(text.replace(reserved, '_$&'), 'device name of Windows');
  change(shortened(text), 'longer than 240 bytes');
  change(text.replace(trailing, ''), 'dot or space at the end');
  change(text === '' ? '_' : text, 'nothing but dots, spaces and marks');
  return { text, reasons };
}

/** Why a path that had no element left became `_`. */
export const nothingLeft = 'nothing left';

/** A relative path of safe elements; `_` when none is left. Reasons are listed once each. */
export function safePath(elements: readonly string[]): SafeName {
  const kept: string[] = [];
  const reasons = new Set<string>();
  for (const element of elements) {
    const safe = safeElement(element);
    if (safe.text !== '') kept.push(safe.text);
    for (const reason of safe.reasons) reasons.add(reason);
  }
  if (kept.length === 0) return { text: '_', reasons: [...reasons, nothingLeft] };
  return { text: kept.join('/'), reasons: [...reasons] };
}

/** At most {@link elementBytesMax} bytes, cut between characters, a short extension kept. */
function shortened(text: string): string {
  if (encodeUtf8(text).length <= elementBytesMax) return text;
  const dot = text.lastIndexOf('.');
  const tail = dot > 0 ? text.slice(dot) : '';
  const tailBytes = encodeUtf8(tail).length;
  return tailBytes > 1 && tailBytes <= extensionBytesMax
    ? cut(text.slice(0, dot), elementBytesMax - tailBytes) + tail
    : cut(text, elementBytesMax);
}

function cut(text: string, bytesMax: number): string {
  let bytes = 0;
  let kept = '';
  for (const character of text) {
    bytes += encodeUtf8(character).length;
    if (bytes > bytesMax) break;
    kept += character;
  }
  return kept;
}

/**
 * `photo.jpg` with 2 is `photo.2.jpg`: how two files of one name are told apart. Only the last element
 * changes.
 */
export function numberedPath(path: string, number: number): string {
  const slash = path.lastIndexOf('/');
  const dot = path.lastIndexOf('.');
  const hasExtension = dot > slash + 1;
  return hasExtension ? `${path.slice(0, dot)}.${number}${path.slice(dot)}` : `${path}.${number}`;
}

/** Equal for two paths that some system takes for the same file: case folded and composed. */
export function foldedPath(path: string): string {
  if (ascii.test(path)) return path.toLowerCase();
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}
