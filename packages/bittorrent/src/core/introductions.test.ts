/** Peer exchange, hole punching, lost pieces and suggestions: whole torrents, and peers that say what they like. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEndpoint, type IpAddress, tryParseEndpoint } from '@tequio/kernel';
import { decodeDontHave, decodeExtensionHandshake, encodeExtensionHandshake } from '../wire/extension.ts';
import { decodeHolepunch, encodeHolepunch } from '../wire/holepunch.ts';
import { messageId } from '../wire/peer-message.ts';
import { decodePex, encodePex } from '../wire/pex.ts';
import { makeTorrent } from './made-torrent.fixture.ts';
import { FakePeer, settle, TestNode, TorrentWorld } from './torrent-world.fixture.ts';

const KiB = 1024;
const made = makeTorrent('v1', 32 * KiB, [300_000]);
const secret: typeof made = {
  ...made,
  metainfo: { ...made.metainfo, info: { ...made.metainfo.info, private: true } },
};
const stranger = tryParseEndpoint('203.0.113.9:6881')!;

/** Its numbers for what it hears: 11 to 14. */
function introduce(fake: FakePeer, listenPort = 7000): FakePeer {
  const ids = { ut_pex: 11, ut_holepunch: 12, lt_donthave: 13, upload_only: 14 };
  const payload = encodeExtensionHandshake({ ids, listenPort, yourAddress: '198.51.100.7' as IpAddress });
  fake.say((writer) => writer.writeExtended(0, payload));
  return fake;
}

/** Payloads of the extended messages under this number. */
function heard(fake: FakePeer, id: number): Uint8Array[] {
  return fake
    .heardOf('extended')
    .filter((message) => message.id === id)
    .map(({ payload }) => payload);
}

function idsOffered(fake: FakePeer): Record<string, number> {
  const last = decodeExtensionHandshake(heard(fake, 0).at(-1)!);
  assert.ok(last.ok);
  return last.value.ids;
}

function node(world: TorrentWorld, torrent = made, more = {}): TestNode {
  return new TestNode(world, torrent, { has: 'all', pex: true, holepunch: true, ...more });
}

test('peers that come are told of each other, and of who goes', () => {
  const world = new TorrentWorld();
  const ours = node(world);
  const [a, b] = [introduce(new FakePeer(ours)), introduce(new FakePeer(ours))];
  world.run(5000);
  const told = heard(a, 11).map((payload) => decodePex(payload));
  assert.equal(told.length, 1);
  assert.ok(told[0]!.ok);
  assert.deepEqual(
    told[0]!.value.added.map(({ endpoint }) => formatEndpoint(endpoint)),
    [`${b.endpoint.address}:7000`],
  );
  b.close();
  world.run(70_000);
  const later = decodePex(heard(a, 11)[1]!);
  assert.ok(later.ok);
  assert.deepEqual(later.value.dropped, [{ address: b.endpoint.address, port: 7000 }]);
  settle(world);
});

test('what a peer tells comes out as contacts, and how it sees us', () => {
  const world = new TorrentWorld();
  const ours = node(world);
  const fake = introduce(new FakePeer(ours));
  const message = encodePex({ added: [{ endpoint: stranger, flags: 2 }], dropped: [] });
  fake.say((writer) => writer.writeExtended(4, message));
  assert.deepEqual(ours.factsOf('heard'), [
    { type: 'heard', contacts: [{ endpoint: stranger, flags: 2 }], isFromLocal: true },
  ]);
  assert.deepEqual(ours.factsOf('seen')[0], {
    type: 'seen',
    address: '198.51.100.7',
    by: fake.endpoint.address,
  });
  settle(world);
});

test('floods of messages, and unreadable ones, end the connection in the end', () => {
  for (const payload of [encodePex({ added: [], dropped: [] }), new Uint8Array(3)]) {
    const world = new TorrentWorld();
    const fake = introduce(new FakePeer(node(world)));
    for (let i = 0; i < 40 && !fake.isEnded; i++) {
      fake.say((writer) => writer.writeExtended(4, payload));
      world.run(100);
    }
    assert.match(fake.verdict?.code ?? '', /^BITTORRENT_PEX_(RATE|MESSAGE)$/);
  }
});

test('a private torrent offers, says and hears nothing of it', () => {
  const world = new TorrentWorld();
  const ours = node(world, secret);
  const [a, b] = [introduce(new FakePeer(ours)), introduce(new FakePeer(ours))];
  fakeTells(a);
  world.run(70_000);
  assert.equal('ut_pex' in idsOffered(a), false);
  assert.deepEqual(heard(a, 11), []);
  assert.deepEqual(heard(b, 11), []);
  assert.deepEqual(ours.factsOf('heard'), []);
  settle(world);
});

