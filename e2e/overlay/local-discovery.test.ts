/** Two nodes of a local network find each other by multicast DNS, without being told of each other. */
import { deepEqual, equal } from 'node:assert/strict';
import { env, execPath } from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { JsonLines } from '../lab/json-lines.ts';
import { canOpenLab, type Host, Lab } from '../lab/lab.ts';
import { until } from '../lab/until.ts';

const skip =
  !canOpenLab() && env['TEQUIO_REQUIRE_PEERS'] !== '1' ? 'needs root and network namespaces' : false;
const program = fileURLToPath(new URL('../lab/overlay-node.ts', import.meta.url));

/** An overlay on a host. */
function startNode(host: Host, localDiscovery: boolean): JsonLines {
  host.routeMulticast();
  const lines = new JsonLines();
  const options = { localDiscovery, webRtc: false, relayCount: 0, dht: 'none', port: 4001 };
  const args = ['--disable-warning=ExperimentalWarning', program, JSON.stringify(options)];
  lines.attach(host.run(execPath, args, { onLine: lines.onLine }));
  return lines;
}

async function peersOf(node: JsonLines): Promise<readonly string[]> {
  const { peers } = await node.ask<{ peers: { peer: string }[] }>('peers');
  return peers.map(({ peer }) => peer);
}

test('two nodes find each other by multicast DNS, and one that does not look is left alone', {
  skip,
  timeout: 200_000,
}, async (t) => {
  const lab = Lab.open();
  t.after(() => lab.close());
  const silent = startNode(lab.addHost('silent'), false);
  const [a, b] = [startNode(lab.addHost('a'), true), startNode(lab.addHost('b'), true)];
  const names = await Promise.all([a, b].map((node) => node.ask<{ peer: string }>('addresses')));
  await until('they are connected', 60_000, async () => {
    const [ofA, ofB] = [await peersOf(a), await peersOf(b)];
    return ofA.includes(names[1]!.peer) && ofB.includes(names[0]!.peer);
  });
  equal((await peersOf(a)).length, 1);
  deepEqual(await peersOf(silent), []);
});
