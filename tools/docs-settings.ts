/** The table of docs/settings.md, from the schema that checks the config file. */
import { settingsJsonSchema } from '@tequio/api/settings';

type Part = {
  readonly description?: string;
  readonly default?: unknown;
  readonly unit?: string;
  readonly restart?: boolean;
  readonly properties?: Readonly<Record<string, Part>>;
  readonly items?: Part;
};

/** A heading and a table a section. */
export function settingsTable(): string {
  const { properties = {} } = settingsJsonSchema() as Part;
  return Object.entries(properties)
    .filter(([name]) => name !== 'version')
    .map(([name, section]) => sectionOf(name, section))
    .join('\n');
}

function sectionOf(name: string, section: Part): string {
  const isList = section.items !== undefined;
  const rows = Object.entries((isList ? section.items : section)?.properties ?? {}).map(([key, part]) => {
    const usual = part.default === undefined ? '' : usualOf(part.default);
    const unit = part.unit === undefined ? '' : ` (${part.unit})`;
    const restart = part.restart === true ? ' Holds after the next start.' : '';
    return `| \`${key}\` | ${usual} | ${cell(part.description ?? '')}${unit}${restart} |`;
  });
  const head = `### ${isList ? `[[${name}]]` : `[${name}]`}\n\n${section.description ?? ''}\n`;
  return `${head}\n| setting | by default | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function usualOf(value: unknown): string {
  return value === null ? 'none' : `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
