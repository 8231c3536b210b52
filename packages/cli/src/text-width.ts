import { createRequire } from 'node:module';

type StringWidth = typeof import('string-width');

let stringWidth: StringWidth['default'] | null = null;

/** Terminal columns that a text takes; wide characters take two, combining ones none. */
export function widthOf(text: string): number {
  return isAscii(text) ? text.length : wideWidthOf(text);
}

/** The text, or its beginning with `…`, in at most `columns` columns. Never cuts inside a character. */
export function fitText(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (widthOf(text) <= columns) return text;
  let fitting = '';
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    fitting += segment;
  }
  return `${fitting}…`;
}

/** `left` and `right` at the two ends of a line of `columns`; `left` gives way. Without `right` no spaces follow. */
export function spreadText(left: string, right: string, columns: number): string {
  const rightWidth = widthOf(right);
  if (rightWidth === 0 || rightWidth + 2 > columns) return fitText(left, columns);
  const fitting = fitText(left, columns - rightWidth - 1);
  return fitting + ' '.repeat(columns - widthOf(fitting) - rightWidth) + right;
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** Loaded for the first text that needs it: building its tables takes 50 ms. */
function wideWidthOf(text: string): number {
  stringWidth ??= (createRequire(import.meta.url)('string-width') as StringWidth).default;
  return stringWidth(text);
}
