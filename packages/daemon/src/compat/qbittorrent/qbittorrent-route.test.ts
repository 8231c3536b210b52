import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CompatStage } from '../testing/compat-stage.ts';

suite('requests that no client makes', () => {
  const stage = CompatStage.inSuite();
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${stage.server.origin}${path}`, init);

  test('nothing changes by GET, and what there is not is said', async () => {
    const headers = { authorization: 'Bearer the-token' };
    assert.equal((await ask('/api/v2/torrents/delete?hashes=all&deleteFiles=true', { headers })).status, 405);
    assert.equal((await ask('/api/v2/app/shutdown', { headers })).status, 405);
    for (const path of ['torrents/nothing', '__proto__', 'torrents/constructor', ''])
      assert.equal((await ask(`/api/v2/${path}`, { headers })).status, 404, path);
    const broken = {
      method: 'POST',
      body: 'x',
      headers: { ...headers, 'content-type': 'multipart/form-data; boundary=a' },
    };
    assert.equal((await ask('/api/v2/torrents/add', broken)).status, 400);
  });
});
