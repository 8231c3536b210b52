import type { JSX } from 'preact';
import { Icon } from '../shell/icon.tsx';
import { say } from '../words/words.ts';
import { chosenColumns, columns } from './columns.ts';

/** A button with the columns to choose from; the browser closes it with Esc or a click elsewhere. */
export function ColumnChooser(): JSX.Element {
  return (
    <>
      <button type="button" class="button wide-only" popovertarget="columns">
        <Icon name="columns" />
        {say('list.columns')}
      </button>
      <div id="columns" popover="auto" class="popover">
        <fieldset class="stack tight">
          <legend>{say('list.columns')}</legend>
          {columns.map(({ key, word }) => (
            <label key={key} class="check">
              <input type="checkbox" checked={chosenColumns.value.has(key)} onChange={() => turn(key)} />
              <span>{say(word)}</span>
            </label>
          ))}
          <small class="hint">{say('list.columnsHint')}</small>
        </fieldset>
      </div>
    </>
  );
}

function turn(key: string): void {
  chosenColumns.value = chosenColumns.value.symmetricDifference(new Set([key]));
}
