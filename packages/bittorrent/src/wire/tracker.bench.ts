/**
 * An announce as a tracker reads it and answers it, over HTTP and UDP, against one look at each of its bytes.
 * Run: node packages/bittorrent/src/wire/tracker.bench.ts
 */
import { encodeUtf8, type IpAddress, Prng } from '@tequio/kernel';
import { passOver, runMicroBenches } from '@tequio/kernel/compliance/micro-bench';
import { decodeHttpAnnounceQuery, encodeHttpAnnounceUrl } from './tracker-http.ts';
import { encodeHttpAnnounceReply } from './tracker-http-response.ts';
import { decodeUdpTrackerRequest, encodeUdpAnnounce } from './tracker-udp.ts';

const prng = new Prng(1);
const announce = {
  infoHash: prng.bytes(20),
  peerId: prng.bytes(20),
  port: 51_413,
  uploadedBytes: 123_456_789,
  downloadedBytes: 987_654_321,
  leftBytes: 4096,
  event: 'none',
  key: 77,
  numWant: 50,
  trackerId: null,
} as const;
const url = encodeHttpAnnounceUrl('http://tracker.example/announce', announce);
const query = url.slice(url.indexOf('?') + 1);
const datagram = encodeUdpAnnounce({
  ...announce,
  connectionId: prng.bytes(8),
  transaction: 1,
  urlData: '/announce',
});
const reply = {
  seedCount: 30,
  completedCount: 500,
  leechCount: 20,
  intervalS: 1800,
  minIntervalS: 30,
  peers4: prng.bytes(50 * 6),
  peers6: new Uint8Array(0),
  compact: true,
  externalAddress: '10.0.0.9' as IpAddress,
};

runMicroBenches([
  {
    name: 'HTTP announce read',
    work: (times) => {
      let port = 0;
      for (let i = 0; i < times; i++) {
        const decoded = decodeHttpAnnounceQuery(query);
        if (!decoded.ok) throw new Error(decoded.fault.message);
        port += decoded.value.port;
      }
      return port;
    },
    baseline: passOver(encodeUtf8(query)),
  },
  {
    name: 'HTTP announce answered',
    work: (times) => {
      let length = 0;
      for (let i = 0; i < times; i++) length += encodeHttpAnnounceReply(reply).length;
      return length;
    },
    baseline: passOver(encodeHttpAnnounceReply(reply)),
  },
  {
    name: 'UDP announce read',
    work: (times) => {
      let good = 0;
      for (let i = 0; i < times; i++) if (decodeUdpTrackerRequest(datagram).ok) good++;
      if (good !== times) throw new Error('it was not read');
      return good;
    },
    baseline: passOver(datagram),
  },
]);
