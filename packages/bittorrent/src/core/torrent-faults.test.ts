/**
 * Every fault that ends a connection or bans a peer, brought about by a peer that really says it. Faults of the content
 * are in torrent-bad-data.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeUint32 } from '@tequio/kernel';
import { encodeDontHave, encodeExtensionHandshake, ourExtensionIds } from '../wire/extension.ts';
import { encodeHashes } from '../wire/hash-messages.ts';
import { encodeMetadataData, encodeMetadataReject } from '../wire/metadata.ts';
import { peerWireLimits } from '../wire/peer-decoder.ts';
import { encodeHandshake, messageId } from '../wire/peer-message.ts';
import { makeTorrent } from './made-torrent.fixture.ts';
import { requesterLimits } from './requester.ts';
import {
  connect,
  type FakeOptions,
  FakePeer,
  isSentence,
  type NodeOptions,
  settle,
  TestNode,
  TorrentWorld,
} from './torrent-world.fixture.ts';

const KiB = 1024;
const made = makeTorrent('hybrid', 32 * KiB, [300_000, 50_000]);
const { info } = made.metainfo;
const { pieceCount } = info;

function raw(length: number, id: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(5 + payload.length);
  writeUint32(bytes, 0, length);
  bytes[4] = id;
  bytes.set(payload, 5);
  return bytes;
}

type Case = {
  readonly code: string;
  readonly how: string;
  readonly peer?: FakeOptions;
  readonly node?: NodeOptions;
  readonly act: (fake: FakePeer, world: TorrentWorld) => void;
  /** Nobody's fault: the peer may come again. */
  readonly isHarmless?: boolean;
};

const magnet: NodeOptions = { has: 'nothing', magnet: true };
const seed: NodeOptions = { has: 'all' };
const slow = { fast: false };

