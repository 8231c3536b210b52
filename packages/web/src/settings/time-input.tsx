import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

type Props = {
  readonly hintId: string;
  readonly isFixed: boolean;
  /** Since midnight; null: none yet. */
  readonly minute: number | null;
  readonly save: (minute: number) => void;
};

/** A time of day. It is taken when the user goes on, not with each figure: half a time is a time too. */
export function TimeInput({ hintId, isFixed, minute, save }: Props): JSX.Element {
  /** What the user is writing stays, whatever else is drawn anew meanwhile. */
  const [draft, setDraft] = useState<{ readonly text: string; readonly of: number | null } | null>(null);
  const take = (input: HTMLInputElement): void => {
    const read = minuteIn(input.value);
    if (read !== null && read !== minute) save(read);
  };
  return (
    <input
      class="input"
      type="time"
      required
      disabled={isFixed}
      aria-describedby={hintId}
      value={draft !== null && draft.of === minute ? draft.text : textOf(minute)}
      onInput={(event) => setDraft({ text: event.currentTarget.value, of: minute })}
      onBlur={(event) => take(event.currentTarget)}
      onKeyDown={(event) => event.key === 'Enter' && take(event.currentTarget)}
    />
  );
}

function textOf(minute: number | null): string {
  if (minute === null) return '';
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** As browsers give it, `22:05`, whatever the language. */
function minuteIn(text: string): number | null {
  const [, hour, minute] = /^(\d\d):(\d\d)/.exec(text) ?? [];
  return hour === undefined ? null : 60 * Number(hour) + Number(minute);
}