test('with peer exchange off nothing of it is offered, said or heard', () => {
  const world = new TorrentWorld();
  const ours = node(world, made, { pex: false });
  const [a, b] = [introduce(new FakePeer(ours)), introduce(new FakePeer(ours))];
  fakeTells(a);
  world.run(70_000);
  assert.equal('ut_pex' in idsOffered(a), false);
  assert.deepEqual([...heard(a, 11), ...heard(b, 11)], []);
  assert.deepEqual(ours.factsOf('heard'), []);
  settle(world);
});

test('one that turns out to be private takes its offer back', () => {
  const world = new TorrentWorld();
  const ours = node(world, secret, { has: 'nothing', magnet: true });
  const fake = introduce(new FakePeer(ours));
  world.run(10);
  assert.equal(idsOffered(fake)['ut_pex'], 4);
  const { info, pieceLayers } = secret.metainfo;
  ours.act((torrent, nowMs) => torrent.setInfo(info, pieceLayers, nowMs));
  world.run(10);
  assert.deepEqual([idsOffered(fake)['ut_pex'], idsOffered(fake)['ut_holepunch']], [0, 0]);
  fakeTells(fake);
  assert.deepEqual(ours.factsOf('heard'), []);
});

function fakeTells(fake: FakePeer): void {
  const message = encodePex({ added: [{ endpoint: stranger, flags: 0 }], dropped: [] });
  fake.say((writer) => writer.writeExtended(4, message));
}

test('two peers are brought together, a dial that nobody answers is helped, a punch is asked for', () => {
  const world = new TorrentWorld();
  const ours = node(world);
  const [a, b] = [introduce(new FakePeer(ours)), introduce(new FakePeer(ours))];
  const target = { address: b.endpoint.address, port: 7000 };
  a.say((writer) => writer.writeExtended(5, encodeHolepunch({ type: 'rendezvous', endpoint: target })));
  world.run(10);
  assert.deepEqual(decodeHolepunch(heard(a, 12)[0]!), {
    ok: true,
    value: { type: 'connect', endpoint: target },
  });
  assert.equal(heard(b, 12).length, 1);

  const added = [{ endpoint: stranger, flags: 8 }];
  a.say((writer) => writer.writeExtended(4, encodePex({ added, dropped: [] })));
  ours.act((torrent, nowMs) => torrent.handleDial(stranger, 'begun', nowMs));
  world.run(4000);
  const asked = decodeHolepunch(heard(a, 12)[1]!);
  assert.deepEqual(asked, { ok: true, value: { type: 'rendezvous', endpoint: stranger } });
  a.say((writer) => writer.writeExtended(5, encodeHolepunch({ type: 'connect', endpoint: stranger })));
  assert.deepEqual(ours.factsOf('punch'), [{ type: 'punch', endpoint: stranger, isFromLocal: true }]);
  settle(world);
});

test('BEP 54: pieces that a recheck does not find are taken back, and wanted again', () => {
  const world = new TorrentWorld();
  const ours = node(world);
  const fake = introduce(new FakePeer(ours));
  world.run(100);
  ours.disk.bytes.fill(0, 2 * 32 * KiB, 3 * 32 * KiB);
  ours.act((torrent) => torrent.content!.doubt([1, 2, 3]));
  world.run(1000);
  assert.deepEqual(heard(fake, 13).map(decodeDontHave), [{ ok: true, value: 2 }]);
  assert.deepEqual(heard(fake, 14).at(-1), Uint8Array.of(0), 'no longer upload-only');
  settle(world);
});

test('BEP 6: what lies in memory is suggested to who is served, seldom, and not what most have', () => {
  const world = new TorrentWorld();
  const ours = node(world);
  const [reader, other] = [introduce(new FakePeer(ours)), introduce(new FakePeer(ours))];
  for (const fake of [reader, other])
    fake.say((writer) => {
      writer.writeEmpty(messageId.haveNone);
      writer.writeEmpty(messageId.interested);
    });
  world.run(100);
  reader.say((writer) => writer.writeRange(messageId.request, 5, 0, 16 * KiB));
  world.run(60_000);
  assert.deepEqual(
    other.heardOf('suggest').map(({ piece }) => piece),
    [5],
    'once',
  );
  settle(world);
});
