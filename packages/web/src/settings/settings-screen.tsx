import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { language, say } from '../words/words.ts';
import { PageSettings } from './page-settings.tsx';
import { Field } from './setting-field.tsx';
import { changeOf, fieldsOf, type SettingField, valueAt } from './setting-fields.ts';
import { settingGroups } from './setting-groups.ts';

type Known = {
  readonly fields: ReadonlyMap<string, SettingField>;
  readonly settings: unknown;
  readonly origins: Readonly<Record<string, string>>;
};

type Shown = { readonly id: string; readonly name: string; readonly fields: readonly SettingField[] };

export function SettingsScreen(): JSX.Element {
  const [known, setKnown] = useState<Known | null>(null);
  const load = (): Promise<boolean> => attempt(async () => setKnown(await readAll()));
  useEffect(() => void load(), []);
  const change = async (key: string, value: unknown): Promise<void> => {
    await attempt(async () => {
      const { restartNeeded } = await node.settings.patch(changeOf(key, value));
      tell(say(restartNeeded.length === 0 ? 'settings.saved' : 'settings.savedLate'));
    });
    await load();
  };
  const groups = known === null ? [] : groupsOf(known.fields);
  return (
    <section class="settings" aria-labelledby="settings-title">
      <nav class="settings-nav wide-only" aria-label={say('settings.sections')}>
        {[{ id: 'page', name: say('settings.page') }, ...groups].map(({ id, name }) => (
          <button key={id} type="button" class="choice" onClick={() => showGroup(id)}>
            {name}
          </button>
        ))}
      </nav>
      <div class="screen stack">
        <h1 id="settings-title">{say('settings.title')}</h1>
        <PageSettings />
        {groups.map(({ id, name, fields }) => (
          <fieldset key={id} id={`settings-${id}`} class="card stack">
            <legend>{name}</legend>
            {fields.map((field) => (
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
      </div>
    </section>
  );
}

async function readAll(): Promise<Known> {
  const [schema, settings, origins] = await Promise.all([
    node.settings.schema(),
    node.settings.get(),
    node.settings.origins(),
  ]);
  return { fields: new Map(fieldsOf(schema).map((field) => [field.key, field])), settings, origins };
}

/** A newer node may have settings that this page does not know: they come last. */
function groupsOf(fields: ReadonlyMap<string, SettingField>): readonly Shown[] {
  const placed = new Set(settingGroups.flatMap(({ keys }) => keys));
  const others = [...fields.values()].filter(({ key }) => !placed.has(key));
  return [
    ...settingGroups.map(({ id, keys, ...names }) => ({
      id,
      name: names[language.value],
      fields: keys.flatMap((key) => fields.get(key) ?? []),
    })),
    { id: 'more', name: say('settings.more'), fields: others },
  ].filter((group) => group.fields.length > 0);
}

function showGroup(id: string): void {
  const group = document.getElementById(`settings-${id}`);
  group?.scrollIntoView({ block: 'start' });
  group?.querySelector<HTMLElement>('input, select, textarea, button')?.focus({ preventScroll: true });
}
