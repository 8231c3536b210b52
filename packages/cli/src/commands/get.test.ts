import assert from 'node:assert/strict';
import { test } from 'node:test';
import './get.ts';
import { NodeError } from '@tequio/kernel';
import { runCli } from '../run-cli.ts';
import { FakeWorld, run } from '../testing/fake-world.ts';

function worldWithFile(options: { terminalColumns?: number } = {}): FakeWorld {
  const world = new FakeWorld(options);
  world.node.contents.set('/home/ana/album.torrent', 'album');
  world.node.contents.set('/home/ana/film.torrent', 'film');
  return world;
}

function completesAfter(world: FakeWorld, delayMs: number): void {
  world.node.onAdd = (torrent, node) => {
    node.after(100, () => {
      Object.assign(torrent, { peerCount: 1, doneBytes: 20000, downRate: 5000, secondsLeft: 6 });
      const connected = {
        endpoint: '192.0.2.7:6881',
        incoming: false,
        transport: 'tcp',
        encrypted: false,
      } as const;
      node.emit({ type: 'bittorrent.peer.connected', torrent: torrent.id, ...connected });
    });
    node.after(delayMs, () => node.complete(torrent));
  };
}

test('downloads, says where it is, closes the node and ends with 0', async () => {
  const world = worldWithFile();
  completesAfter(world, 8000);
  assert.equal(await run(world, 'get album.torrent'), 0);
  assert.equal(world.out, 'album: 49.7 KiB in 0:08 (6.21 KiB/s), in /home/ana\n');
  assert.equal(
    world.err,
    'album: 39 %, 19.5 KiB of 49.7 KiB, ↓ 4.88 KiB/s, 0:06 left, 1 peer, 0/4 pieces\n'.repeat(2),
  );
  assert.equal(world.node.closeCount, 1);
});

test('the DHT is begun with the usual hosts, or left alone', async () => {
  const world = worldWithFile();
  completesAfter(world, 500);
  assert.equal(await run(world, 'get album.torrent'), 0);
  assert.ok((world.settings[0]?.dht?.bootstrap.length ?? 0) > 2);
  assert.equal(await run(world, 'get album.torrent --no-dht'), 0);
  assert.equal(world.settings[1]?.dht, null);
});

test('gives the node what the options say', async () => {
  const world = worldWithFile();
  completesAfter(world, 500);
  const line =
    '--data state get album.torrent --to down --peer 192.0.2.7:1 --peer [::1]:2 --port 7000 --bind 127.0.0.1 ' +
    '--select *.flac --select b/** --sequential --limit-down 1M --limit-up 500K --category films ' +
    '--encryption require --proxy socks5://h:1080 --proxy-for peers --transport utp --address-filter list.gz --dht-bootstrap dht.example:6881 --no-lsd';
  assert.equal(await runCli([...line.split(' '), '--schedule', 'sat 8-20 up=none'], world), 0);
  assert.deepEqual(world.settings, [
    {
      dataFolder: '/home/ana/state',
      offline: false,
      port: 7000,
      portMapping: true,
      bind: '127.0.0.1',
      addressFilter: '/home/ana/list.gz',
      limitDown: 1048576,
      limitUp: 512000,
      schedule: [{ days: [6], fromMinute: 480, toMinute: 1200, down: 1048576, up: null }],
      encryption: 'require',
      proxy: { url: 'socks5://h:1080', peers: true, trackers: false },
      dht: { bootstrap: ['dht.example:6881'] },
      pex: true,
      lsd: false,
      transport: 'utp',
    },
  ]);

  assert.deepEqual(world.node.added[0]?.options, {
    folder: '/home/ana/down',
    select: ['*.flac', 'b/**'],
    sequential: true,
    peers: ['192.0.2.7:1', '[::1]:2'],
    category: 'films',
  });
});

test('--json: nothing but JSON on standard output, nothing on standard error, `done` last', async () => {
  const world = worldWithFile({ terminalColumns: 80 });
  completesAfter(world, 2000);
  assert.equal(await run(world, 'get --json album.torrent film.torrent'), 0);
  assert.equal(world.err, '');
  const types = world.json.map((value) => value['type']);
  assert.ok(types.includes('progress'));
  assert.ok(types.includes('bittorrent.peer.connected'));
  assert.ok(types.includes('bittorrent.torrent.finished'));
  const last = world.json.at(-1)!;
  assert.equal(last['type'], 'done');
  const torrents = last['torrents'] as Record<string, unknown>[];
  assert.deepEqual(
    torrents.map((torrent) => [torrent['name'], torrent['state'], torrent['bytes'], torrent['seconds']]),
    [
      ['album', 'seeding', 50848, 2],
      ['film', 'seeding', 50848, 2],
    ],
  );
});