const cases: readonly Case[] = [
  {
    code: 'WIRE_HANDSHAKE',
    how: 'speaks another protocol',
    peer: { silent: true },
    act: (fake) => fake.send(new Uint8Array(68)),
  },
  {
    code: 'WIRE_OTHER_TORRENT',
    how: 'answers for another torrent',
    peer: { infoHash: new Uint8Array(20) },
    act: () => {},
  },
  {
    code: 'WIRE_OURSELVES',
    how: 'is ourselves',
    peer: { silent: true },
    isHarmless: true,
    act: (fake) => {
      const { peerId, infoHashes } = fake.node.torrent;
      fake.send(
        encodeHandshake({
          infoHash: infoHashes[0]!,
          peerId,
          extended: true,
          fast: true,
          dht: false,
          v2: false,
        }),
      );
    },
  },
  {
    code: 'WIRE_TWICE',
    how: 'is connected already',
    peer: { peerId: new Uint8Array(20).fill(9), silent: true },
    isHarmless: true,
    act: (fake) => {
      const peerId = new Uint8Array(20).fill(9);
      new FakePeer(fake.node, { peerId });
      const infoHash = fake.node.torrent.infoHashes[0]!;
      fake.send(encodeHandshake({ infoHash, peerId, extended: true, fast: true, dht: false, v2: false }));
    },
  },
  {
    code: 'WIRE_HANDSHAKE_TIMEOUT',
    how: 'says nothing',
    peer: { silent: true },
    isHarmless: true,
    act: (_, world) => world.run(20_000),
  },
  { code: 'WIRE_SILENCE', how: 'falls silent', isHarmless: true, act: (_, world) => world.run(160_000) },
  {
    code: 'WIRE_SILENCE',
    how: 'falls silent within a message',
    isHarmless: true,
    act: (fake, world) => {
      fake.send(raw(1000, messageId.extended));
      world.run(160_000);
    },
  },
  { code: 'WIRE_TOO_LONG', how: 'sends a giant length', act: (fake) => fake.send(raw(0xffffffff, 5)) },
  {
    code: 'WIRE_TOO_LONG',
    how: 'sends a bitfield for 16 M pieces',
    node: magnet,
    act: (fake) => fake.send(raw(peerWireLimits.unknownBytesMax + 2, 5)),
  },
  {
    code: 'WIRE_LENGTH',
    how: 'sends a have of three bytes',
    act: (fake) => fake.send(raw(4, 4, new Uint8Array(3))),
  },
  {
    code: 'WIRE_BLOCK_LENGTH',
    how: 'sends a giant block',
    act: (fake) => fake.send(raw(peerWireLimits.blockBytesMax + 10, 7)),
  },
  {
    code: 'WIRE_BITFIELD',
    how: 'sends a short bitfield',
    act: (fake) => fake.say((w) => w.writePayload(messageId.bitfield, new Uint8Array(1))),
  },
  {
    code: 'WIRE_BITFIELD',
    how: 'sets a spare bit',
    act: (fake) =>
      fake.say((w) =>
        w.writePayload(messageId.bitfield, new Uint8Array(Math.ceil(pieceCount / 8)).fill(0xff)),
      ),
  },
  {
    code: 'WIRE_BITFIELD',
    how: 'says again and again what it has',
    act: (fake) =>
      fake.say((w) => {
        for (let count = 0; count < 10; count++) w.writeEmpty(messageId.haveNone);
      }),
  },
  {
    code: 'WIRE_BITFIELD',
    how: 'sent a bad bitfield before the torrent was known',
    node: magnet,
    act: (fake) => {
      fake.say((w) => w.writePayload(messageId.bitfield, new Uint8Array(1)));
      fake.node.act((torrent, nowMs) => void torrent.setInfo(info, new Map(), nowMs));
    },
  },
  {
    code: 'WIRE_HAVE',
    how: 'has a piece that does not exist',
    act: (fake) => fake.say((w) => w.writeIndex(messageId.have, pieceCount)),
  },
  {
    code: 'WIRE_DONT_HAVE',
    how: 'lost a piece that does not exist',
    act: (fake) => fake.say((w) => w.writeExtended(ourExtensionIds.lt_donthave, encodeDontHave(0xffffffff))),
  },
  {
    code: 'WIRE_FAST',
    how: 'allows a piece that does not exist',
    act: (fake) => fake.say((w) => w.writeIndex(messageId.allowedFast, pieceCount)),
  },
  {
    code: 'WIRE_FAST',
    how: 'suggests a piece that does not exist',
    act: (fake) => fake.say((w) => w.writeIndex(messageId.suggest, 0xffffffff)),
  },
  {
    code: 'WIRE_NOT_FAST',
    how: 'says have-all without the extension',
    peer: slow,
    act: (fake) => fake.say((w) => w.writeEmpty(messageId.haveAll)),
  },
  {
    code: 'WIRE_NOT_FAST',
    how: 'rejects without the extension',
    peer: slow,
    act: (fake) => fake.say((w) => w.writeRange(messageId.reject, 0, 0, 1)),
  },
  {
    code: 'WIRE_NOT_FAST',
    how: 'suggests without the extension',
    peer: slow,
    act: (fake) => fake.say((w) => w.writeIndex(messageId.suggest, 0)),
  },
  {
    code: 'WIRE_EXTENDED',
    how: 'extends without having said so',
    peer: { extended: false },
    act: (fake) => fake.say((w) => w.writeExtended(0, new Uint8Array(2))),
  },
  {
    code: 'EXTENSION_HANDSHAKE',
    how: 'introduces itself with rubbish',
    act: (fake) => fake.say((w) => w.writeExtended(0, new Uint8Array(5))),
  },
  {
    code: 'EXTENSION_MESSAGE',
    how: 'sends a short dont-have',
    act: (fake) => fake.say((w) => w.writeExtended(ourExtensionIds.lt_donthave, new Uint8Array(1))),
  },
  {
    code: 'EXTENSION_MESSAGE',
    how: 'sends an empty upload-only',
    act: (fake) => fake.say((w) => w.writeExtended(ourExtensionIds.upload_only, new Uint8Array(0))),
  },
  {
    code: 'METADATA_MESSAGE',
    how: 'sends metadata that cannot be read',
    act: (fake) => fake.say((w) => w.writeExtended(ourExtensionIds.ut_metadata, new Uint8Array(9))),
  },
  {
    code: 'HASH_MESSAGE_SIZE',
    how: 'sends a hash request of two bytes',
    act: (fake) => fake.say((w) => w.writePayload(messageId.hashRequest, new Uint8Array(2))),
  },
  {
    code: 'HASH_MESSAGE_RANGE',
    how: 'asks for a run of hashes that is no subtree',
    act: (fake) => {
      const request = new Uint8Array(48);
      writeUint32(request, 36, 1);
      writeUint32(request, 40, 2);
      fake.say((w) => w.writePayload(messageId.hashRequest, request));
    },
  },
  {
    code: 'WIRE_REQUEST',
    how: 'asks for a piece that does not exist',
    node: seed,
    act: (fake) => fake.say((w) => w.writeRange(messageId.request, pieceCount, 0, 16384)),
  },
  {
    code: 'WIRE_REQUEST',
    how: 'asks for nothing',
    node: seed,
    act: (fake) => fake.say((w) => w.writeRange(messageId.request, 0, 0, 0)),
  },
  {
    code: 'WIRE_REQUEST',
    how: 'asks past the end of a piece',
    node: seed,
    act: (fake) => fake.say((w) => w.writeRange(messageId.request, 0, 32 * KiB - 100, 16384)),
  },
  {
    code: 'WIRE_REQUEST',
    how: 'asks for too much',
    node: seed,
    act: (fake) => fake.say((w) => w.writeRange(messageId.request, 0, 0, (1 << 17) + 1)),
  },
  {
    code: 'WIRE_REQUEST',
    how: 'asks for crumbs',
    node: seed,
    act: (fake) => fake.say((w) => w.writeRange(messageId.request, 0, 0, 1)),
  },
  {
    code: 'WIRE_UNASKED',
    how: 'floods with blocks that nobody asked for',
    act: (fake) => {
      const blockCount = Math.floor(requesterLimits.unaskedBytesMax / 16384);
      for (let count = 0; count <= blockCount; count++) {
        assert.equal(fake.verdict, undefined, `it takes more than ${count} blocks`);
        fake.say((w) => w.writeBlock(0, 0, new Uint8Array(16384)));
      }
      assert.equal(fake.node.torrent.wastedBytes, (blockCount + 1) * 16384);
    },
  },
  {
    code: 'WIRE_UNASKED',
    how: 'sends a block before the torrent is known',
    node: magnet,
    act: (fake) => fake.say((w) => w.writeBlock(0, 0, new Uint8Array(10))),
  },
  {
    code: 'WIRE_EARLY_HAVES',
    how: 'gets too many pieces before the torrent is known',
    node: magnet,
    isHarmless: true,
    act: (fake) =>
      fake.say((w) => {
        for (let count = 0; count < 5000; count++) w.writeIndex(messageId.have, count);
      }),
  },
];

