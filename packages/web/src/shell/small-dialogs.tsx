import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { node } from '../node.ts';
import { attempt } from '../notice.ts';
import { chosen } from '../torrents/choice.ts';
import type { WordKey } from '../words/en.ts';
import { say } from '../words/words.ts';
import { Dialog } from './dialog.tsx';
import { closeDialog, dialogAbout } from './dialogs.ts';
import { Icon } from './icon.tsx';

export function PauseDialog(): JSX.Element {
  const pause = async (untilMs: number | null): Promise<void> => {
    if (await attempt(() => node.status.pauseAll(untilMs))) closeDialog();
  };
  const tomorrow = (): number => new Date().setHours(32, 0, 0, 0);
  return (
    <Dialog title={say('pause.title')}>
      <div class="stack">
        <button type="button" class="button" onClick={() => pause(Date.now() + 3_600_000)}>
          {say('pause.forHour')}
        </button>
        <button type="button" class="button" onClick={() => pause(tomorrow())}>
          {say('pause.forDay')}
        </button>
        <button type="button" class="button" onClick={() => pause(null)}>
          {say('pause.open')}
        </button>
      </div>
    </Dialog>
  );
}

export function RemoveDialog(): JSX.Element {
  const ids = dialogAbout.value.ids ?? [];
  const [removeContent, setRemoveContent] = useState(false);
  const remove = async (): Promise<void> => {
    if (!(await attempt(() => node.torrents.remove(ids, { removeContent })))) return;
    chosen.value = new Set();
    closeDialog();
  };
  return (
    <Dialog title={say('remove.title', { n: ids.length })}>
      <p>{say('remove.text')}</p>
      <label class="check">
        <input
          type="checkbox"
          checked={removeContent}
          onChange={(event) => setRemoveContent(event.currentTarget.checked)}
        />
        <span>{say('remove.content')}</span>
      </label>
      <div class="row">
        <button type="button" class="button primary" onClick={remove}>
          <Icon name="remove" />
          {say('act.remove')}
        </button>
        <button type="button" class="button" onClick={closeDialog}>
          {say('act.cancel')}
        </button>
      </div>
    </Dialog>
  );
}

const keys: readonly [string, WordKey][] = [
  ['Ctrl K', 'keys.palette'],
  ['A', 'keys.add'],
  ['/', 'keys.search'],
  ['↑ ↓ PgUp PgDn', 'keys.move'],
  ['Space', 'keys.choose'],
  ['Ctrl A', 'keys.all'],
  ['Enter', 'keys.open'],
  ['Del', 'keys.remove'],
  ['?', 'keys.help'],
];

export function KeysDialog(): JSX.Element {
  return (
    <Dialog title={say('keys.title')}>
      <dl class="keys">
        {keys.map(([key, word]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{say(word)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
