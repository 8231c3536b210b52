/** What `service`, `completions` and `man` say, in English; see en.ts. */
export const helpOfSetup = {
  service: {
    summary: 'run the node as a service of the user (systemd)',
    install: 'write a unit that may write only where content and state lie',
    print: 'print the unit, and write nothing',
    examples: [
      ['service install', 'then: systemctl --user enable --now tequio'],
      ['service install --print --download /srv/content', 'the unit to look at'],
    ] as readonly (readonly [string, string])[],
  },
  completions: {
    summary: 'print a script that completes commands and options in a shell',
    shell: 'bash, zsh, fish or powershell',
    examples: [
      ['completions bash > ~/.local/share/bash-completion/completions/tequio', 'from the next shell on'],
      ['completions fish > ~/.config/fish/completions/tequio.fish', 'for fish'],
    ] as readonly (readonly [string, string])[],
  },
  man: {
    summary: 'print the manual page',
    examples: [['man | man -l -', 'to read it']] as readonly (readonly [string, string])[],
  },
};

export const setupTexts = {
  badShell: (name: string, known: string) => `“${name}” is no shell that is known here: ${known}.`,
  noHome: 'HOME is not set, so there is no place for a service of the user.',
  installed: (path: string) => `Written: ${path}`,
  enable: (folders: string) =>
    `Now: ${folders} && systemctl --user daemon-reload && systemctl --user enable --now tequio`,
};

export type HelpOfSetup = typeof helpOfSetup;
export type SetupMessages = typeof setupTexts;
