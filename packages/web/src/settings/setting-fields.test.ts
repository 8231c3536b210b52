import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeOf, fieldsOf, readField, valueAt } from './setting-fields.ts';

const schema = {
  type: 'object',
  properties: {
    version: { const: 1, type: 'number' },
    watch: {
      type: 'array',
      maxItems: 50,
      items: {
        type: 'object',
        properties: {
          path: { type: 'string', maxLength: 9, pattern: '^/' },
          category: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null },
          days: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 6 }, default: [1] },
          fromMinute: { type: 'integer', minimum: 0, maximum: 1439, unit: 'minute of the day' },
        },
      },
    },
    bittorrent: {
      type: 'object',
      properties: {
        port: {
          anyOf: [{ type: 'integer', minimum: 0, maximum: 65535 }, { type: 'null' }],
          description: 'A port.',
        },
        dht: { type: 'boolean' },
        limitUp: { anyOf: [{ type: 'integer' }, { type: 'null' }], unit: 'B/s' },
        transport: { enum: ['both', 'tcp'], type: 'string' },
        odd: { type: 'array', items: { type: 'array' } },
        hosts: { type: 'array', items: { type: 'string', pattern: '^a', maxLength: 9 }, maxItems: 2 },
      },
    },
  },
};

test('a field for every value, none for what the page cannot show', () => {
  const fields = fieldsOf(schema);
  assert.deepEqual(
    fields.map(({ key, kind, isOptional }) => [key, kind, isOptional]),
    [
      ['watch', 'things', false],
      ['bittorrent.port', 'number', true],
      ['bittorrent.dht', 'switch', false],
      ['bittorrent.limitUp', 'rate', true],
      ['bittorrent.transport', 'choice', false],
      ['bittorrent.hosts', 'list', false],
    ],
  );
  assert.equal(fields[1]?.max, 65535);
  assert.deepEqual(fields[5]?.rules, { pattern: /^a/iu, lengthMax: 9, countMax: 2 });
});

test('the things of a list have fields of their own, with what they begin with', () => {
  const [watch] = fieldsOf(schema);
  assert.equal(watch!.countMax, 50);
  assert.deepEqual(
    watch!.parts.map(({ key, kind, usual }) => [key, kind, usual]),
    [
      ['watch.path', 'text', undefined],
      ['watch.category', 'text', null],
      ['watch.days', 'days', [1]],
      ['watch.fromMinute', 'time', undefined],
    ],
  );
  const [path, category] = watch!.parts;
  assert.equal(readField(path!, 'in'), undefined);
  assert.equal(readField(path!, '/in'), '/in');
  assert.equal(readField(path!, '/in-and-out'), undefined);
  assert.equal(readField(category!, ''), null);
  assert.deepEqual(changeOf('watch', []), { watch: [] });
  assert.deepEqual(changeOf('http.address', 'a'), { http: { address: 'a' } });
});

test('texts become values, and what is none is said to be none', () => {
  const [, port, , rate] = fieldsOf(schema);
  assert.equal(readField(port!, ' '), null);
  assert.equal(readField(port!, '27272'), 27272);
  assert.equal(readField(port!, 'x'), undefined);
  assert.equal(readField(rate!, '1,5'), 1536);
  assert.equal(valueAt({ bittorrent: { port: 1 } }, 'bittorrent.port'), 1);
});
