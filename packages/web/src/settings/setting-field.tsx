import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import { status } from '../node.ts';
import { DraftInput } from '../shell/draft-input.tsx';
import { language, say } from '../words/words.ts';
import { listExamples } from './list-examples.ts';
import { ListInput } from './list-input.tsx';
import { readField, type SettingField } from './setting-fields.ts';
import { choiceWords, settingWords, unitWords } from './setting-words.ts';

type FieldProps = {
  readonly field: SettingField;
  readonly value: unknown;
  /** A flag or a variable says what it is. */
  readonly isFixed: boolean;
  readonly change: (next: (now: unknown) => unknown) => Promise<boolean>;
};

export function Field(props: FieldProps): JSX.Element {
  const { field, value, isFixed, change } = props;
  const { key, kind } = field;
  const hintId = useId();
  const words = settingWords[key];
  const name = words?.[language.value] ?? key;
  const text = language.value === 'es' && words !== undefined ? words.text : field.description;
  const unit = field.unit === null ? null : (unitWords[field.unit]?.[language.value] ?? field.unit);
  const hint = (
    <small id={hintId} class="hint plain-text">
      {text.split('`').map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}{' '}
      {field.isLate && !isFixed && say('settings.restartHint')} {isFixed && say('settings.fixed')}
    </small>
  );
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
  if (kind === 'list') return <ListField {...props} name={name} hint={hint} hintId={hintId} />;
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

type ListFieldProps = FieldProps & {
  readonly name: string;
  readonly hint: JSX.Element;
  readonly hintId: string;
};

function ListField({ field, value, isFixed, change, name, hint, hintId }: ListFieldProps): JSX.Element {
  return (
    <div class="field" role="group" aria-label={name} aria-describedby={hintId}>
      <span class="label" aria-hidden="true">
        {name}
      </span>
      {hint}
      <ListInput
        name={name}
        items={value as readonly string[]}
        rules={field.rules!}
        example={listExamples[field.key]}
        isFixed={isFixed}
        edit={(edit) => change((now) => edit(now as readonly string[]))}
      />
    </div>
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
    if (read === undefined) input.setCustomValidity(say('settings.wrong'));
    else {
      input.setCustomValidity('');
      change(() => read);
    }
    input.reportValidity();
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
      value={shown}
      save={save}
    />
  );
}
