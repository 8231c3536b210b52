import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NatStatus, NatWay } from '@tequio/api';
import './seed.ts';
import { FakeWorld, run } from '../testing/fake-world.ts';

function worldWithAlbum(): FakeWorld {
  const world = new FakeWorld();
  world.node.contents.set('/home/ana/album', null);
  world.node.contents.set('/home/ana/album/one.flac', 'sound');
  world.node.contents.set('/home/ana', null);
  world.node.contents.set('/home/ana/album.torrent', 'album');
  world.node.onAdd = (torrent, node) => {
    torrent.state = 'checking';
    node.after(3000, () => node.complete(torrent, 0));
    node.after(20_000, () => world.signal());
  };
  return world;
}

test('a folder gets a hybrid torrent, kept in the data folder, and its link is printed', async () => {
  const world = worldWithAlbum();
  assert.equal(await run(world, 'seed album --tracker udp://t.example:1 --limit-up 1M'), 130);
  assert.deepEqual(world.node.created, [
    {
      path: '/home/ana/album',
      version: 'hybrid',
      trackers: [['udp://t.example:1']],
      createdBy: 'Tequio 1.2.3',
      createdAt: null,
    },
  ]);
  assert.equal(world.node.contents.get('/data/torrents/album.01234567.torrent'), 'album');
  assert.equal(world.settings[0]?.limitUp, 1048576);
  assert.deepEqual(world.node.added[0]?.options, {
    folder: '/home/ana',
    seed: true,
    peers: [],
    trackers: ['udp://t.example:1'],
    category: null,
  });
  assert.match(world.out, /^Link +magnet:\?xt=/m);
  assert.match(world.out, /^Torrent +\/data\/torrents\/album\.01234567\.torrent$/m);
  assert.match(world.err, /Sharing on port 6881/);
});

test('a .torrent is checked in --from, which may also be the content itself', async () => {
  for (const line of [
    'seed album.torrent',
    'seed album.torrent --from /home/ana',
    'seed album.torrent --from album',
  ]) {
    const world = worldWithAlbum();
    assert.equal(await run(world, line), 130);
    assert.equal(world.node.created.length, 0);
    assert.equal(world.node.added[0]?.options.folder, '/home/ana', line);
    assert.match(world.out, /^Torrent +\/home\/ana\/album\.torrent$/m);
  }
});

test('--json', async () => {
  const world = worldWithAlbum();
  assert.equal(await run(world, 'seed album.torrent --json'), 130);
  assert.equal(world.err, '');
  const seeding = world.json.find((value) => value['type'] === 'seeding');
  assert.deepEqual(seeding, {
    type: 'seeding',
    torrent: '0123456789abcdef0123456789abcdef01234567',
    name: 'album',
    magnet: world.node.shown.magnet,
    torrentFile: '/home/ana/album.torrent',
    folder: '/home/ana',
    port: 6881,
  });
  assert.equal(world.json.at(-1)?.['type'], 'interrupted');
});

test('content that is not all there is refused', async () => {
  const world = worldWithAlbum();
  world.node.onAdd = (torrent) => Object.assign(torrent, { state: 'downloading', havePieceCount: 3 });
  assert.equal(await run(world, 'seed album.torrent'), 65);
  assert.match(world.err, /only 3 of 4 pieces/);
  assert.equal(world.node.closeCount, 1);
});

test('content that is not there at all, and a path that is not', async () => {
  const world = worldWithAlbum();
  assert.equal(await run(world, 'seed album.torrent --from /elsewhere'), 66);
  assert.match(world.err, /“album” is not in \/elsewhere.*--from/);
  assert.equal(await run(world, 'seed nothing'), 66);
  assert.match(world.err, /nothing at \/home\/ana\/nothing/);
});

test('what the router lets through is said once, and whether others come at the end', async () => {
  const way: NatWay = {
    family: 4,
    local: '192.168.1.2',
    gateway: '192.168.1.1',
    isGuess: false,
    protocol: 'pcp',
    protocols: [],
    externalAddress: '5.1.0.2',
    isDoubleNat: false,
    mappings: [{ transport: 'tcp', port: 6881, state: 'asked', externalPort: null, reason: '' }],
  };
  const tcp = { family: 4, transport: 'tcp', state: 'mapped', basis: 'mapping', isSeen: false } as const;
  for (const [isDoubleNat, sentence] of [
    [false, /The router lets others in: they reach this node at 5\.1\.0\.2:7001\./g],
    [true, /Double NAT/g],
  ] as const) {
    for (const isJson of [false, true]) {
      const world = worldWithAlbum();
      let status: NatStatus = { ways: [way] };
      world.node.reachable = [{ ...tcp, advice: 'none', endpoint: null }];
      let tell = (): void => {};
      world.node.nat = {
        status: () => status,
        subscribe: (listener) => {
          tell = listener;
          return () => {};
        },
        settle: async () => {},
        close: async () => {},
      };
      world.setTimer(5000, () => {
        const mappings = [{ ...way.mappings[0]!, state: 'mapped', externalPort: 7001 } as const];
        status = { ...status, ways: [{ ...way, mappings, isDoubleNat }] };
        tell();
        tell();
      });
      assert.equal(await run(world, `${isJson ? '--json ' : ''}seed album`), 130);
      if (!isJson) assert.equal(world.err.match(sentence)?.length, 1, world.err);
      else {
        assert.deepEqual(world.json.at(-1)?.['reachability'], world.node.reachable);
        assert.equal(world.json.filter(({ type }) => type === 'nat').length, 1);
      }
    }
  }
});
