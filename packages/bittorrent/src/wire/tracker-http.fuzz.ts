/** What HTTP trackers answer, what their clients ask, and the compact lists of peers that others use too, damaged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressToBytes, type Endpoint, fromLatin1, isIpv6, Prng, toLatin1 } from '@tequio/kernel';
import {
  type AddressFamily,
  compactPeerBytes,
  decodeCompactPeers,
  encodeCompactPeers,
} from './compact-peers.ts';
import { decodeHttpAnnounceQuery, decodeHttpScrapeQuery, httpTrackerLimits } from './tracker-http.ts';
import {
  decodeHttpAnnounceResponse,
  decodeHttpScrapeResponse,
  encodeHttpFailure,
  httpAnswerLimits,
} from './tracker-http-response.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 20_000);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

function eachSeed(check: (prng: Prng) => void): void {
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    try {
      check(new Prng(seed));
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
}

const text = (bytes: Uint8Array): string => `${bytes.length}:${toLatin1(bytes)}`;
const number = (prng: Prng): string => `i${prng.pick(['', '-', '9'])}${prng.nextUint32()}e`;

/** As trackers write it, and as none should. */
function randomAnswer(prng: Prng): Uint8Array {
  if (prng.chance(0.1)) return encodeHttpFailure('not here', prng.pick([null, 'never', prng.below(100)]));
  const some = (part: string): string => (prng.chance(0.7) ? part : '');
  const peer = `d2:ip${prng.pick(['9:192.0.2.1', '11:2001:db8::1', '4:host', 'i1e'])}4:port${number(prng)}e`;
  const peers = prng.chance(0.6) ? text(prng.bytes(prng.below(40))) : `l${peer.repeat(prng.below(5))}e`;
  const parts = [
    some(`8:complete${number(prng)}`),
    some(`10:downloaded${number(prng)}`),
    some(`11:external ip${text(prng.bytes(prng.pick([0, 4, 5, 16])))}`),
    some(`10:incomplete${number(prng)}`),
    some(`8:interval${number(prng)}`),
    some(`12:min interval${number(prng)}`),
    some(`5:peers${peers}`),
    some(`6:peers6${text(prng.bytes(prng.below(60)))}`),
    some(`10:tracker id${text(prng.bytes(prng.pick([0, 3, 256, 300])))}`),
    some(`15:warning message${text(prng.bytes(prng.below(600)))}`),
  ];
  return fromLatin1(`d${parts.join('')}e${some('\n')}`);
}

function randomScrapeAnswer(prng: Prng): Uint8Array {
  const swarm = (): string => {
    const counts = `8:complete${number(prng)}10:downloaded${number(prng)}10:incomplete${number(prng)}`;
    return `${text(prng.bytes(prng.chance(0.9) ? 20 : 19))}d${counts}e`;
  };
  return fromLatin1(`d5:filesd${Array.from({ length: prng.below(5) }, swarm).join('')}ee`);
}

function damaged(prng: Prng, bytes: Uint8Array): Uint8Array {
  let result = bytes;
  for (let count = prng.below(5); count > 0 && result.length > 0; count--) {
    const at = prng.below(result.length);
    if (prng.chance(0.6)) result[at] = prng.pick([...'dleis0123456789:-'].map((c) => c.charCodeAt(0)));
    else if (prng.chance(0.5)) result[at] = prng.below(256);
    else result = result.slice(0, at);
  }
  return result;
}

function assertPeers(peers: readonly Endpoint[]): void {
  for (const { address, port } of peers) {
    assert.ok(Number.isInteger(port) && port > 0 && port < 65_536);
    assert.equal(addressToBytes(address).length, isIpv6(address) ? 16 : 4);
  }
}

const isCount = (count: number | null): boolean =>
  count === null || (Number.isSafeInteger(count) && count >= 0);

