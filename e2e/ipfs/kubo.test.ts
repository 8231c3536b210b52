import { deepEqual, equal, match } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Kubo, whyNoKubo } from '../lab/kubo.ts';
import { skipWithout } from '../lab/missing.ts';

test('kubo runs here with a repository of its own, and gives what it was given', async (t) => {
  const missing = whyNoKubo();
  if (missing !== null) return skipWithout(t, missing);
  const folder = mkdtempSync(join(tmpdir(), 'tequio-kubo-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubo = new Kubo(folder);
  t.after(() => kubo.stop());
  await kubo.startDaemon('--offline');
  const cid = kubo.sayOf(Buffer.from('hello world'), 'add', '-Q', '--cid-version=1', '--raw-leaves');
  const digest = createHash('sha256').update('hello world').digest('hex');
  match(kubo.say('cid', 'format', '-f', '%D', '-b', 'base16', cid), new RegExp(`${digest}$`, 'i'));
  deepEqual(kubo.run('cat', cid).stdout, Buffer.from('hello world'));
  const answer = await fetch(`${kubo.gatewayUrl}/ipfs/${cid}`, { signal: AbortSignal.timeout(30_000) });
  equal(await answer.text(), 'hello world');
  match(kubo.apiUrl, /^http:\/\/127\.0\.0\.1:\d+$/);
});
