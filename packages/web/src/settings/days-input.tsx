import type { JSX } from 'preact';
import { say } from '../words/words.ts';
import { weekdays } from './weekdays.ts';

type Props = {
  readonly isFixed: boolean;
  /** 0 is Sunday. */
  readonly days: readonly number[];
  /** Of the days as they are by then: two may be pressed before the first is seen. */
  readonly edit: (next: (now: readonly number[]) => readonly number[]) => void;
};

/** Days of the week, of which at least one is chosen. */
export function DaysInput({ isFixed, days, edit }: Props): JSX.Element {
  const turn = (input: HTMLInputElement, day: number): void => {
    const { checked } = input;
    const isLast = !checked && days.every((other) => other === day);
    if (isLast) input.checked = true;
    else
      edit((now) => {
        const others = now.filter((other) => other !== day);
        if (checked) return [...others, day].sort();
        return others.length === 0 ? now : others;
      });
    input.setCustomValidity(isLast ? say('settings.noDay') : '');
    input.reportValidity();
  };
  return (
    <div class="days">
      {weekdays().map(({ day, short, long }) => (
        <label key={day} class="day">
          <input
            type="checkbox"
            disabled={isFixed}
            checked={days.includes(day)}
            aria-label={long}
            onChange={(event) => turn(event.currentTarget, day)}
          />
          <span aria-hidden="true">{short}</span>
        </label>
      ))}
    </div>
  );
}