test('whatever a tracker answers to an announce, it is a sound answer, a refusal or a fault', () => {
  const seen = { answer: 0, refusal: 0, fault: 0, peers: 0 };
  eachSeed((prng) => {
    const result = decodeHttpAnnounceResponse(damaged(prng, randomAnswer(prng)));
    if (!result.ok) {
      assert.equal(result.fault.code, 'BITTORRENT_TRACKER_ANSWER');
      seen.fault++;
      return;
    }
    seen[result.value.type]++;
    if (result.value.type === 'refusal') {
      assert.ok(result.value.refusal.message.length <= httpAnswerLimits.messageBytesMax);
      return;
    }
    const { answer } = result.value;
    assertPeers(answer.peers);
    seen.peers += answer.peers.length;
    assert.ok([answer.seedCount, answer.leechCount, answer.completedCount].every(isCount));
    for (const wait of [answer.intervalMs, answer.minIntervalMs]) assert.ok(wait === null || wait > 0);
    assert.ok((answer.trackerId?.length ?? 0) <= httpTrackerLimits.trackerIdBytesMax);
    assert.ok((answer.warning?.length ?? 0) <= httpAnswerLimits.messageBytesMax);
  });
  assert.ok(Math.min(...Object.values(seen)) > runCount / 50, JSON.stringify(seen));
});

test('whatever a tracker answers to a scrape, it is sound counts, a refusal or a fault', () => {
  let swarmCount = 0;
  eachSeed((prng) => {
    const result = decodeHttpScrapeResponse(damaged(prng, randomScrapeAnswer(prng)));
    if (!result.ok) assert.equal(result.fault.code, 'BITTORRENT_TRACKER_ANSWER');
    else if (result.value.type === 'swarms') {
      swarmCount += result.value.swarms.size;
      for (const [hash, counts] of result.value.swarms) {
        assert.equal(hash.length, 20);
        assert.ok(Object.values(counts).every(isCount));
      }
    }
  });
  assert.ok(swarmCount > runCount / 10, `${swarmCount}`);
});

test('whatever a client asks, it is a sound question or a fault', () => {
  let soundCount = 0;
  const bytes = (prng: Prng): string =>
    [...prng.bytes(prng.chance(0.9) ? 20 : prng.below(30))]
      .map((b) => `%${b.toString(16).padStart(2, '0')}`)
      .join('');
  eachSeed((prng) => {
    const some = (part: string): string => (prng.chance(0.7) ? `&${part}` : '');
    const question =
      `info_hash=${bytes(prng)}${some(`peer_id=${bytes(prng)}`)}${some(`port=${prng.below(70_000)}`)}` +
      `${some(`left=${prng.pick(['0', '-1', '1e9', '9'.repeat(30)])}`)}${some(`event=${prng.pick(['started', 'x'])}`)}` +
      `${some(`numwant=${prng.pick(['50', '', 'NaN'])}`)}${some(`key=${prng.pick(['ff', 'zz'])}`)}${some('ip=%zz')}`;
    const query = toLatin1(damaged(prng, fromLatin1(question)));
    const announce = decodeHttpAnnounceQuery(query);
    if (announce.ok) {
      soundCount++;
      const { infoHash, peerId, port, uploadedBytes, downloadedBytes, leftBytes } = announce.value;
      assert.deepEqual([infoHash.length, peerId.length], [20, 20]);
      assert.ok(port >= 0 && port <= 65_535);
      assert.ok([uploadedBytes, downloadedBytes, leftBytes].every(isCount));
    }
    const scrape = decodeHttpScrapeQuery(query);
    if (scrape.ok) assert.ok(scrape.value.every((hash) => hash.length === 20));
  });
  assert.ok(soundCount > runCount / 20, `${soundCount}`);
});

test('a compact list gives sound peers, and what is written again is what was read', () => {
  eachSeed((prng) => {
    const family: AddressFamily = prng.pick([4, 6] as const);
    const most = prng.below(8);
    const bytes = prng.bytes(prng.below(6 * compactPeerBytes(family)));
    const peers = decodeCompactPeers(bytes, family, most);
    assertPeers(peers);
    assert.ok(peers.length <= Math.min(most, Math.floor(bytes.length / compactPeerBytes(family))));
    const written = encodeCompactPeers(peers, family);
    assert.deepEqual(decodeCompactPeers(written, family, most), peers);
  });
});
