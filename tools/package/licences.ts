import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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
 * @throws Error when one is not compatible with ours, or does not come with its text
 */
export function renderLicences(packageFolders: readonly string[]): string {
  const parts = packageFolders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      readonly name: string;
      readonly version: string;
      readonly license: string;
    };
    if (!compatible.has(license))
      throw new Error(`${name} ${version} is under ${license}: it cannot be packed`);
    return `## ${name} ${version} (${license})\n\n${textOf(folder, name)}\n`;
  });
  return `# Other people's work inside this package\n\n${parts.join('\n')}`;
}

function textOf(folder: string, name: string): string {
  const fileName = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  if (fileName === undefined || !existsSync(join(folder, fileName)))
    throw new Error(`${name} has no licence text`);
  return readFileSync(join(folder, fileName), 'utf8').trim();
}
