import assert from 'node:assert/strict';
import { test } from 'node:test';
import './create.ts';
import './show.ts';
import './verify.ts';
import './tracker.ts';
import { shownExample } from '../testing/fake-node.ts';
import { FakeWorld, run } from '../testing/fake-world.ts';

function worldWithAlbum(options: { terminalColumns?: number } = {}): FakeWorld {
  const world = new FakeWorld(options);
  world.node.contents.set('/home/ana', null);
  world.node.contents.set('/home/ana/album', null);
  world.node.contents.set('/home/ana/album/one.flac', 'sound');
  world.node.contents.set('/home/ana/album.torrent', 'album');
  world.node.contents.set('/home/ana/bad.torrent', 'bad');
  return world;
}

test('show --json prints one object with the promised keys', async () => {
  const world = worldWithAlbum();
  assert.equal(await run(world, 'show album.torrent --json'), 0);
  assert.equal(world.json.length, 1);
  const { name, infoHashV1, infoHashV2, pieceBytes, pieceCount, totalBytes, ...rest } = world.json[0]!;
  assert.deepEqual(
    { name, infoHashV1, infoHashV2, pieceBytes, pieceCount, totalBytes },
    {
      name: 'album',
      infoHashV1: shownExample.infoHashV1,
      infoHashV2: null,
      pieceBytes: 16384,
      pieceCount: 4,
      totalBytes: 60000,
    },
  );
  assert.equal(rest['private'], false);
  assert.deepEqual(rest['trackers'], ['http://a.example/announce', 'udp://b.example:1', 'udp://c.example:2']);
  assert.deepEqual(rest['trackerTiers'], shownExample.trackers);
  assert.deepEqual(rest['webSeeds'], shownExample.webSeeds);
  assert.deepEqual(rest['files'], shownExample.files);
  assert.equal(world.settings[0]?.offline, true);
  assert.equal(world.node.closeCount, 1);
});

test('show for people: no pad files, what was changed, a date', async () => {
  const world = worldWithAlbum();
  assert.equal(await run(world, 'show album.torrent'), 0);
  assert.equal(
    world.out,
    [
      'Name       album',
      'Hash v1    0123456789abcdef0123456789abcdef01234567',
      'Size       49.7 KiB (50848 bytes)',
      'Pieces     4 of 16.0 KiB',
      'Trackers   http://a.example/announce, udp://b.example:1',
      '           udp://c.example:2',
      'Web seeds  https://example.org/album',
      'Made by    Tequio',
      'Made at    2023-11-14T22:13:20Z',
      'Link       magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=album',
      '',
      '2 files',
      '    39.1 KiB  album/one.flac',
      '    10.6 KiB  album/two.flac',
      '',
      'Names made safe',
      '  “../two.flac” is written as “two.flac”: it would leave the folder',
      '',
    ].join('\n'),
  );
});

test('show of a magnet link says what it cannot know', async () => {
  const world = worldWithAlbum();
  world.node.shown = {
    ...shownExample,
    pieceBytes: 0,
    pieceCount: 0,
    totalBytes: 0,
    files: [],
    nameChanges: [],
  };
  assert.equal(await run(world, `show ${shownExample.magnet}`), 0);
  assert.match(world.out, /known only to peers/);
});

test('show of a refused file: its error as one object, and 65', async () => {
  const world = worldWithAlbum();
  assert.equal(await run(world, 'show bad.torrent --json'), 65);
  assert.deepEqual(world.json, [
    { error: { code: 'BITTORRENT_BENCODE_SYNTAX', message: 'It is not bencoded.' } },
  ]);
  assert.equal(await run(world, 'show none.torrent --json'), 66);
});