for (const { code, how, peer, node: options, act, isHarmless } of cases) {
  test(`${code}: a peer that ${how}`, () => {
    const world = new TorrentWorld();
    const node = new TestNode(world, made, options ?? { has: 'nothing' });
    const fake = new FakePeer(node, peer);
    act(fake, world);
    world.run(10);
    const fault = fake.verdict;
    assert.equal(fault?.code, `BITTORRENT_${code}`);
    assert.ok(isSentence(fault!), fault!.message);
    assert.equal(fault?.blame, isHarmless === true ? 'none' : 'peer');
    assert.equal((fault?.penalty ?? 0) > 0, isHarmless !== true);
    assert.ok(fake.isEnded);
    // What it goes on to say is not heard.
    fake.say((w) => w.writeEmpty(messageId.interested));
    settle(world);
  });
}

function introduce(fake: FakePeer, metadataBytes: number | null): void {
  fake.say((w) => w.writeExtended(0, encodeExtensionHandshake({ ids: { ut_metadata: 4 }, metadataBytes })));
}

test('METADATA_FALSE, _SIZE, _PIECE, _UNASKED: a magnet names whoever lies about the metadata', () => {
  const world = new TorrentWorld();
  const node = new TestNode(world, made, magnet);
  const length = info.infoBytes.length;
  const answerWith = (fake: FakePeer, bytes: Uint8Array): void => {
    fake.onHeard = (message) => {
      if (message.type !== 'extended' || message.id !== 4) return;
      world.after(1, () =>
        fake.say((w) =>
          w.writeExtended(ourExtensionIds.ut_metadata, encodeMetadataData(0, bytes.length, bytes)),
        ),
      );
    };
  };
  const inventor = new FakePeer(node);
  introduce(inventor, length);
  answerWith(inventor, new Uint8Array(length));
  const shortener = new FakePeer(node);
  introduce(shortener, length);
  answerWith(shortener, new Uint8Array(length - 1));
  const sizer = new FakePeer(node);
  introduce(sizer, length + 5);
  const talker = new FakePeer(node);
  introduce(talker, length);
  talker.say((w) =>
    w.writeExtended(ourExtensionIds.ut_metadata, encodeMetadataData(7, length, new Uint8Array(9))),
  );
  talker.say((w) => w.writeExtended(ourExtensionIds.ut_metadata, encodeMetadataReject(0)));
  world.run(60_000);
  const honest = new FakePeer(node);
  introduce(honest, length);
  answerWith(honest, info.infoBytes);
  world.runUntil(() => node.factsOf('metadata').length > 0);
  world.run(100);
  const codeOf = (fake: FakePeer) =>
    node.blames.filter(({ endpoint }) => endpoint === fake.endpoint).map(({ fault }) => fault.code);
  assert.deepEqual(codeOf(inventor), ['BITTORRENT_METADATA_FALSE']);
  assert.equal(inventor.verdict?.code, 'BITTORRENT_METADATA_FALSE');
  assert.ok(codeOf(shortener).includes('BITTORRENT_METADATA_PIECE'));
  assert.deepEqual(codeOf(sizer), ['BITTORRENT_METADATA_SIZE']);
  assert.ok(codeOf(talker).includes('BITTORRENT_METADATA_UNASKED'));
  assert.deepEqual(codeOf(honest), []);
  for (const { fault } of node.blames) assert.ok(isSentence(fault));
  settle(world);
});

