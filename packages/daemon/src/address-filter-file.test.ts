import { deepEqual, equal, rejects } from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { IpAddress } from '@tequio/kernel';
import { createFiles } from '@tequio/runtime';
import { readAddressFilter } from './address-filter-file.ts';

test('a filter is read plain and packed; what is none is refused with a reason', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tequio-filter-'));
  try {
    const text = 'Company:192.0.2.0-192.0.2.255\nwrong\n2001:db8::/32\n';
    for (const bytes of [Buffer.from(text), gzipSync(text)]) {
      await writeFile(join(folder, 'list'), bytes);
      const { filter, badLines } = await readAddressFilter(join(folder, 'list'), createFiles());
      equal(filter.blocks('192.0.2.9' as IpAddress), true);
      deepEqual(badLines, [{ line: 2, message: 'This is no range of addresses.' }]);
    }
    const broken = gzipSync(text).subarray(0, 40);
    for (const [bytes, code] of [
      [broken, 'FILTER_UNREADABLE'],
      [Buffer.from('<html>'), 'FILTER_UNREADABLE'],
    ] as const) {
      await writeFile(join(folder, 'list'), bytes);
      await rejects(readAddressFilter(join(folder, 'list'), createFiles()), { code });
    }
    await rejects(readAddressFilter(join(folder, 'nothing'), createFiles()), { code: 'FILE_MISSING' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
