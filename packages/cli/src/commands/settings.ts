import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { UsageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { type Session, withDaemon } from '../session.ts';
import { tryParseBytes } from '../size-text.ts';

/** `settings [KEY [VALUE]]`: shows or changes settings of the running node. */
export function defineSettings(command: Command, session: Session): void {
  const { settings: help } = session.messages.help;
  command.argument('[key]', help.key).argument('[value]', help.value);
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  command.action(async (key: string | undefined, value: string | undefined) =>
    session.finish(
      key !== undefined && value !== undefined
        ? await runChange(key, value, session)
        : await runShow(key ?? '', session),
    ),
  );
}

async function runShow(key: string, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const settings = await withDaemon(session, (node) => node.settings.get());
  const shown = [...flatten(settings)].filter(
    ([path]) => key === '' || path === key || path.startsWith(`${key}.`),
  );
  if (shown.length === 0) throw new UsageError(messages.daemon.noSetting(key));
  output.json(Object.fromEntries(shown));
  for (const [path, value] of shown) output.result(`${path} = ${printable(JSON.stringify(value))}`);
  return exitCodes.done;
}

async function runChange(key: string, text: string, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const { changed, restartNeeded } = await withDaemon(session, async (node) => {
    const bytes = tryParseBytes(text);
    const isSize = bytes !== null && /[a-z]/i.test(text) && isMeasured(await node.settings.schema(), key);
    const value = isSize ? bytes : settingOf(text);
    const patch = key.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
    return node.settings.patch(patch as object);
  });
  output.json({ type: 'settings', changed, restartNeeded });
  output.result(
    changed.length === 0 ? messages.daemon.unchanged : messages.daemon.changed(changed.join(', ')),
  );
  if (restartNeeded.length > 0) output.note(messages.daemon.restart(restartNeeded.join(', ')));
  return exitCodes.done;
}

/** Whether the setting is a size or a rate, which may be written as `500K`. */
function isMeasured(schema: unknown, key: string): boolean {
  type Part = { readonly properties?: Readonly<Record<string, Part>>; readonly unit?: string };
  const part = key.split('.').reduce<Part | undefined>((at, name) => at?.properties?.[name], schema as Part);
  return part?.unit === 'B/s' || part?.unit === 'B';
}

/** `500`, `null`, `["a"]` are what JSON says; anything else is a text. */
function settingOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Every value by its path; lists are values. */
function* flatten(value: object, path = ''): Generator<[string, unknown]> {
  for (const [name, inner] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`;
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) yield* flatten(inner, at);
    else yield [at, inner];
  }
}