test('create writes the torrent that the options ask for', async () => {
  const world = worldWithAlbum();
  const line =
    'create album -o out.torrent --v2 --piece-size 1M --tracker http://a/x,http://b/x --tracker udp://c:1 ' +
    '--web-seed https://example.org/album --private --source here --collection one --collection two --comment hello ' +
    `--similar ${'AB'.repeat(20)} --similar ${'cd'.repeat(32)}`;
  assert.equal(await run(world, line), 0);
  assert.deepEqual(world.node.created, [
    {
      path: '/home/ana/album',
      version: 'v2',
      pieceBytes: 1048576,
      trackers: [['http://a/x', 'http://b/x'], ['udp://c:1']],
      webSeeds: ['https://example.org/album'],
      private: true,
      source: 'here',
      similar: ['ab'.repeat(20), 'cd'.repeat(32)],
      collections: ['one', 'two'],
      comment: 'hello',
      createdBy: 'Tequio 1.2.3',
      createdAt: null,
    },
  ]);
  assert.equal(world.node.contents.get('/home/ana/out.torrent'), 'album');
  assert.match(world.out, /^Written: \/home\/ana\/out\.torrent\n0123456789abcdef/);
});

test('create --json: progress, then one object with the keys of show', async () => {
  const world = worldWithAlbum();
  world.node.onCreate = (onProgress) =>
    new Promise((resolve) => {
      world.setTimer(1500, () => onProgress({ doneBytes: 10, totalBytes: 100 }));
      world.setTimer(3000, resolve);
    });
  assert.equal(await run(world, 'create album -o out.torrent --json'), 0);
  assert.deepEqual(world.json[0], { type: 'progress', doneBytes: 10, totalBytes: 100 });
  assert.equal(world.json.length, 2);
  assert.equal(world.json[1]!['type'], 'created');
  assert.equal(world.json[1]!['infoHashV1'], shownExample.infoHashV1);
});

test('create shows a bar on a terminal, and stops when interrupted without writing', async () => {
  const world = worldWithAlbum({ terminalColumns: 60 });
  world.node.onCreate = (onProgress) =>
    new Promise(() => {
      for (const second of [1, 2, 3])
        world.setTimer(second * 1000, () => onProgress({ doneBytes: second * 1e6, totalBytes: 1e7 }));
      world.setTimer(3500, () => world.signal());
    });
  assert.equal(await run(world, 'create album -o out.torrent'), 130);
  assert.match(world.err, /hashing album +30 %/);
  assert.equal(world.node.contents.has('/home/ana/out.torrent'), false);
});

test('create of nothing', async () => {
  const world = worldWithAlbum();
  assert.equal(await run(world, 'create none -o out.torrent'), 66);
});

test('verify takes the content or the folder around it', async () => {
  for (const path of ['album', '/home/ana']) {
    const world = worldWithAlbum();
    assert.equal(await run(world, `verify album.torrent ${path}`), 0);
    assert.deepEqual(world.node.verified, ['/home/ana/album'], path);
    assert.match(world.out, /^All good: 4 pieces/);
  }
  const renamed = worldWithAlbum();
  renamed.node.contents.set('/home/ana/renamed', null);
  assert.equal(await run(renamed, 'verify album.torrent renamed'), 0);
  assert.deepEqual(renamed.node.verified, ['/home/ana/renamed']);
});

test('verify says what is wrong, per file, with 65', async () => {
  const world = worldWithAlbum();
  world.node.report = {
    ok: false,
    pieceCount: 4,
    goodPieceCount: 2,
    files: [
      { path: 'album/one.flac', bytes: 40000, state: 'wrong', badPieces: [0, 2], goodBytes: 16384 },
      { path: 'album/two.flac', bytes: 10848, state: 'missing', badPieces: [3], goodBytes: 0 },
      { path: 'album/three', bytes: 1, state: 'good', badPieces: [], goodBytes: 1 },
    ],
  };
  assert.equal(await run(world, 'verify album.torrent album'), 65);
  assert.equal(
    world.out,
    '  wrong           album/one.flac (2 bad pieces)\n' +
      '  missing         album/two.flac (1 bad piece)\n' +
      'Not good: 2 of 4 pieces are as they should be.\n',
  );
  const forPrograms = worldWithAlbum();
  forPrograms.node.report = world.node.report;
  assert.equal(await run(forPrograms, 'verify album.torrent album --json'), 65);
  assert.deepEqual(forPrograms.json.at(-1), { type: 'verified', ...world.node.report });
});

