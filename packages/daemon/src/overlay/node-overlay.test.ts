import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingsSchema } from '@tequio/api/settings';
import { RateLimiter } from '@tequio/network';
import { createRuntimePorts } from '@tequio/runtime';
import { NodeOverlay } from './node-overlay.ts';

test('nothing of it is there until somebody needs it; then its name lasts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-overlay-'));
  const ports = createRuntimePorts();
  const database = ports.database.open(':memory:');
  const { overlay: usual } = settingsSchema.parse({});
  const settings = { ...usual, port: 0, webRtc: false, localDiscovery: false, bootstrap: [] };
  const make = (): NodeOverlay =>
    new NodeOverlay({
      ports,
      files: ports.files,
      crypto: ports,
      database,
      dataFolder: folder,
      agent: 'tequio/9',
      settings: () => settings,
      rates: () => ({ down: new RateLimiter('down'), up: new RateLimiter('up') }),
    });
  try {
    const names: string[] = [];
    for (let run = 0; run < 2; run++) {
      const overlay = make();
      const ending = new AbortController();
      const part = overlay.run(ending.signal);
      assert.equal(overlay.current, null, 'not by itself');
      const [port, same] = await Promise.all([overlay.open(), overlay.open()]);
      assert.equal(port, same);
      assert.equal(overlay.current, port);
      assert.ok(port.addresses.length > 0);
      names.push(port.peer);
      ending.abort();
      await part;
      assert.equal(overlay.current, null);
      await assert.rejects(overlay.open(), { code: 'OVERLAY_CLOSED' });
    }
    assert.equal(names[0], names[1]);
    const path = join(folder, 'identity.key');
    if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.match(readFileSync(path, 'utf8'), /^CAES[A-Za-z0-9+/=]+\n$/);
  } finally {
    database.close();
    await ports.close();
    rmSync(folder, { recursive: true });
  }
});
