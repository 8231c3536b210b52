import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf, readField, valueAt } from './setting-fields.ts';

const schema = {
  type: 'object',
  properties: {
    version: { const: 1 },
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
        schedule: { type: 'array', items: { type: 'object' } },
        hosts: { type: 'array', items: { type: 'string', pattern: '^a', maxLength: 9 }, maxItems: 2 },
      },
    },
  },
};

test('a field for every value, none for lists of things', () => {
  const fields = fieldsOf(schema);
  assert.deepEqual(
    fields.map(({ key, kind, isOptional }) => [key, kind, isOptional]),
    [
      ['bittorrent.port', 'number', true],
      ['bittorrent.dht', 'switch', false],
      ['bittorrent.limitUp', 'rate', true],
      ['bittorrent.transport', 'choice', false],
      ['bittorrent.hosts', 'list', false],
    ],
  );
  assert.equal(fields[0]?.max, 65535);
  assert.deepEqual(fields[4]?.rules, { pattern: /^a/u, lengthMax: 9, countMax: 2 });
});

test('texts become values, and what is none is said to be none', () => {
  const [port, , rate] = fieldsOf(schema);
  assert.equal(readField(port!, ' '), null);
  assert.equal(readField(port!, '27272'), 27272);
  assert.equal(readField(port!, 'x'), undefined);
  assert.equal(readField(rate!, '1,5'), 1536);
  assert.equal(valueAt({ bittorrent: { port: 1 } }, 'bittorrent.port'), 1);
});
