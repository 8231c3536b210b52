import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { createRuntimePorts } from './ports.ts';

test('each port is made once, and closing without having used any is fine', async () => {
  const ports = createRuntimePorts({ disk: { threadCount: 1 } });
  await ports.close();
  for (const name of ['tcp', 'udp', 'resolver', 'http', 'httpServer', 'disk', 'files', 'database'] as const) {
    equal(ports[name], ports[name], name);
  }
  await ports.close();
});