test('HASHES_FALSE: a peer that invents piece layers is banned, and the honest one gives them', () => {
  const torrent = makeTorrent('v2', 16 * KiB, [2_000_000]);
  const world = new TorrentWorld();
  const node = new TestNode(world, torrent, magnet);
  const liar = new FakePeer(node, { v2: true });
  liar.say((w) => w.writeEmpty(messageId.haveAll));
  node.act((t, nowMs) => t.setInfo(torrent.metainfo.info, new Map(), nowMs).start([], []));
  world.run(10);
  const [request] = liar.heardOf('hash-request');
  assert.ok(request !== undefined);
  const count =
    (request.payload[40]! << 24) |
    (request.payload[41]! << 16) |
    (request.payload[42]! << 8) |
    request.payload[43]!;
  const lie = new Uint8Array(48 + 32 * count);
  lie.set(request.payload);
  liar.say((w) => w.writePayload(messageId.hashes, lie));
  assert.equal(liar.verdict?.code, 'BITTORRENT_HASHES_FALSE');
  assert.equal(liar.verdict?.penalty, 100);
  connect(node, new TestNode(world, torrent, { has: 'all' }));
  world.runUntil(() => node.isComplete);
  settle(world);
});

test('many small faults are one large one: a peer that floods with unasked hashes is banned in the end', () => {
  const world = new TorrentWorld();
  const node = new TestNode(world, made, { has: 'nothing' });
  const fake = new FakePeer(node, { v2: true });
  const request = { root: new Uint8Array(32), baseLayer: 1, index: 0, length: 2, proofLayers: 0 };
  for (let count = 0; count < 9; count++) {
    fake.say((w) =>
      w.writePayload(
        messageId.hashes,
        encodeHashes({ request, hashes: new Uint8Array(64), uncles: new Uint8Array(0) }),
      ),
    );
  }
  assert.ok(!fake.isEnded && node.closings.length === 0);
  fake.say((w) =>
    w.writePayload(
      messageId.hashes,
      encodeHashes({ request, hashes: new Uint8Array(64), uncles: new Uint8Array(0) }),
    ),
  );
  assert.equal(fake.verdict?.code, 'BITTORRENT_HASHES_UNASKED');
  assert.equal(fake.verdict?.penalty, 100);
  settle(world);
});

test('what follows in the packet that ended a connection changes nothing', () => {
  const world = new TorrentWorld();
  const node = new TestNode(world, made, { has: 'all' });
  const fake = new FakePeer(node);
  fake.say((w) => {
    w.writeEmpty(messageId.haveAll);
    w.writeIndex(messageId.have, 0);
    w.writeEmpty(messageId.interested);
    w.writeRange(messageId.request, 0, 0, 16384);
    w.writeBlock(0, 0, new Uint8Array(100));
    w.writeIndex(messageId.have, pieceCount);
  });
  assert.equal(fake.verdict, null, 'two seeds part without a fault');
  assert.equal(node.torrent.content?.picker.availabilityOf(0), 0);
  assert.equal(node.torrent.peers.size, 0);
  settle(world);
});
