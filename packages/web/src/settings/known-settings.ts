import { useEffect, useRef, useState } from 'preact/hooks';
import { node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { say } from '../words/words.ts';
import { changeOf, fieldsOf, type SettingField, valueAt } from './setting-fields.ts';

export type KnownSettings = {
  readonly fields: ReadonlyMap<string, SettingField>;
  readonly settings: unknown;
  readonly origins: Readonly<Record<string, string>>;
};

/** @param next what comes of the value that it has by then @returns whether the node has taken it */
export type ChangeSetting = (key: string, next: (now: unknown) => unknown) => Promise<boolean>;

/** The node's settings, and what changes one of them: one after the other. Null: not known yet. */
export function useSettings(): {
  readonly known: KnownSettings | null;
  readonly change: ChangeSetting;
} {
  const [known, setKnown] = useState<KnownSettings | null>(null);
  const last = useRef<Promise<unknown>>(Promise.resolve());
  const waiting = useRef(0);
  const load = (): Promise<boolean> => attempt(async () => setKnown(await readAll()));
  useEffect(() => void load(), []);
  const change: ChangeSetting = (key, next) => {
    waiting.current++;
    const done = last.current.then(async () => {
      const isTaken = await attempt(async () => {
        const value = next(valueAt(await node.settings.get(), key));
        const { restartNeeded } = await node.settings.patch(changeOf(key, value));
        tell(say(restartNeeded.length === 0 ? 'settings.saved' : 'settings.savedLate'));
      });
      waiting.current--;
      // What the next one changes would look as it was, until that is done too.
      if (waiting.current === 0) await load();
      return isTaken;
    });
    last.current = done;
    return done;
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
