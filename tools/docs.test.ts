import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { replacePart } from './docs.ts';
import { arrowsTable } from './docs-arrows.ts';
import { interopTables } from './docs-interop.ts';
import { natMappersTable, natPairsTable } from './docs-nat.ts';

test('docs/arrows.md says what tools/layers.ts checks', () => {
  const page = readFileSync(new URL('../docs/arrows.md', import.meta.url), 'utf8');
  assert.equal(replacePart(page, 'arrows', arrowsTable()), page, 'run: node tools/docs.ts arrows');
});

test('a part is replaced between its markers, and nothing else', () => {
  const page = 'a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n';
  assert.equal(replacePart(page, 'x', 'new\n'), 'a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n');
  assert.equal(replacePart('no markers', 'x', 'new\n'), null);
});

test('the tables of programs show what passed, what failed and nothing that was not tested', () => {
  const results = [
    {
      programs: { aria2: '1.36.0', Transmission: '3.00' },
      cells: [
        { program: 'aria2', what: 'gets-from', variant: 'v1', passed: true },
        { program: 'aria2', what: 'our-tracker', variant: 'HTTP', passed: true },
        { program: 'aria2', what: 'our-tracker', variant: 'UDP', passed: false },
        { program: 'Transmission', what: 'gets-from', variant: 'v1', passed: true },
      ],
    },
  ] as const;
  assert.equal(
    interopTables(results, 'en'),
    [
      '**Files**',
      '',
      '| program | Tequio downloads from it |',
      '| --- | --- |',
      '| aria2 1.36.0 | v1 |',
      '| Transmission 3.00 | v1 |',
      '',
      '**Trackers and proxies**',
      '',
      '| program | uses `tequio tracker` |',
      '| --- | --- |',
      '| aria2 1.36.0 | HTTP, UDP FAILED |',
      '',
    ].join('\n'),
  );
  assert.equal(interopTables([], 'en'), null);
});

test('the table of pairs has each pair once, by address family, with coarse times', () => {
  const pair = (a: string, b: string, means: 'punched' | null, seconds: number | null) =>
    ({ kinds: [a, b], means, transport: means === null ? null : 'utp', seconds }) as const;
  const pairs = [
    pair('b', 'a', 'punched', 2.9),
    pair('a', 'a', null, null),
    pair('b', 'b', 'punched', 70),
    pair('IPv6 c', 'IPv6 c', 'punched', 0.1),
  ];
  assert.equal(
    natPairsTable({ kinds: ['a', 'b', 'IPv6 c'], pairs }),
    [
      '| IPv4 | a | b |',
      '| --- | --- | --- |',
      '| a | no | punched, uTP, ≤ 5 s |',
      '| b |  | punched, uTP, > 60 s |',
      '',
      '| IPv6 | c |',
      '| --- | --- |',
      '| c | punched, uTP, ≤ 1 s |',
      '',
    ].join('\n'),
  );
});

test('the table of mappers names them as people do', () => {
  const seconds = { mappedSeconds: 0.4, reachedSeconds: 2, restartSeconds: 12, removedSeconds: 0.1 };
  const text = natMappersTable({ miniupnpd: '1', mappers: [{ mapper: 'igd-1', ipv6: false, ...seconds }] });
  assert.match(text, /\| UPnP IGD 1 \| yes \| it has none \| ≤ 1 s \| ≤ 20 s \| ≤ 1 s \|\n$/);
});