test('--quiet says nothing', async () => {
  const world = worldWithFile({ terminalColumns: 80 });
  completesAfter(world, 2000);
  assert.equal(await run(world, 'get -q album.torrent'), 0);
  assert.equal(world.out + world.err, '');
});

test('on a terminal: a picture, taken away at the end, and the cursor given back', async () => {
  const world = worldWithFile({ terminalColumns: 60 });
  completesAfter(world, 2000);
  assert.equal(await run(world, 'get album.torrent'), 0);
  assert.match(world.err, /━.*↓ 4\.88 KiB\/s/);
  assert.ok(world.err.endsWith('\x1b[J\x1b[?25h'));
  assert.match(world.out, /^album: 49\.7 KiB in/);
});

test('the same torrent twice is one download', async () => {
  const world = worldWithFile();
  completesAfter(world, 700);
  assert.equal(await run(world, 'get album.torrent album.torrent --json'), 0);
  assert.equal((world.json.at(-1)!['torrents'] as unknown[]).length, 1);
});

test('what was there already is not called downloaded', async () => {
  const world = worldWithFile();
  world.node.onAdd = (torrent, node) => node.complete(torrent, 0);
  assert.equal(await run(world, 'get album.torrent'), 0);
  assert.equal(world.out, 'album: all 49.7 KiB were already in /home/ana\n');
});

test('--seed goes on until interrupted', async () => {
  const world = worldWithFile();
  world.node.onAdd = (torrent, node) => {
    node.after(1000, () => node.complete(torrent));
    node.after(60_000, () => world.signal());
  };
  assert.equal(await run(world, 'get album.torrent --seed --json'), 130);
  assert.equal(world.nowMs(), 60_000);
  const types = world.json.map((value) => value['type']);
  assert.ok(types.indexOf('done') > 0);
  assert.equal(types.at(-1), 'interrupted');
});

test('interrupted: closes the node, says how to go on, ends with 130', async () => {
  const world = worldWithFile();
  world.node.onAdd = (_, node) => node.after(3000, () => world.signal());
  assert.equal(await run(world, 'get album.torrent --select *.flac'), 130);
  assert.equal(world.node.closeCount, 1);
  assert.match(world.err, /Stopping/);
  assert.match(world.err, /To go on: tequio get album\.torrent --select "\*\.flac"\n$/);
});

test('interrupted twice: ends at once, though the node does not close', async () => {
  const world = worldWithFile();
  world.node.onClose = () => new Promise(() => {});
  world.node.onAdd = (_, node) => {
    node.after(1000, () => world.signal());
    node.after(2000, () => world.signal());
  };
  assert.equal(await run(world, 'get album.torrent'), 130);
  assert.equal(world.nowMs(), 2000);
});

test('one Ctrl-C that arrives twice, as npm passes it on, still ends in good order', async () => {
  const world = worldWithFile();
  let isClosed = false;
  world.node.onClose = () =>
    new Promise((resolve) => {
      world.setTimer(3000, () => {
        isClosed = true;
        resolve();
      });
    });
  world.node.onAdd = (_, node) => {
    node.after(1000, () => world.signal());
    node.after(1005, () => world.signal());
  };
  assert.equal(await run(world, 'get album.torrent'), 130);
  assert.ok(isClosed);
});

test('interrupted while a web server is silent', async () => {
  const world = new FakeWorld();
  world.node.readSource = () => new Promise(() => {});
  setImmediate(() => setImmediate(() => world.signal()));
  assert.equal(await run(world, 'get https://example.org/a.torrent'), 130);
  assert.equal(world.node.closeCount, 1);
});

test('--timeout: 69 when nobody could be reached for so long', async () => {
  const world = worldWithFile();
  assert.equal(await run(world, 'get album.torrent --timeout 30'), 69);
  assert.equal(world.nowMs(), 30_000);
  assert.match(world.err, /within 30 seconds.*--peer/);
  assert.equal(world.node.closeCount, 1);
});

