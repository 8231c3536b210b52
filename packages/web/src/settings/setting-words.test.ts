import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsJsonSchema, settingsSchema } from '@tequio/api/settings';
import { isItem } from './list-edits.ts';
import { changeOf, fieldsOf, type SettingField } from './setting-fields.ts';
import { settingGroups } from './setting-groups.ts';
import { choiceWords, settingWords, unitWords } from './setting-words.ts';
import { textExamples } from './text-examples.ts';

const fields = fieldsOf(settingsJsonSchema());
const keys = fields.map(({ key }) => key).sort();
const all = fields.flatMap((field) => [field, ...field.parts]);

test('every setting with a field has a name in both languages, and nothing else has', () => {
  assert.deepEqual(Object.keys(settingWords).sort(), all.map(({ key }) => key).sort());
  for (const [key, { en, es, text, textEn }] of Object.entries(settingWords)) {
    assert.ok(en !== '' && es !== '' && text !== '', key);
    assert.notEqual(textEn, '', key);
    assert.notEqual(text, all.find((field) => field.key === key)!.description, key);
  }
});

test('every setting is in one group', () => {
  assert.deepEqual(settingGroups.flatMap((group) => group.keys).sort(), keys);
});

test('every choice and unit has words', () => {
  for (const { key, choices, unit, kind } of all) {
    for (const choice of choices) assert.ok(Object.hasOwn(choiceWords, choice), `${key}: ${choice}`);
    if (unit !== null && kind !== 'rate' && kind !== 'time')
      assert.ok(Object.hasOwn(unitWords, unit), `${key}: ${unit}`);
  }
});

test('every list, and every text of which not all fits, has an example, which is right', () => {
  const strict = all.filter(({ kind, rules }) => kind === 'list' || (rules?.pattern ?? null) !== null);
  assert.deepEqual(Object.keys(textExamples).sort(), strict.map(({ key }) => key).sort());
  for (const { key, kind, rules } of strict) {
    const example = textExamples[key]!;
    assert.ok(isItem(example, rules!), key);
    const [section = '', name = ''] = key.split('.');
    const value = { [name]: kind === 'list' ? [example] : example };
    const settings = { [section]: section === 'watch' ? [{ path: '/in', ...value }] : value };
    assert.ok(settingsSchema.safeParse(settings).success, key);
  }
});

test('every list of things can be read and begun by the form that the page makes of it', () => {
  const lists = fields.filter(({ kind }) => kind === 'things');
  assert.deepEqual(lists.map(({ key }) => key).sort(), ['altLimits.schedule', 'watch']);
  for (const { key, parts, countMax } of lists) {
    assert.ok(countMax < 1000, key);
    const thing = parts.map((part) => [part.key.slice(key.length + 1), part.usual ?? someOf(part)]);
    const settings = changeOf(key, [Object.fromEntries(thing)]);
    assert.deepEqual(settingsSchema.safeParse(settings).error, undefined, key);
  }
});

function someOf({ kind }: SettingField): unknown {
  return kind === 'time' ? 480 : '/in';
}
