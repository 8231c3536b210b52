import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsJsonSchema } from '@tequio/api/settings';
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
