import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import { status } from '../node.ts';
import { DraftInput } from '../shell/draft-input.tsx';
import { language, say } from '../words/words.ts';
import { CategoryInput } from './category-input.tsx';
import { DaysInput } from './days-input.tsx';
import type { ListEdit } from './list-edits.ts';
import { ListInput } from './list-input.tsx';
import { type FieldProps, readField, type SettingField } from './setting-fields.ts';
import { choiceWords, settingWords, unitWords } from './setting-words.ts';
import { textExamples } from './text-examples.ts';
import { ThingsInput } from './things-input.tsx';
import { TimeInput } from './time-input.tsx';

export function Field(props: FieldProps): JSX.Element {
  const { field, value, isFixed, change } = props;
  const { key, kind } = field;
  const hintId = useId();
  const words = settingWords[key];
  const name = words?.[language.value] ?? key;
  const text = (language.value === 'es' ? words?.text : words?.textEn) ?? field.description;
  const unit =
    field.unit === null || kind === 'time' ? null : (unitWords[field.unit]?.[language.value] ?? field.unit);
  const hint = <Hint id={hintId} text={text} isLate={field.isLate} isFixed={isFixed} />;
  if (kind === 'switch') {
    return (
      <div class="field">
        <label class="check">
          <input
            type="checkbox"
            checked={value === true}
            disabled={isFixed}
            aria-describedby={hintId}
            onChange={({ currentTarget: { checked } }) => change(() => checked)}
          />
          <b>{name}</b>
        </label>
        {hint}
      </div>
    );
  }
  if (kind === 'list' || kind === 'things' || kind === 'days')
    return <GroupField {...props} name={name} hint={hint} hintId={hintId} />;
  return (
    <div class="field">
      <label>
        <span class="label">
          {name} {unit !== null && <span class="soft">({unit})</span>}
        </span>
        <Input {...props} hintId={hintId} />
      </label>
      {hint}
    </div>
  );
}

type HintProps = {
  readonly id: string;
  readonly text: string;
  readonly isLate: boolean;
  readonly isFixed: boolean;
};

function Hint({ id, text, isLate, isFixed }: HintProps): JSX.Element {
  return (
    <small id={id} class="hint plain-text">
      {text.split('`').map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}{' '}
      {isLate && !isFixed && say('settings.restartHint')} {isFixed && say('settings.fixed')}
    </small>
  );
}

type GroupFieldProps = FieldProps & {
  readonly name: string;
  readonly hint: JSX.Element;
  readonly hintId: string;
};

/** Of several fields, which have its name together. */
function GroupField(props: GroupFieldProps): JSX.Element {
  const { name, hint, hintId } = props;
  return (
    <div class="field" role="group" aria-label={name} aria-describedby={hintId}>
      <span class="label" aria-hidden="true">
        {name}
      </span>
      {hint}
      <GroupInput {...props} />
    </div>
  );
}

function GroupInput({ field, value, isFixed, change, name }: GroupFieldProps): JSX.Element {
  const edit = <Item,>(edit: ListEdit<Item>): Promise<boolean> => change((now) => edit(now as Item[]));
  if (field.kind === 'days') return <DaysInput isFixed={isFixed} days={value as number[]} edit={edit} />;
  const common = { name, isFixed, edit };
  if (field.kind === 'things')
    return <ThingsInput {...common} field={field} things={value as Record<string, unknown>[]} Part={Field} />;
  return (
    <ListInput
      {...common}
      items={value as readonly string[]}
      rules={field.rules!}
      example={textExamples[field.key]}
    />
  );
}

/** What holds when nothing is said. */
function usualOf({ key, kind }: SettingField): string {
  if (key === 'folders.download') return status.value?.downloadFolder ?? '';
  if (key === 'bittorrent.port') return '27272';
  return kind === 'rate' ? say('detail.noLimit') : say('settings.none');
}

function Input({
  field,
  value,
  isFixed,
  change,
  hintId,
}: FieldProps & { readonly hintId: string }): JSX.Element {
  const { kind, choices, isOptional } = field;
  const save = (input: HTMLInputElement): void => {
    const read = readField(field, input.value);
    const example = textExamples[field.key];
    const wrong = example === undefined ? say('settings.wrong') : say('settings.wrongItem', { example });
    input.setCustomValidity(read === undefined ? wrong : '');
    if (input.reportValidity()) change(() => read);
  };
  const common = { class: 'input', disabled: isFixed, 'aria-describedby': hintId } as const;
  if (kind === 'choice') {
    return (
      <select
        {...common}
        value={String(value)}
        onChange={({ currentTarget: { value: chosen } }) => change(() => chosen)}
      >
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {choiceWords[choice]?.[language.value] ?? choice}
          </option>
        ))}
      </select>
    );
  }
  if (kind === 'time') {
    const minute = value as number | null;
    return (
      <TimeInput hintId={hintId} isFixed={isFixed} minute={minute} save={(next) => change(() => next)} />
    );
  }
  if (field.key === 'watch.category') {
    const category = value as string | null;
    return (
      <CategoryInput
        hintId={hintId}
        isFixed={isFixed}
        category={category}
        save={(next) => change(() => next)}
      />
    );
  }
  const shown =
    value === null || value === undefined
      ? ''
      : kind === 'rate'
        ? String(Math.round((Number(value) / 1024) * 100) / 100)
        : String(value);
  return (
    <DraftInput
      {...common}
      inputMode={kind === 'text' ? 'text' : 'decimal'}
      placeholder={isOptional ? usualOf(field) : undefined}
      required={field.usual === undefined}
      value={shown}
      save={save}
    />
  );
}
