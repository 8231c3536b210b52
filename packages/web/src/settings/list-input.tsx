import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { DraftInput } from '../shell/draft-input.tsx';
import { Icon } from '../shell/icon.tsx';
import { say } from '../words/words.ts';
import { add, isItem, itemsIn, type ListEdit, type ListRules, remove, replace } from './list-edits.ts';

type Props = {
  readonly name: string;
  readonly items: readonly string[];
  readonly rules: ListRules;
  readonly example: string | undefined;
  readonly isFixed: boolean;
  /** @returns whether the node has taken it */
  readonly edit: (edit: ListEdit) => Promise<boolean>;
};

/** A list of texts: each can be changed and taken away, and others written, also several pasted at once. */
export function ListInput(props: Props): JSX.Element {
  const { items, rules, isFixed, edit } = props;
  const list = useRef<HTMLDivElement>(null);
  /** Whoever takes an item away is at the next one then, or where one is added. */
  const goTo = useRef<number | null>(null);
  useEffect(() => {
    if (goTo.current === null) return;
    const buttons = list.current!.querySelectorAll<HTMLElement>('li button');
    const next = buttons[Math.min(goTo.current, buttons.length - 1)];
    (next ?? list.current!.querySelector<HTMLElement>('form input'))?.focus();
    goTo.current = null;
  }, [items]);
  const takeAway = (index: number, item: string): void => {
    goTo.current = index;
    void edit(remove(index, item));
  };
  return (
    <div ref={list} class="list-input">
      {items.length === 0 && <p class="soft">{say('settings.emptyList')}</p>}
      <ul>
        {items.map((item, index) => (
          <Row key={index} {...props} index={index} item={item} takeAway={() => takeAway(index, item)} />
        ))}
      </ul>
      {!isFixed && items.length < rules.countMax && <NewItem {...props} />}
    </div>
  );
}

type RowProps = Props & {
  readonly index: number;
  readonly item: string;
  readonly takeAway: () => void;
};

function Row({ name, rules, example, isFixed, edit, index, item, takeAway }: RowProps): JSX.Element {
  const save = (input: HTMLInputElement): void => {
    const text = input.value.trim();
    if (text === '') takeAway();
    else if (check(input, [text], rules, example) && text !== item) void edit(replace(index, item, text));
  };
  return (
    <li class="list-item">
      <DraftInput
        class="input"
        aria-label={`${name} ${index + 1}`}
        disabled={isFixed}
        value={item}
        save={save}
      />
      {!isFixed && (
        <button
          type="button"
          class="button icon quiet"
          title={say('act.remove')}
          aria-label={`${say('act.remove')}: ${item}`}
          onClick={takeAway}
        >
          <Icon name="remove" />
        </button>
      )}
    </li>
  );
}

function NewItem({ name, rules, example, edit }: Props): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const fresh = useRef<HTMLInputElement>(null);
  const label = `${say('add.go')}: ${name}`;
  const write = async (texts: readonly string[]): Promise<void> => {
    const input = fresh.current!;
    if (isBusy || texts.length === 0 || !check(input, texts, rules, example)) return;
    setBusy(true);
    if (await edit(add(texts))) input.value = '';
    setBusy(false);
    input.focus();
  };
  const paste = (event: ClipboardEvent): void => {
    const texts = itemsIn(event.clipboardData?.getData('text') ?? '');
    if (texts.length < 2) return;
    event.preventDefault();
    void write(texts);
  };
  return (
    <form
      class="list-item"
      onSubmit={(event) => {
        event.preventDefault();
        void write(itemsIn(fresh.current!.value));
      }}
    >
      <input
        ref={fresh}
        class="input"
        type="text"
        aria-label={label}
        placeholder={example === undefined ? undefined : say('settings.example', { example })}
        onInput={(event) => event.currentTarget.setCustomValidity('')}
        onPaste={paste}
      />
      <button type="submit" class="button" aria-label={label}>
        {say('add.go')}
      </button>
    </form>
  );
}

/** Says at the field what is wrong, if anything is. */
function check(
  input: HTMLInputElement,
  texts: readonly string[],
  rules: ListRules,
  example: string | undefined,
): boolean {
  const isRight = texts.every((text) => isItem(text, rules));
  const wrong = example === undefined ? say('settings.wrong') : say('settings.wrongItem', { example });
  input.setCustomValidity(isRight ? '' : wrong);
  return input.reportValidity();
}
