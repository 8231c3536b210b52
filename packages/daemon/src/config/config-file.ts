/** The config file: TOML, checked by the schema, with a sentence for each mistake. */
import { mistakeOf, type Settings, settingsSchema } from '@tequio/api/settings';
import { encodeUtf8, type FilesPort, NodeError, tryDecodeUtf8 } from '@tequio/kernel';
import { parse, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { migrateConfig } from './config-migrations.ts';

/** More than this nobody has written by hand. */
const configBytesMax = 1 << 20;

export type Sections = Readonly<Record<string, unknown>>;

/** Empty when there is no file. @throws NodeError `CONFIG_SYNTAX`, `CONFIG_VERSION`, and of files */
export async function readConfigFile(
  path: string,
  files: FilesPort,
): Promise<{ readonly text: string; readonly sections: Sections }> {
  if ((await files.realPath(path)) === null) return { text: '', sections: {} };
  const text = tryDecodeUtf8(await files.readFile(path, configBytesMax));
  if (text === null) throw new NodeError('CONFIG_SYNTAX', `${path} is not UTF-8 text.`, { op: 'read' });
  return { text, sections: parseConfig(text, path) };
}

/** @throws NodeError `CONFIG_SYNTAX`, `CONFIG_VERSION` */
export function parseConfig(text: string, path: string): Sections {
  try {
    return migrateConfig(parse(text) as Record<string, unknown>);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    throw new NodeError('CONFIG_SYNTAX', `${path}, line ${error.line}, column ${error.column}: ${what}.`, {
      op: 'read',
      data: { path, line: error.line, column: error.column },
    });
  }
}

export async function writeConfigFile(path: string, text: string, files: FilesPort): Promise<void> {
  await files.writeFile(path, encodeUtf8(text), { secret: true });
}

/** A mistake in a value: where, and what is wrong. */
export type SettingProblem = { readonly key: string; readonly message: string };

export function problemsOf(sections: unknown): readonly SettingProblem[] {
  const result = settingsSchema.safeParse(sections);
  return result.success ? [] : result.error.issues.map(describe);
}

/** @throws NodeError `SETTINGS_VALUE` with every mistake */
export function checkSettings(sections: unknown, where: string): Settings {
  const result = settingsSchema.safeParse(sections);
  if (result.success) return result.data;
  const problems = result.error.issues.map(describe);
  const lines = problems.map(({ key, message }) => `${key} ${message}`).join('; ');
  throw new NodeError(
    'SETTINGS_VALUE',
    `There ${problems.length === 1 ? 'is a mistake' : 'are mistakes'} in ${where}: ${lines}.`,
    {
      op: 'read',
      data: { problems },
    },
  );
}

function describe(issue: z.core.$ZodIssue): SettingProblem {
  const key = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((name) => (key === '' ? name : `${key}.${name}`));
    return { key: names.join(', '), message: 'is no setting of this program' };
  }
  return { key: key === '' ? 'the file' : key, message: mistakeOf(issue) };
}
