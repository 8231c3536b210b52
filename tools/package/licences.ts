import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly author?: string | { readonly name: string };
  readonly repository?: string | { readonly url: string };
};

/** Licences under which other people's code may go out together with ours. */
const compatible: ReadonlySet<string> = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'CC0-1.0',
  'Apache-2.0',
  'Unlicense',
  'BlueOak-1.0.0',
]);

/**
 * The licences of the packages whose code is inside the bundle, as their authors want them handed on.
 * @throws Error when one is not compatible with ours
 */
export function renderLicences(packageFolders: readonly string[]): string {
  const parts = packageFolders.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    const { name, version, license } = manifest;
    if (!isCompatible(license))
      throw new Error(`${name} ${version} is under ${license}: it cannot be packed`);
    return `## ${name} ${version} (${license})\n\n${textOf(folder, manifest)}\n`;
  });
  return `# Other people's work inside this package\n\n${parts.join('\n')}`;
}

/** Of several to choose from, one is enough. */
function isCompatible(license: string): boolean {
  return license
    .replace(/^\(|\)$/g, '')
    .split(' OR ')
    .some((one) => compatible.has(one));
}

/** As its author wrote it; or, of the few that bring no text, what they say of themselves. */
function textOf(folder: string, { license, author, repository }: Manifest): string {
  const fileName = readdirSync(folder).find((entry) => /^(?:licen[cs]e|copying)/i.test(entry));
  if (fileName !== undefined) return readFileSync(join(folder, fileName), 'utf8').trim();
  const who = typeof author === 'string' ? author : author?.name;
  const where = typeof repository === 'string' ? repository : repository?.url;
  return `It brings no text of its licence, and says: ${license}, by ${who ?? 'its authors'}, ${where ?? ''}`;
}
