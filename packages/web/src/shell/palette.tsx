import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { node, status } from '../node.ts';
import { attempt } from '../notice.ts';
import { go } from '../route.ts';
import { theme, themes } from '../theme.ts';
import { chooseAll, chosenIds } from '../torrents/choice.ts';
import { say } from '../words/words.ts';
import { Dialog } from './dialog.tsx';
import { closeDialog, openDialog } from './dialogs.ts';

type Command = { readonly name: string; readonly run: () => unknown };

function commands(): readonly Command[] {
  const ids = chosenIds.value;
  const ofChosen: Command[] =
    ids.length === 0
      ? []
      : [
          {
            name: `${say('act.resume')} · ${say('list.chosen', { n: ids.length })}`,
            run: () => attempt(() => node.torrents.resume(ids)),
          },
          {
            name: `${say('act.pause')} · ${say('list.chosen', { n: ids.length })}`,
            run: () => attempt(() => node.torrents.pause(ids)),
          },
          {
            name: `${say('act.remove')} · ${say('list.chosen', { n: ids.length })}`,
            run: () => openDialog('remove', { ids }),
          },
        ];
  return [
    ...ofChosen,
    { name: say('add.title'), run: () => openDialog('add') },
    { name: say('nav.home'), run: () => go('home') },
    { name: say('nav.torrents'), run: () => go('torrents') },
    { name: say('nav.ipfs'), run: () => go('ipfs') },
    ...(['pins', 'explore', 'peers', 'sharing'] as const).map((part) => ({
      name: `IPFS: ${say(`ipfs.${part}`)}`,
      run: () => go('ipfs', part),
    })),
    { name: say('map.title'), run: () => go('map') },
    { name: say('nav.settings'), run: () => go('settings') },
    { name: say('nav.log'), run: () => go('log') },
    { name: say('keys.all'), run: () => chooseAll() },
    status.value?.paused == null
      ? { name: say('top.pauseAll'), run: () => openDialog('pause') }
      : { name: say('top.resumeAll'), run: () => attempt(() => node.status.resumeAll()) },
    { name: say('top.slow'), run: () => attempt(() => node.status.setAltLimits(!status.value?.altLimits)) },
    ...themes.map((name) => ({
      name: `${say('settings.theme')}: ${say(`settings.theme.${name}`)}`,
      run: () => {
        theme.value = name;
      },
    })),
    { name: say('guide.again'), run: () => openDialog('guide') },
    { name: say('keys.help'), run: () => openDialog('keys') },
  ];
}

/** Every action by its name: type a part of it, choose with the arrows, Enter. */
export function Palette(): JSX.Element {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const words = text.toLocaleLowerCase().split(/\s+/);
  const found = commands().filter(({ name }) =>
    words.every((word) => name.toLocaleLowerCase().includes(word)),
  );
  const current = Math.min(at, found.length - 1);
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    closeDialog();
    void command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setAt(Math.min(current + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(current - 1, 0));
    else if (event.key === 'Enter') run(found[current]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={say('top.commands')}>
      <input
        class="input"
        autofocus
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found.length === 0 ? undefined : `palette-${current}`}
        aria-label={say('palette.placeholder')}
        placeholder={say('palette.placeholder')}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="palette-list" role="listbox" class="palette" aria-label={say('top.commands')}>
        {found.map((command, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
          <div
            key={command.name}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === current}
            onClick={() => run(command)}
          >
            {command.name}
          </div>
        ))}
      </div>
    </Dialog>
  );
}
