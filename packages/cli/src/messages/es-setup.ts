import type { HelpOfSetup, SetupMessages } from './en-setup.ts';

/** Lo que dicen `service`, `completions` y `man`, en español; véase es.ts. */
export const helpOfSetup: HelpOfSetup = {
  service: {
    summary: 'el nodo como servicio del usuario (systemd)',
    install: 'escribe una unidad que solo puede escribir donde están el contenido y el estado',
    print: 'muestra la unidad y no escribe nada',
    examples: [
      ['service install', 'después: systemctl --user enable --now tequio'],
      ['service install --print --download /srv/content', 'la unidad, para verla'],
    ],
  },
  completions: {
    summary: 'muestra un guion que completa órdenes y opciones en una terminal',
    shell: 'bash, zsh, fish o powershell',
    examples: [
      ['completions bash > ~/.local/share/bash-completion/completions/tequio', 'desde la próxima terminal'],
      ['completions fish > ~/.config/fish/completions/tequio.fish', 'para fish'],
    ],
  },
  man: { summary: 'muestra la página del manual', examples: [['man | man -l -', 'para leerla']] },
};

export const setupTexts: SetupMessages = {
  badShell: (name, known) => `«${name}» no es una terminal conocida aquí: ${known}.`,
  noHome: 'HOME no está definida, así que no hay lugar para un servicio del usuario.',
  installed: (path) => `Escrita: ${path}`,
  enable: (folders) =>
    `Ahora: ${folders} && systemctl --user daemon-reload && systemctl --user enable --now tequio`,
};
