import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NatReachability } from '@tequio/api';
import './status.ts';
import { FakeWorld, run } from '../testing/fake-world.ts';

const tcp4: NatReachability = {
  family: 4,
  transport: 'tcp',
  state: 'mapped',
  basis: 'mapping',
  isSeen: false,
  advice: 'none',
  endpoint: '5.1.0.2:7001',
};
const closed = { ...tcp4, state: 'closed', basis: 'nobody-came', advice: 'open-firewall' } as const;
const rows: readonly NatReachability[] = [
  tcp4,
  { ...closed, transport: 'udp' },
  { ...closed, family: 6, endpoint: null },
  {
    ...tcp4,
    family: 6,
    transport: 'udp',
    state: 'unknown',
    basis: 'nothing',
    advice: 'wait',
    endpoint: null,
  },
];

function worldWith(reachable: readonly NatReachability[]): FakeWorld {
  const world = new FakeWorld();
  world.node.reachable = reachable;
  return world;
}

test('says for each way in whether others come, how that is known, and what to do', async () => {
  const world = worldWith(rows);
  assert.equal(await run(world, 'status --port 7000 --for 3'), 0);
  assert.equal(world.nowMs(), 3000);
  assert.equal(world.settings[0]?.port, 7000);
  assert.equal(world.settings[0]?.offline, false);
  assert.match(world.out, /^Port {6}6881$/m);
  assert.match(world.out, /^IPv4 TCP {2}yes, by the router, at 5\.1\.0\.2:7001: the router says/m);
  assert.match(world.out, /^IPv4 UDP {2}no: nobody came in ten minutes/m);
  assert.match(world.out, /^To do {5}IPv4 UDP, IPv6 TCP: let the port through the firewall/m);
  assert.match(world.out, /^To do {5}IPv6 UDP: nothing for now/m);
  assert.match(world.out, /^DHT {7}not taken part in$/m);
});

test('every state, basis and advice has its sentence in both languages', async () => {
  const states = ['unknown', 'open', 'mapped', 'punchable', 'closed'] as const;
  const bases = [
    'incoming',
    'mapping',
    'same-port',
    'different-ports',
    'no-address',
    'not-listening',
    'nobody-came',
    'nothing',
  ] as const;
  const advices = ['none', 'wait', 'name-port', 'forward-port', 'open-firewall', 'ask-provider'] as const;
  for (const LANG of ['en_GB.UTF-8', 'es_MX.UTF-8']) {
    const world = new FakeWorld({ env: { LANG } });
    world.node.reachable = states.flatMap((state) =>
      bases.flatMap((basis) => advices.map((advice) => ({ ...tcp4, state, basis, advice }))),
    );
    assert.equal(await run(world, 'status'), 0);
    assert.doesNotMatch(world.out, /undefined/);
    assert.equal(world.out.split('\n').length - 1, 240 + 5 + 2);
    assert.match(world.out, LANG.startsWith('es') ? /^Qué hacer/m : /^To do/m);
  }
});

test('--json is one object; Ctrl-C tells what is known by then', async () => {
  const world = worldWith(rows);
  world.setTimer(1000, () => world.signal());
  assert.equal(await run(world, '--json status'), 130);
  assert.equal(world.nowMs(), 1000);
  assert.equal(world.err, '');
  assert.equal(world.json.length, 1);
  const status = world.json[0]!;
  assert.equal(status['type'], 'status');
  assert.deepEqual(status['reachability'], rows);
  assert.deepEqual(
    (status['advice'] as { advice: string; ways: string[] }[]).map(({ advice, ways }) => [advice, ways]),
    [
      ['open-firewall', ['IPv4 UDP', 'IPv6 TCP']],
      ['wait', ['IPv6 UDP']],
    ],
  );
  assert.equal(world.node.closeCount, 1);
});
