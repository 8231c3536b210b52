import { useEffect, useState } from 'preact/hooks';
import { node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { say } from '../words/words.ts';
import { changeOf, fieldsOf, type SettingField } from './setting-fields.ts';

export type KnownSettings = {
  readonly fields: ReadonlyMap<string, SettingField>;
  readonly settings: unknown;
  readonly origins: Readonly<Record<string, string>>;
};

/** The node's settings, and what changes one of them. Null: not known yet. */
export function useSettings(): {
  readonly known: KnownSettings | null;
  readonly change: (key: string, value: unknown) => Promise<void>;
} {
  const [known, setKnown] = useState<KnownSettings | null>(null);
  const load = (): Promise<boolean> => attempt(async () => setKnown(await readAll()));
  useEffect(() => void load(), []);
  const change = async (key: string, value: unknown): Promise<void> => {
    await attempt(async () => {
      const { restartNeeded } = await node.settings.patch(changeOf(key, value));
      tell(say(restartNeeded.length === 0 ? 'settings.saved' : 'settings.savedLate'));
    });
    await load();
  };
  return { known, change };
}

async function readAll(): Promise<KnownSettings> {
  const [schema, settings, origins] = await Promise.all([
    node.settings.schema(),
    node.settings.get(),
    node.settings.origins(),
  ]);
  return { fields: new Map(fieldsOf(schema).map((field) => [field.key, field])), settings, origins };
}
