import type { JSX } from 'preact';
import { type ChangeSetting, type KnownSettings, useSettings } from './known-settings.ts';
import { Field } from './setting-field.tsx';
import { valueAt } from './setting-fields.ts';

type Props = { readonly keys: readonly string[] };

/** Some settings, on a screen that is about what they are for. Those that this node does not have are left out. */
export function SettingList({ keys }: Props): JSX.Element {
  const { known, change } = useSettings();
  if (known === null) return <p aria-busy="true" />;
  return <FieldList keys={keys} known={known} change={change} />;
}

type ListProps = Props & {
  readonly known: KnownSettings;
  readonly change: ChangeSetting;
};

export function FieldList({ keys, known, change }: ListProps): JSX.Element {
  const fields = keys.flatMap((key) => known.fields.get(key) ?? []);
  return (
    <>
      {fields.map((field) => (
        <Field
          key={field.key}
          field={field}
          value={valueAt(known.settings, field.key)}
          isFixed={['environment', 'flag'].includes(known.origins[field.key] ?? '')}
          change={(next) => change(field.key, next)}
        />
      ))}
    </>
  );
}
