import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languageOf } from './language.ts';

test('language: the first of LC_ALL, LC_MESSAGES, LANG that is set', () => {
  assert.equal(languageOf({}), 'en');
  assert.equal(languageOf({ LANG: 'es_ES.UTF-8' }), 'es');
  assert.equal(languageOf({ LANG: 'es' }), 'es');
  assert.equal(languageOf({ LANG: 'est_EE' }), 'en');
  assert.equal(languageOf({ LC_ALL: '', LC_MESSAGES: 'es_MX', LANG: 'en_US' }), 'es');
  assert.equal(languageOf({ LC_ALL: 'C', LANG: 'es_MX' }), 'en');
});