test('--timeout --json: the error is the last line', async () => {
  const world = worldWithFile();
  assert.equal(await run(world, 'get album.torrent --timeout 2 --json'), 69);
  assert.equal((world.json.at(-1)!['error'] as { code: string }).code, 'CLI_UNREACHABLE');
});

test('--timeout: one answer of a tracker is enough, and checking does not count', async () => {
  const world = worldWithFile();
  world.node.onAdd = (torrent, node) => {
    torrent.state = 'checking';
    node.after(20_000, () => Object.assign(torrent, { state: 'downloading' }));
    node.after(24_000, () =>
      node.emit({
        type: 'bittorrent.tracker.answered',
        torrent: torrent.id,
        url: 'udp://a.example:1',
        peerCount: 0,
      }),
    );
    node.after(90_000, () => node.complete(torrent));
  };
  assert.equal(await run(world, 'get album.torrent --timeout 5'), 0);
});

test('an error of the disk is told, waited for, and gone again', async () => {
  const world = worldWithFile();
  world.node.onAdd = (torrent, node) => {
    node.after(1000, () => {
      Object.assign(torrent, { state: 'error', error: 'The disk is full.' });
      node.emit({
        type: 'bittorrent.torrent.failed',
        torrent: torrent.id,
        code: 'BITTORRENT_DISK_FULL',
        message: 'The disk is full.',
      });
    });
    node.after(20_000, () => node.emit({ type: 'bittorrent.torrent.recovered', torrent: torrent.id }));
    node.after(21_000, () => node.complete(torrent));
  };
  assert.equal(await run(world, 'get album.torrent'), 0);
  assert.match(world.err, /album: The disk is full\. It goes on by itself/);
  assert.match(world.err, /going on\./);
});

test('a mistake in the last source starts nothing', async () => {
  const world = worldWithFile();
  assert.equal(await run(world, 'get album.torrent nothing.torrent'), 66);
  assert.match(world.err, /There is nothing at \/home\/ana\/nothing\.torrent\./);
  assert.equal(world.node.added.length, 0);
});

test('--select that matches nothing is a mistake, not a finished download', async () => {
  const world = worldWithFile();
  world.node.onAdd = (torrent, node) => {
    torrent.files = torrent.files.map((file) => ({ ...file, priority: 0 }));
    torrent.wantedBytes = 0;
    node.complete(torrent);
  };
  assert.equal(await run(world, 'get album.torrent --select *.iso'), 2);
  assert.match(world.err, /No file of “album” matches/);
});

test('names of strangers cannot steer the terminal', async () => {
  const world = worldWithFile({ terminalColumns: 80 });
  world.node.onAdd = (torrent, node) => {
    torrent.name = '\x1b]0;owned\x07al\u202ebum';
    node.after(600, () => node.complete(torrent));
  };
  assert.equal(await run(world, 'get album.torrent'), 0);
  assert.ok(!/\x1b\]|\x07|\u202e/.test(world.err + world.out));
});

test('errors of the node: the sentence, and the exit code of their kind', async () => {
  const kinds: readonly (readonly [string, number])[] = [
    ['BITTORRENT_METAINFO_NAME', 65],
    ['SOURCE_TOO_LONG', 65],
    ['SOURCE_MISSING', 66],
    ['SOURCE_UNREACHABLE', 69],
    ['NET_LISTEN', 69],
    ['FILE_READ', 74],
    ['DISK_DENIED', 74],
    ['BITTORRENT_DISK_FULL', 74],
    ['DATABASE_OPEN', 74],
  ];
  for (const [code, exitCode] of kinds) {
    const world = worldWithFile();
    world.node.bittorrent.add = () => Promise.reject(new NodeError(code, 'So it is.'));
    assert.equal(await run(world, 'get album.torrent'), exitCode, code);
    assert.equal(world.err, 'tequio: So it is.\n');
    assert.equal(world.node.closeCount, 1);
  }
});

test('says what the address filter holds, and which line of it could not be read', async () => {
  const world = worldWithFile();
  completesAfter(world, 500);
  const badLines = [{ line: 17, message: 'This is no range of addresses.' }];
  world.node.addressFilter = { rangeCount: 500, badLineCount: 3, badLines };
  assert.equal(await run(world, 'get album.torrent --bind tun0 --address-filter list'), 0);
  assert.equal(world.settings[0]?.bind, 'tun0');
  assert.match(world.err, /500 ranges.* read: 3; the first is line 17\./);
});
