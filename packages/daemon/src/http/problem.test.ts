import { deepEqual, ok } from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { problemCodes } from '@tequio/api/http';
import { NodeError } from '@tequio/kernel';
import { HttpError } from './http-fault.ts';
import { problemOf } from './problem.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

test('every code that the server answers with is in the table, with its status', () => {
  const table: Readonly<Record<string, { readonly status: number }>> = problemCodes;
  let count = 0;
  for (const path of globSync('*.ts', { cwd: here })) {
    if (path.includes('.test.')) continue;
    const text = readFileSync(here + path, 'utf8');
    const uses = text.matchAll(/(?:new HttpError|problemResponse)\(\s*(\d{3}),\s*'([A-Z_]+)'/g);
    for (const [, status, code] of [...uses, ...text.matchAll(/status: (\d{3}),\s*code: '(HTTP_\w+)'/g)]) {
      ok(table[code!] !== undefined, `${path}: ${code}`);
      // A path that is no path at all is malformed rather than missing.
      if (code !== 'HTTP_PATH') deepEqual([code, table[code!]!.status], [code, Number(status)], path);
      count++;
    }
  }
  ok(count > 25, `${count} uses found`);
});

test('errors of the node go out with their sentence, and mistakes of ours not at all', () => {
  const known = problemOf(new NodeError('TORRENT_MISSING', 'There is none.', { data: { secret: 1 } }));
  deepEqual(
    [known?.status, JSON.parse(String(known?.body))],
    [
      404,
      {
        type: 'urn:tequio:TORRENT_MISSING',
        title: 'Not found',
        status: 404,
        detail: 'There is none.',
        code: 'TORRENT_MISSING',
      },
    ],
  );
  deepEqual(problemOf(new NodeError('ANYTHING_ELSE', 'No.', { retry: true }))?.status, 422);
  deepEqual(problemOf(new HttpError(410, 'HTTP_LINK_EXPIRED', 'Old.'))?.status, 410);
  deepEqual(problemOf(new TypeError('ours')), null);
});
