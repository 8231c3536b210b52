import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { openApiDocument } from './openapi.ts';
import { routeSchemas } from './route-schemas.ts';
import { routeNames, routes } from './routes.ts';

type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: object;
};
type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
};

const document = JSON.parse(JSON.stringify(openApiDocument('1.2.3'))) as {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

test('the description is of version 3.1, and has every route of the table once', () => {
  assert.match(document.openapi, /^3\.1\.\d+$/);
  assert.deepEqual(document.info.version, '1.2.3');
  assert.deepEqual(operations.map(({ operation }) => operation.operationId).sort(), [...routeNames].sort());
  for (const { path, method, operation } of operations) {
    const route = routes[operation.operationId as keyof typeof routes];
    assert.deepEqual([method, path], [route.method.toLowerCase(), `/api/v1${route.path}`]);
    assert.ok(operation.summary.length > 0);
  }
});

test('every part of a path is a parameter, every answer has words, and every reference leads somewhere', () => {
  for (const { path, operation } of operations) {
    const inPath = operation.parameters.filter((parameter) => parameter.in === 'path');
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    assert.deepEqual(inPath.map(({ name }) => name).sort(), named.sort(), path);
    assert.ok(inPath.every(({ required }) => required));
    assert.ok(operation.parameters.every(({ schema }) => Object.keys(schema).length > 0));
    const answers = Object.values(operation.responses);
    assert.ok(answers.length > 0 && answers.every(({ description }) => description.length > 0), path);
  }
  const text = JSON.stringify(document);
  for (const [, pointer] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = pointer!
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
    assert.ok(found !== undefined, pointer);
  }
});

test('the schemas that describe bodies judge as those that check them', () => {
  const id = 'ab'.repeat(20);
  const samples = [
    ['torrents.add', { source: { magnet: `magnet:?xt=urn:btih:${id}` }, tags: ['a'] }, { source: 5 }],
    ['torrents.pause', { ids: [id] }, { ids: ['no hash'] }],
    ['torrents.verify', { torrent: 'ZGU=', path: '/a' }, { torrent: 'ZGU=', path: 'a' }],
    ['torrents.create', { path: '/a', version: 'v1', similar: [id] }, { path: '/a', version: 'v3' }],
    [
      'users.put',
      { name: 'ana', scope: 'read', folder: null, quotaBytes: null, torrentCountMax: 3 },
      { name: 'Ana' },
    ],
    ['torrents.move', { ids: [id], folder: '/a b' }, { ids: [id], folder: 'relative' }],
    ['keys.make', { name: 'k', scope: 'read' }, { name: '', scope: 'read' }],
  ] as const;
  for (const [name, good, bad] of samples) {
    const { operation } = operations.find((one) => one.operation.operationId === name)!;
    const described = z.fromJSONSchema(operation.requestBody!.content['application/json']!.schema as never);
    const checked = (routeSchemas[name] as unknown as { readonly body: z.ZodType }).body;
    for (const [body, isGood] of [
      [good, true],
      [bad, false],
    ] as const) {
      assert.equal(checked.safeParse(body).success, isGood, `${name}: what checks`);
      assert.equal(described.safeParse(body).success, isGood, `${name}: what describes`);
    }
  }
});
