import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

type Props = {
  readonly class: string;
  readonly type?: 'text' | 'number';
  readonly min?: string;
  readonly step?: string;
  readonly inputMode?: 'text' | 'decimal';
  readonly placeholder?: string | undefined;
  readonly disabled?: boolean;
  readonly required?: boolean;
  readonly 'aria-describedby'?: string;
  readonly 'aria-label'?: string;
  readonly value: string;
  /** The user is done with it, with Enter or by going on. */
  readonly save: (input: HTMLInputElement) => unknown;
};

/** A field whose text stays what the user is writing, until the node says that the setting itself is another. */
export function DraftInput({ value, save, type = 'text', ...rest }: Props): JSX.Element {
  const [draft, setDraft] = useState<{ readonly text: string; readonly of: string } | null>(null);
  return (
    <input
      {...rest}
      type={type as 'text'}
      value={draft?.of === value ? draft.text : value}
      onInput={(event) => setDraft({ text: event.currentTarget.value, of: value })}
      onChange={(event) => save(event.currentTarget)}
    />
  );
}
