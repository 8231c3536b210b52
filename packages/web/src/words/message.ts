/** Messages with gaps: `{name}` is filled in, `{n|one|other}` chooses by the number n and the language's rule. */

export type Gaps = Readonly<Record<string, string | number>>;

/** @param language as in BCP 47; numbers are written its way */
export function fillMessage(template: string, gaps: Gaps, language: string): string {
  let text = '';
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    if (open < 0) return text + template.slice(at);
    const close = closingOf(template, open);
    text += template.slice(at, open) + fillGap(template.slice(open + 1, close), gaps, language);
    at = close + 1;
  }
  return text;
}

function closingOf(template: string, open: number): number {
  let depth = 0;
  for (let at = open; at < template.length; at++) {
    if (template[at] === '{') depth++;
    else if (template[at] === '}' && --depth === 0) return at;
  }
  throw new RangeError(`A gap is never closed: ${template}`);
}

function fillGap(gap: string, gaps: Gaps, language: string): string {
  const [name = '', one, other] = splitForms(gap);
  const value = gaps[name];
  if (value === undefined) throw new RangeError(`Nothing is given for {${name}}.`);
  if (one === undefined || other === undefined) return written(value, language);
  const form = new Intl.PluralRules(language).select(Number(value)) === 'one' ? one : other;
  return fillMessage(form, gaps, language);
}

function splitForms(gap: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of gap) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (character === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

function written(value: string | number, language: string): string {
  return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : value;
}