test('verify of an unreadable file is a file error; of nothing, missing input', async () => {
  const world = worldWithAlbum();
  world.node.report = {
    ok: false,
    pieceCount: 1,
    goodPieceCount: 0,
    files: [{ path: 'a', bytes: 1, state: 'unreadable', badPieces: [0], goodBytes: 0 }],
  };
  assert.equal(await run(world, 'verify album.torrent album'), 74);
  assert.equal(await run(world, 'verify album.torrent none'), 66);
});

test('tracker: both on the usual port, or what is asked for', async () => {
  const cases: readonly (readonly [string, number | null, number | null])[] = [
    ['tracker', 6969, 6969],
    ['tracker --http 8080', 8080, null],
    ['tracker --udp 0', null, 0],
    ['tracker --http 1 --udp 2', 1, 2],
  ];
  for (const [line, httpPort, udpPort] of cases) {
    const world = worldWithAlbum();
    world.setTimer(5000, () => world.signal());
    assert.equal(await run(world, line), 130);
    assert.deepEqual(world.node.trackers, [{ httpPort, udpPort, bind: null, allow: null, isClosed: true }]);
  }
});

test('tracker: prints its addresses, and statistics as JSON', async () => {
  const world = worldWithAlbum();
  world.setTimer(5000, () => world.signal());
  await run(world, 'tracker --bind ::1');
  assert.equal(world.out, 'HTTP  http://[::1]:6969/announce\nUDP   udp://[::1]:6969/announce\n');
  const forPrograms = worldWithAlbum();
  forPrograms.setTimer(15_000, () => forPrograms.signal());
  await run(forPrograms, 'tracker --json');
  assert.deepEqual(
    forPrograms.json.map((value) => value['type']),
    ['started', 'stats', 'stats', 'stats'],
  );
  assert.equal(forPrograms.json[1]!['seedCount'], 2);
});

test('tracker: the access list, and the line in which it is wrong', async () => {
  const world = worldWithAlbum();
  const hash = 'ABCDEF0123456789abcdef0123456789abcdef01';
  world.node.contents.set('/home/ana/list', `# mine\n${hash} # first\n\n${'0'.repeat(64)}\r\n`);
  world.setTimer(5000, () => world.signal());
  assert.equal(await run(world, 'tracker --allow list'), 130);
  assert.deepEqual(world.node.trackers[0]?.allow, [hash.toLowerCase(), '0'.repeat(64)]);
  world.node.contents.set('/home/ana/list', `${hash}\nhello\n`);
  assert.equal(await run(world, 'tracker --allow list'), 65);
  assert.match(world.err, /Line 2 of \/home\/ana\/list is no info-hash/);
});

test('create --salt: a link of its own under the user’s key; without --key the torrent has one by its name', async () => {
  const world = new FakeWorld();
  world.node.contents.set('/home/ana/album', null);
  assert.equal(await run(world, 'create album -o a.torrent --key show --salt weekly'), 0);
  assert.match(world.out, /^magnet:\?xs=urn:btpk:00&s=7765656b6c79$/m);
  assert.match(world.err, /\/data\/keys\/show\.key/);
  const named = new FakeWorld();
  named.node.contents.set('/home/ana/album', null);
  assert.equal(await run(named, 'create album -o a.torrent --mutable'), 0);
  assert.match(named.out, /^magnet:\?xs=urn:btpk:00$/m);
  assert.match(named.err, /\/data\/keys\/album\.key/);
});
