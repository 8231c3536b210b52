/** What the compatibility tests have written down: see e2e/compat and packages/daemon/src/compat/clients. */

export type CompatCalls = {
  readonly client: string;
  readonly test: string;
  readonly calls: readonly string[];
};

export type CompatAnswers = {
  readonly program: string;
  readonly version: string;
  readonly calls: readonly {
    readonly call: string;
    readonly fields: readonly { readonly field: string; readonly type: string; readonly verdict: string }[];
  }[];
  /** Field to why it differs. */
  readonly exceptions: Readonly<Record<string, string>>;
};

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
const code = (text: string): string => `\`${text}\``;

/** A row a call, a column a client that makes it. */
export function compatCallsTable(all: readonly CompatCalls[]): string | null {
  if (all.length === 0) return null;
  const clients = all.toSorted((a, b) => a.client.localeCompare(b.client));
  const calls = [...new Set(clients.flatMap((client) => client.calls))].sort();
  return [
    line(['call', ...clients.map(({ client }) => client)]),
    line(['---', ...clients.map(() => '---')]),
    ...calls.map((call) =>
      line([code(call), ...clients.map((client) => (client.calls.includes(call) ? 'yes' : ''))]),
    ),
    '\nThe tests: ',
    clients.map(({ client, test }) => `${client} in ${code(test)}`).join(', '),
    '.\n',
  ].join('');
}

/** For each call how many fields agree, and every one that does not. */
export function compatAnswersTable(all: readonly CompatAnswers[]): string | null {
  if (all.length === 0) return null;
  return all
    .toSorted((a, b) => a.program.localeCompare(b.program))
    .map((answers) => `### ${answers.program} ${answers.version}\n\n${answersOf(answers)}`)
    .join('\n');
}

function answersOf({ calls, exceptions }: CompatAnswers): string {
  const rows = calls.map(({ call, fields }) => {
    const count = (...verdicts: string[]): number =>
      fields.filter(({ verdict }) => verdicts.includes(verdict)).length;
    const different = fields.filter(({ verdict }) =>
      ['missing', 'other-type', 'other-value'].includes(verdict),
    );
    const notes = different.map(({ field, verdict }) => `${code(field)}: ${exceptions[field] ?? verdict}`);
    return line([code(call), `${count('same')}`, `${count('type')}`, `${count('more')}`, notes.join('; ')]);
  });
  return [
    line(['call', 'same value', 'same type', 'more here', 'different, and why']),
    line(['---', '---:', '---:', '---:', '---']),
    ...rows,
  ].join('');
}
