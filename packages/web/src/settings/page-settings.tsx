import type { JSX } from 'preact';
import { registerMagnet } from '../pwa/handed-over.ts';
import { openDialog } from '../shell/dialogs.ts';
import { Icon } from '../shell/icon.tsx';
import { theme, themes } from '../theme.ts';
import { chooseLanguage, type Language, language, languageNames, say } from '../words/words.ts';

/** What holds for this page in this browser, not for the node. */
export function PageSettings(): JSX.Element {
  return (
    <fieldset id="settings-page" class="card stack">
      <legend>{say('settings.page')}</legend>
      <LookSettings />
      <div class="row">
        <button type="button" class="button" onClick={registerMagnet}>
          <Icon name="link" />
          {say('settings.magnet')}
        </button>
        <button type="button" class="button quiet" onClick={() => openDialog('guide')}>
          {say('guide.again')}
        </button>
      </div>
    </fieldset>
  );
}

/** Language and colours. */
export function LookSettings(): JSX.Element {
  return (
    <div class="two">
      <label class="field">
        <span>{say('settings.language')}</span>
        <select
          class="input"
          value={language.value}
          onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}
        >
          {Object.entries(languageNames).map(([tag, name]) => (
            <option key={tag} value={tag} lang={tag}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>{say('settings.theme')}</span>
        <select
          class="input"
          value={theme.value}
          onChange={(event) => {
            theme.value = event.currentTarget.value as typeof theme.value;
          }}
        >
          {themes.map((name) => (
            <option key={name} value={name}>
              {say(`settings.theme.${name}`)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
