/** The manual page (man 1), made from the commands themselves. */
import type { CommandLeaf, CommandOption } from './command-tree.ts';
import type { Messages } from './messages/en.ts';

export function manualPage(
  tree: { readonly commands: readonly CommandLeaf[]; readonly globals: readonly CommandOption[] },
  { version, help }: { readonly version: string; readonly help: Messages['help'] },
): string {
  const lines = [
    `.TH TEQUIO 1 "" "Tequio ${version}"`,
    '.SH NAME',
    `tequio \\- ${roff(help.program)}`,
    '.SH SYNOPSIS',
    '.B tequio',
    '[\\fIcommand\\fR] [\\fIoptions\\fR]',
    `.SH ${roff(help.globalOptions.replace(/:$/, '')).toUpperCase()}`,
    ...tree.globals.flatMap(optionLines),
    `.SH ${roff(help.commands.replace(/:$/, '')).toUpperCase()}`,
    ...tree.commands.flatMap((one) => commandLines(one, 'tequio')),
    '.SH EXIT STATUS',
    roff(help.exitCodes),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines(command: CommandLeaf, above: string): readonly string[] {
  const name = `${above} ${command.name}`;
  return [
    `.SS "${roff(`${name} ${command.args}`.trim())}"`,
    roff(command.summary),
    ...command.options.flatMap(optionLines),
    ...command.commands.flatMap((one) => commandLines(one, name)),
  ];
}

function optionLines({ flags, description }: CommandOption): readonly string[] {
  return ['.TP', `\\fB${roff(flags)}\\fR`, roff(description)];
}

/** Text as roff takes it: a line that begins with a point is no request, and a hyphen can be copied. */
function roff(text: string): string {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^(['.])/gm, '\\&$1')
    .replace(/"/g, '\\(dq')
    .replace(
      /[^\x00-\x7f]/gu,
      (char) => `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
}
