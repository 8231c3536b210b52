import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { HttpRecorder, testHttpPorts } from '@tequio/kernel/compliance/http';
import { World } from './world.ts';

testHttpPorts('simulated http', async () => {
  const world = new World({ seed: 1 });
  const [server, client] = [world.addHost(), world.addHost()];
  return {
    server: server.httpServer,
    client: client.http,
    serverAddress: server.host.addresses[0]!,
    clientAddress: client.host.addresses[0]!,
    until: (condition) => world.run(condition),
    pass: (ms) => world.run(ms),
    close: async () => {},
  };
});

test('names are resolved, and a server that cannot be reached times out', async () => {
  const world = new World({ seed: 1 });
  const [server, client] = [world.addHost({ upRate: 1e6 }), world.addHost()];
  world.network.setName('tracker.test', server.host.addresses);
  await server.httpServer.listen({ address: null, port: 80 }, () => ({
    status: 200,
    headers: {},
    body: new Uint8Array(1e6),
  }));
  const get = async (url: string): Promise<HttpRecorder> => {
    const recorder = new HttpRecorder();
    client.http.open({ method: 'GET', url, timeoutMs: 3000, bytesMax: 1e6 }, recorder);
    await world.run(() => recorder.ended);
    return recorder;
  };
  equal((await get('http://tracker.test/')).bodyBytes, 1e6);
  equal(Math.round(world.clock.nowMs() / 100), 11, 'two round trips, and a second for a megabyte');
  equal((await get('http://nobody.test/')).error?.code, 'HTTP_RESOLVE');
  world.network.cutOff(server.host);
  equal((await get('http://tracker.test/')).error?.code, 'HTTP_TIMEOUT');
});
