import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NatStatus, NatWay } from '@tequio/api';
import { FakeWorld, run } from '../testing/fake-world.ts';

const way: NatWay = {
  family: 4,
  local: '192.168.1.2',
  gateway: '192.168.1.1',
  isGuess: false,
  protocol: 'pcp',
  protocols: [
    { protocol: 'pcp', state: 'found', detail: 'PCP' },
    { protocol: 'nat-pmp', state: 'silent', detail: 'no answer' },
    { protocol: 'upnp', state: 'useless', detail: 'it is a \u001b[31mTV' },
  ],
  externalAddress: '5.1.0.2',
  isDoubleNat: false,
  mappings: [],
};
const mapped: NatWay = {
  ...way,
  mappings: [
    { transport: 'tcp', port: 7000, state: 'mapped', externalPort: 7001, reason: '' },
    { transport: 'udp', port: 7000, state: 'refused', externalPort: null, reason: 'no room' },
  ],
};

function worldWith(...ways: readonly NatWay[]): FakeWorld {
  const world = new FakeWorld();
  world.node.natStatus = { ways } satisfies NatStatus;
  return world;
}

test('nat status says what the router speaks, made safe, and what to do', async () => {
  const world = worldWith(way);
  assert.equal(await run(world, 'nat status'), 0);
  assert.match(world.out, /192\.168\.1\.2, router 192\.168\.1\.1\n/);
  assert.match(world.out, /NAT-PMP {2}no answer\n/);
  assert.match(world.out, /UPnP {5}no help: it is a \ufffd\[31mTV\n/);
  assert.match(world.out, /5\.1\.0\.2/);
  assert.match(world.out, /Over IPv4 the router can be asked for ports/);
  assert.deepEqual(world.node.nats, [{ options: { ports: [] }, isKept: null }]);
  assert.deepEqual(
    world.settings.map(({ offline }) => offline),
    [true],
  );
  const bare = worldWith(way);
  assert.equal(await run(bare, 'nat'), 0);
  assert.equal(bare.out, world.out, 'status is what nat alone means');
});

test('each kind of trouble has its advice', async () => {
  const silent = { ...way, protocol: null, protocols: [], externalAddress: null };
  const cases: readonly (readonly [readonly NatWay[], RegExp])[] = [
    [[], /No router was found/],
    [[silent], /Switch one of them on/],
    [
      [{ ...silent, family: 6, local: '2001:db8::2', gateway: null, isGuess: true }],
      /not known.*guess[\s\S]*firewall/,
    ],
    [[{ ...way, externalAddress: '100.64.0.9', isDoubleNat: true }], /Double NAT/],
  ];
  for (const [ways, text] of cases) {
    const world = worldWith(...ways);
    assert.equal(await run(world, 'nat status'), 0);
    assert.match(world.out, text);
  }
});

test('nat map holds the ports until Ctrl-C and then removes them', async () => {
  const world = worldWith(mapped);
  const ended = run(world, 'nat map 7000');
  world.setTimer(1000, () => world.signal());
  assert.equal(await ended, 130);
  assert.match(world.out, /TCP 7000 is reached at 5\.1\.0\.2:7001\n/);
  assert.match(world.out, /UDP 7000 is not let through: no room\n/);
  assert.match(world.err, /Removed/);
  const ports = [
    { transport: 'tcp', port: 7000 },
    { transport: 'udp', port: 7000 },
  ];
  assert.deepEqual(world.node.nats, [{ options: { ports }, isKept: false }]);
});

test('nat map --leave leaves them, nat unmap takes them back', async () => {
  const leaving = worldWith(mapped);
  assert.equal(await run(leaving, 'nat map 7000 --leave'), 0);
  assert.equal(leaving.node.nats[0]?.isKept, true);
  const back = worldWith(mapped);
  assert.equal(await run(back, 'nat unmap 7000'), 0);
  assert.equal(back.node.nats[0]?.isKept, false);
  assert.match(back.out, /Removed/);
});

test('when nothing is mapped the exit code is 69', async () => {
  for (const command of ['map', 'unmap']) {
    const world = worldWith({ ...way, protocol: null });
    assert.equal(await run(world, `nat ${command} 7000`), 69, command);
  }
});

test('JSON has one object, ports are checked, and each command has its help', async () => {
  const world = worldWith(mapped);
  assert.equal(await run(world, '--json nat status'), 0);
  assert.deepEqual(
    world.json.map(({ type, ways }) => [type, (ways as NatWay[]).length]),
    [['status', 1]],
  );
  assert.equal(world.err, '');
  for (const line of ['nat map 0', 'nat map 70000', 'nat map', 'nat nonsense']) {
    assert.equal(await run(worldWith(), line), 2, line);
  }
  const help = worldWith();
  assert.equal(await run(help, 'nat map --help'), 0);
  assert.match(help.out, /--leave/);
});
