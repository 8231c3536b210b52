import type { ComponentType, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../shell/icon.tsx';
import { say } from '../words/words.ts';
import { add, change, type ListEdit, remove } from './list-edits.ts';
import type { FieldProps, SettingField } from './setting-fields.ts';
import { thingName } from './thing-names.ts';

type Thing = Readonly<Record<string, unknown>>;

type Props = {
  readonly name: string;
  readonly field: SettingField;
  readonly things: readonly Thing[];
  readonly isFixed: boolean;
  /** The field of a part. */
  readonly Part: ComponentType<FieldProps>;
  /** @returns whether the node has taken it */
  readonly edit: (edit: ListEdit<Thing>) => Promise<boolean>;
};

/** A list of things with parts: each is a line that opens, and another is written in a form of its own. */
export function ThingsInput(props: Props): JSX.Element {
  const { name, field, things, isFixed, edit } = props;
  const [isAdding, setAdding] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  /** Whoever takes a thing away is at the next one then, or where one is added; -1: there in any case. */
  const goTo = useRef<number | null>(null);
  const isReady = !isAdding;
  useEffect(() => {
    if (goTo.current === null || !isReady) return;
    const buttons = box.current!.querySelectorAll<HTMLElement>(':scope > ul > li > button');
    const next = buttons[Math.min(goTo.current, buttons.length - 1)];
    (next ?? box.current!.querySelector<HTMLElement>(':scope > .add-thing'))?.focus();
    goTo.current = null;
  }, [things, isReady]);
  const takeAway = (index: number, thing: Thing): void => {
    goTo.current = index;
    void edit(remove(index, thing));
  };
  const end = (): void => {
    goTo.current = -1;
    setAdding(false);
  };
  return (
    <div ref={box} class="list-input">
      {things.length === 0 && !isAdding && <p class="soft">{say('settings.emptyList')}</p>}
      <ul>
        {things.map((thing, index) => (
          <Row key={index} {...props} index={index} thing={thing} takeAway={() => takeAway(index, thing)} />
        ))}
      </ul>
      {isAdding && <NewThing {...props} end={end} />}
      {!isFixed && !isAdding && things.length < field.countMax && (
        <button
          type="button"
          class="button add-thing"
          aria-label={`${say('add.go')}: ${name}`}
          onClick={() => setAdding(true)}
        >
          <Icon name="add" />
          {say('add.go')}
        </button>
      )}
    </div>
  );
}

type RowProps = Props & {
  readonly index: number;
  readonly thing: Thing;
  readonly takeAway: () => void;
};

function Row({ name, field, isFixed, Part, edit, index, thing, takeAway }: RowProps): JSX.Element {
  const called = thingName(field.key, thing) ?? `${name} ${index + 1}`;
  return (
    <li class="list-item">
      <details class="thing">
        <summary class="plain-text">{called}</summary>
        <div class="stack" role="group" aria-label={called}>
          <Parts
            field={field}
            thing={thing}
            isFixed={isFixed}
            Part={Part}
            change={(next) => edit(change(index, thing, next))}
          />
        </div>
      </details>
      {!isFixed && (
        <button
          type="button"
          class="button icon quiet"
          title={say('act.remove')}
          aria-label={`${say('act.remove')}: ${called}`}
          onClick={takeAway}
        >
          <Icon name="remove" />
        </button>
      )}
    </li>
  );
}

function NewThing({ name, field, Part, edit, end }: Props & { readonly end: () => void }): JSX.Element {
  // What the last field has said is there when the button is pressed with the same key.
  const draft = useRef<Thing>(
    Object.fromEntries(field.parts.map(({ key, usual }) => [partName(key), usual ?? null])),
  );
  const [, redraw] = useState({});
  const form = useRef<HTMLDivElement>(null);
  useEffect(() => form.current!.querySelector<HTMLElement>('input, select')?.focus(), []);
  const write = async (): Promise<void> => {
    // What stands in the field of a list, not added yet, was meant as well.
    for (const list of form.current!.querySelectorAll('form')) list.requestSubmit();
    const inputs = form.current!.querySelectorAll<HTMLInputElement>('input, select');
    if ([...inputs].every((input) => input.reportValidity()) && (await edit(add([draft.current])))) end();
  };
  return (
    <div ref={form} class="thing stack" role="group" aria-label={`${say('add.go')}: ${name}`}>
      <Parts
        field={field}
        thing={draft.current}
        isFixed={false}
        Part={Part}
        change={async (next) => {
          draft.current = next(draft.current);
          redraw({});
          return true;
        }}
      />
      <div class="row">
        <button type="button" class="button primary" onClick={write}>
          {say('add.go')}
        </button>
        <button type="button" class="button quiet" onClick={end}>
          {say('act.cancel')}
        </button>
      </div>
    </div>
  );
}

type PartsProps = Pick<Props, 'field' | 'isFixed' | 'Part'> & {
  readonly thing: Thing;
  readonly change: (next: (thing: Thing) => Thing) => Promise<boolean>;
};

function Parts({ field, thing, isFixed, Part, change }: PartsProps): JSX.Element {
  return (
    <div class="thing-parts">
      {field.parts.map((part) => {
        const name = partName(part.key);
        return (
          <Part
            key={name}
            field={part}
            value={thing[name]}
            isFixed={isFixed}
            change={(next) => change((now) => ({ ...now, [name]: next(now[name]) }))}
          />
        );
      })}
    </div>
  );
}

function partName(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}
