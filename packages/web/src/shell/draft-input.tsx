import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

type Props = {
  readonly class: string;
  readonly type?: 'text' | 'number';
  readonly min?: string;
  readonly step?: string;
  readonly inputMode?: 'text' | 'decimal';
  readonly placeholder?: string | undefined;
  readonly disabled?: boolean;
  readonly 'aria-describedby'?: string;
  readonly value: string;
  /** The user is done with it, with Enter or by going on. */
  readonly save: (input: HTMLInputElement) => unknown;
};

/** A field whose text stays what the user is writing, whatever the node says of it meanwhile. */
export function DraftInput({ value, save, type = 'text', ...rest }: Props): JSX.Element {
  const [draft, setDraft] = useState<string | null>(null);
  useEffect(() => setDraft(null), [value]);
  return (
    <input
      {...rest}
      type={type as 'text'}
      value={draft ?? value}
      onInput={(event) => setDraft(event.currentTarget.value)}
      onChange={(event) => save(event.currentTarget)}
    />
  );
}
