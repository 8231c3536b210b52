/** Completion for shells, made from the commands themselves. Where a file can stand the shell completes files. */
import type { CommandLeaf, CommandOption } from './command-tree.ts';

export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

type Tree = { readonly commands: readonly CommandLeaf[]; readonly globals: readonly CommandOption[] };

export function completionScript(shell: Shell, tree: Tree): string {
  return { bash, zsh, fish, powershell }[shell](tree);
}

/** What can stand behind a command: its subcommands and options. */
function wordsOf({ commands, options }: CommandLeaf, globals: readonly CommandOption[]): string {
  return [...commands.map(({ name }) => name), ...[...options, ...globals].map(({ long }) => long)].join(' ');
}

function bash({ commands, globals }: Tree): string {
  const cases = commands.map((one) => `    ${one.name}) words='${wordsOf(one, globals)}' ;;`);
  const names = commands.map(({ name }) => name).join(' ');
  return `_tequio() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words='' command='' at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${COMP_WORDS[at]}" in
      --data) ((at++)) ;;
      -*) ;;
      *) command="\${COMP_WORDS[at]}"; break ;;
    esac
  done
  case "$command" in
    '') words='${names} ${globals.map(({ long }) => long).join(' ')}' ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -o bashdefault -F _tequio tequio
`;
}

function zsh({ commands, globals }: Tree): string {
  const quoted = (text: string): string => text.replace(/'/g, `'\\''`).replace(/:/g, '\\:');
  const described = (one: CommandOption): string => `'${one.long}:${quoted(one.description)}'`;
  const cases = commands.map(({ name, commands: below, options }) => {
    const words = below.map((one) => `'${one.name}:${quoted(one.summary)}'`);
    return `    ${name}) found=(${[...words, ...[...options, ...globals].map(described)].join(' ')}) ;;`;
  });
  const names = commands.map(({ name, summary }) => `'${name}:${quoted(summary)}'`);
  return `#compdef tequio
_tequio() {
  local command="\${words[2]}"
  local -a found
  if ((CURRENT == 2)); then
    found=(${names.join(' ')})
    _describe command found
    return
  fi
  case "$command" in
${cases.join('\n')}
  esac
  _describe option found
  _files
}
compdef _tequio tequio
`;
}

function fish({ commands, globals }: Tree): string {
  const quoted = (text: string): string => `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
  const lines: string[] = [];
  for (const one of globals)
    lines.push(`complete -c tequio -l ${one.long.slice(2)} -d ${quoted(one.description)}`);
  for (const { name, summary, options, commands: below } of commands) {
    lines.push(`complete -c tequio -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`);
    const inside = `complete -c tequio -n '__fish_seen_subcommand_from ${name}'`;
    for (const one of below) lines.push(`${inside} -a ${one.name} -d ${quoted(one.summary)}`);
    for (const one of options) {
      const value = one.takesValue ? ' -r' : '';
      lines.push(`${inside} -l ${one.long.slice(2)}${value} -d ${quoted(one.description)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function powershell({ commands, globals }: Tree): string {
  const list = (words: string): string =>
    words
      .split(' ')
      .map((word) => `'${word}'`)
      .join(', ');
  const cases = commands.map((one) => `    '${one.name}' { ${list(wordsOf(one, globals))} }`);
  const names = commands.map(({ name }) => name).join(' ');
  return `Register-ArgumentCompleter -Native -CommandName tequio -ScriptBlock {
  param($word, $tree, $position)
  $command = @($tree.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" } |
    Where-Object { -not $_.StartsWith('-') -and $_ -ne $word })[0]
  $words = switch ($command) {
${cases.join('\n')}
    default { ${list(names)} }
  }
  $words | Where-Object { $_ -like "$word*" } |
    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`;
}
