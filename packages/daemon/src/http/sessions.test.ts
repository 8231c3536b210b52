import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEntropy } from '@tequio/runtime';
import { startFront } from './http-front.fixture.ts';
import { httpLimits } from './http-limits.ts';
import { type KeptSession, Sessions } from './sessions.ts';

test('who was in is in after a restart, for as long as before, and who went out stays out', () => {
  let kept: readonly KeptSession[] = [];
  const first = new Sessions(createEntropy(), [], (sessions) => {
    kept = sessions;
  });
  const [stays, goes, old] = [1, 2, 3].map((nowMs) => first.open({ user: 'ana', scope: 'write' }, nowMs));
  first.close(goes!);
  assert.ok(!JSON.stringify(kept).includes(stays!), 'ids are not kept');
  const second = new Sessions(createEntropy(), kept);
  assert.deepEqual(second.find(stays!, 10), { user: 'ana', scope: 'write', by: 'session' });
  assert.equal(second.find(goes!, 10), null);
  assert.equal(second.find(old!, 4 + httpLimits.sessionIdleMs), null);
  second.closeOf('ana', null);
  assert.deepEqual(second.kept(), []);
});

test('they are kept in a file, as hashes', async (t) => {
  const { ask, url, written, close } = await startFront(t);
  const token = url.split('#token=')[1];
  const { status } = await ask('/api/v1/session', { method: 'POST', json: { token }, known: false });
  assert.equal(status, 200);
  await close();
  const bytes = written.get('/data/sessions.json');
  assert.equal((JSON.parse(new TextDecoder().decode(bytes)) as unknown[]).length, 1);
});
