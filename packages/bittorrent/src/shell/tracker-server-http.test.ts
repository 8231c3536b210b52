import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUtf8Lossy, type HttpServerResponse, type IpAddress, Prng } from '@tequio/kernel';
import { TrackerStore } from '../core/tracker-store.ts';
import { encodeHttpAnnounceUrl } from '../wire/tracker-http.ts';
import { decodeHttpAnnounceResponse } from '../wire/tracker-http-response.ts';
import { HttpTrackerServer } from './tracker-server-http.ts';

class World {
  readonly server: HttpTrackerServer;

  constructor(believesLocalClaims = true) {
    const prng = new Prng(6);
    const store = new TrackerStore({ prng });
    const stats = () => ({ torrentCount: 1, announceCount: 22 });
    this.server = new HttpTrackerServer({
      store,
      prng,
      stats,
      intervalS: 1800,
      minIntervalS: 60,
      believesLocalClaims,
    });
  }

  ask(target: string, remote = '192.0.2.1', method = 'GET'): HttpServerResponse {
    return this.server.handle(
      { method, target, headers: {}, remote: { address: remote as IpAddress, port: 9 } },
      0,
    );
  }

  announce(port: number, remote: string, extra = ''): string[] {
    const target = encodeHttpAnnounceUrl('/announce', {
      infoHash: new Uint8Array(20),
      peerId: new Uint8Array(20),
      port,
      uploadedBytes: 0,
      downloadedBytes: 0,
      leftBytes: 1,
      event: 'none',
      key: 0,
      numWant: -1,
      trackerId: null,
    });
    const decoded = decodeHttpAnnounceResponse(this.ask(target + extra, remote).body);
    assert.ok(decoded.ok && decoded.value.type === 'answer');
    return decoded.value.answer.peers.map((peer) => peer.address).sort();
  }
}

test('claimed addresses are believed from local askers only, and only sensible ones', () => {
  const world = new World();
  world.announce(1, '203.0.113.5', '&ip=198.51.100.66');
  world.announce(2, '10.0.0.2', '&ip=198.51.100.7');
  world.announce(3, '10.0.0.3', '&ip=224.0.0.1');
  world.announce(4, '10.0.0.4', '&ip=name.example');
  world.announce(5, '127.0.0.1', '&ipv6=%5B2001%3Adb8%3A%3A1%5D%3A5');
  assert.deepEqual(world.announce(9, '192.0.2.1'), [
    '10.0.0.3',
    '10.0.0.4',
    '198.51.100.7',
    '2001:db8::1',
    '203.0.113.5',
  ]);
  const strict = new World(false);
  strict.announce(1, '127.0.0.1', '&ip=198.51.100.7');
  assert.deepEqual(strict.announce(9, '192.0.2.1'), ['127.0.0.1']);
});

test('pages: statistics as text and JSON, refusals with a reason, nothing else', () => {
  const world = new World();
  const bodyOf = (target: string): string => decodeUtf8Lossy(world.ask(target).body);
  assert.equal(bodyOf('/stats'), 'torrentCount   1\nannounceCount  22\n');
  assert.deepEqual(JSON.parse(bodyOf('/stats.json')), { torrentCount: 1, announceCount: 22 });
  assert.match(bodyOf('/announce'), /^d14:failure reason.*info_hash/);
  assert.match(bodyOf('/scrape'), /^d14:failure reason/);
  assert.equal(world.ask('/announce').status, 200);
  assert.equal(world.ask('/etc/passwd').status, 404);
  assert.equal(world.ask('/announce', '192.0.2.1', 'POST').status, 405);
});

test('no request line makes it throw', () => {
  const world = new World();
  const prng = new Prng(77);
  for (let round = 0; round < 5000; round++) {
    const parts = Array.from({ length: prng.below(8) }, () =>
      prng.pick([
        'info_hash=',
        '%00%',
        '&',
        '=',
        'peer_id=',
        'port=1',
        'left=-1',
        '\u1234',
        '%zz',
        'ip=::1',
        '?',
        'a'.repeat(20),
      ]),
    );
    const target = prng.pick(['/announce?', '/scrape?', '/stats?', '?', '']) + parts.join('');
    assert.ok([200, 404].includes(world.ask(target).status));
  }
});
