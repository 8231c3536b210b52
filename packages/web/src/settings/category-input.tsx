import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { node } from '../node.ts';
import { say } from '../words/words.ts';

type Props = {
  readonly hintId: string;
  readonly isFixed: boolean;
  readonly category: string | null;
  readonly save: (category: string | null) => void;
};

/** One of the node's categories, for it refuses others; one that it does not have any more is still shown. */
export function CategoryInput({ hintId, isFixed, category, save }: Props): JSX.Element {
  const [known, setKnown] = useState<readonly string[]>([]);
  useEffect(
    () =>
      void node.torrents.categories().then(
        (all) => setKnown(all.map(({ name }) => name)),
        () => {},
      ),
    [],
  );
  const names = category === null || known.includes(category) ? known : [category, ...known];
  return (
    <select
      class="input"
      disabled={isFixed}
      aria-describedby={hintId}
      value={category ?? ''}
      onChange={({ currentTarget: { value } }) => save(value === '' ? null : value)}
    >
      <option value="">{say('add.noCategory')}</option>
      {names.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}
