import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsJsonSchema, settingsSchema } from '@tequio/api/settings';
import { isItem } from './list-edits.ts';
import { listExamples } from './list-examples.ts';
import { fieldsOf } from './setting-fields.ts';
import { settingGroups } from './setting-groups.ts';
import { choiceWords, settingWords, unitWords } from './setting-words.ts';

const fields = fieldsOf(settingsJsonSchema());
const keys = fields.map(({ key }) => key).sort();

test('every setting with a field has a name in both languages, and nothing else has', () => {
  assert.deepEqual(Object.keys(settingWords).sort(), keys);
  for (const [key, { en, es, text }] of Object.entries(settingWords)) {
    assert.ok(en !== '' && es !== '' && text !== '', key);
    assert.notEqual(text, fields.find((field) => field.key === key)!.description, key);
  }
});

test('every setting is in one group', () => {
  assert.deepEqual(settingGroups.flatMap((group) => group.keys).sort(), keys);
});

test('every choice and unit has words', () => {
  for (const { key, choices, unit, kind } of fields) {
    for (const choice of choices) assert.ok(Object.hasOwn(choiceWords, choice), `${key}: ${choice}`);
    if (unit !== null && kind !== 'rate') assert.ok(Object.hasOwn(unitWords, unit), `${key}: ${unit}`);
  }
});

test('every list has an example, which is right', () => {
  const lists = fields.filter(({ kind }) => kind === 'list');
  assert.deepEqual(Object.keys(listExamples).sort(), lists.map(({ key }) => key).sort());
  for (const { key, section, rules } of lists) {
    const example = listExamples[key]!;
    assert.ok(isItem(example, rules!), key);
    const settings = { [section]: { [key.slice(section.length + 1)]: [example] } };
    assert.ok(settingsSchema.safeParse(settings).success, key);
  }
});
