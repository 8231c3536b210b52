import type { SettingsPatch } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { theme, themes } from '../theme.ts';
import { chooseLanguage, type Language, language, languageNames, say } from '../words/words.ts';
import { fieldsOf, readField, type SettingField, valueAt } from './setting-fields.ts';

type Known = {
  readonly fields: readonly SettingField[];
  readonly settings: unknown;
  readonly origins: Readonly<Record<string, string>>;
};

export function SettingsScreen(): JSX.Element {
  const [known, setKnown] = useState<Known | null>(null);
  const load = (): Promise<boolean> =>
    attempt(async () => {
      const [schema, settings, origins] = await Promise.all([
        node.settings.schema(),
        node.settings.get(),
        node.settings.origins(),
      ]);
      setKnown({ fields: fieldsOf(schema), settings, origins });
    });
  useEffect(() => void load(), []);
  const change = async (key: string, value: unknown): Promise<void> => {
    const [section = '', name = ''] = key.split('.');
    await attempt(async () => {
      const { restartNeeded } = await node.settings.patch({ [section]: { [name]: value } } as SettingsPatch);
      tell(
        restartNeeded.length === 0
          ? say('settings.saved')
          : say('settings.restart', { keys: restartNeeded.join(', ') }),
      );
    });
    await load();
  };
  const sections = [...new Set(known?.fields.map(({ section }) => section) ?? [])];
  return (
    <section class="screen stack settings" aria-labelledby="settings-title">
      <h1 id="settings-title">{say('settings.title')}</h1>
      <PageSettings />
      {sections.map((section) => (
        <fieldset key={section} class="card stack">
          <legend>
            <code>{section}</code>
          </legend>
          {known!.fields
            .filter((field) => field.section === section)
            .map((field) => (
              <Field
                key={field.key}
                field={field}
                value={valueAt(known!.settings, field.key)}
                isFixed={['environment', 'flag'].includes(known!.origins[field.key] ?? '')}
                change={(value) => change(field.key, value)}
              />
            ))}
        </fieldset>
      ))}
    </section>
  );
}

function PageSettings(): JSX.Element {
  return (
    <fieldset class="card stack">
      <legend>{say('settings.page')}</legend>
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
      <div>
        <button type="button" class="button" onClick={registerMagnet}>
          {say('settings.magnet')}
        </button>
      </div>
    </fieldset>
  );
}

function registerMagnet(): void {
  void attempt(async () =>
    navigator.registerProtocolHandler('magnet', new URL('./#/add?source=%s', location.href).href),
  );
}

type FieldProps = {
  readonly field: SettingField;
  readonly value: unknown;
  readonly isFixed: boolean;
  readonly change: (value: unknown) => unknown;
};

function Field({ field, value, isFixed, change }: FieldProps): JSX.Element {
  const { kind, description, unit } = field;
  if (kind === 'switch') {
    return (
      <label class="check">
        <input
          type="checkbox"
          checked={value === true}
          disabled={isFixed}
          onChange={(event) => change(event.currentTarget.checked)}
        />
        <span>
          {description}
          {isFixed && <small class="hint"> {say('settings.fixed')}</small>}
        </span>
      </label>
    );
  }
  return (
    <label class="field">
      <span>
        {description} {unit !== null && <span class="soft">({kind === 'rate' ? 'KiB/s' : unit})</span>}
      </span>
      <Input field={field} value={value} isFixed={isFixed} change={change} />
      {isFixed && <small>{say('settings.fixed')}</small>}
    </label>
  );
}

function Input({ field, value, isFixed, change }: FieldProps): JSX.Element {
  const { kind, choices, isOptional } = field;
  const save = (event: Event): void => {
    const input = event.currentTarget as HTMLInputElement;
    const read = readField(field, input.value);
    if (read === undefined) input.setCustomValidity(field.description);
    else {
      input.setCustomValidity('');
      change(read);
    }
    input.reportValidity();
  };
  if (kind === 'choice') {
    return (
      <select
        class="input"
        value={String(value)}
        disabled={isFixed}
        onChange={(event) => change(event.currentTarget.value)}
      >
        {choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  }
  if (kind === 'lines') {
    return (
      <textarea
        class="input"
        rows={3}
        value={(value as readonly string[] | undefined)?.join('\n')}
        disabled={isFixed}
        onChange={save}
      />
    );
  }
  const shown =
    value === null || value === undefined
      ? ''
      : kind === 'rate'
        ? String(Number(value) / 1024)
        : String(value);
  return (
    <input
      class="input"
      inputMode={kind === 'text' ? 'text' : 'decimal'}
      placeholder={isOptional ? say('settings.none') : undefined}
      value={shown}
      disabled={isFixed}
      onChange={save}
    />
  );
}
