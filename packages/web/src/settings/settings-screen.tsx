import type { JSX } from 'preact';
import { language, say } from '../words/words.ts';
import { useSettings } from './known-settings.ts';
import { PageSettings } from './page-settings.tsx';
import type { SettingField } from './setting-fields.ts';
import { settingGroups } from './setting-groups.ts';
import { FieldList } from './setting-list.tsx';

type Shown = { readonly id: string; readonly name: string; readonly keys: readonly string[] };

export function SettingsScreen(): JSX.Element {
  const { known, change } = useSettings();
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
        {groups.map(({ id, name, keys }) => (
          <fieldset key={id} id={`settings-${id}`} class="card stack">
            <legend>{name}</legend>
            <FieldList keys={keys} known={known!} change={change} />
          </fieldset>
        ))}
      </div>
    </section>
  );
}

/** A newer node may have settings that this page does not know: they come last. */
function groupsOf(fields: ReadonlyMap<string, SettingField>): readonly Shown[] {
  const placed = new Set(settingGroups.flatMap(({ keys }) => keys));
  const others = [...fields.keys()].filter((key) => !placed.has(key));
  return [
    ...settingGroups.map(({ id, keys, ...names }) => ({
      id,
      name: names[language.value],
      keys: keys.filter((key) => fields.has(key)),
    })),
    { id: 'more', name: say('settings.more'), keys: others },
  ].filter((group) => group.keys.length > 0);
}

function showGroup(id: string): void {
  const group = document.getElementById(`settings-${id}`);
  group?.scrollIntoView({ block: 'start' });
  group?.querySelector<HTMLElement>('input, select, textarea, button')?.focus({ preventScroll: true });
}
