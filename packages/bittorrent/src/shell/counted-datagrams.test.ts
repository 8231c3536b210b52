import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, UdpSocket } from '@tequio/kernel';
import { VirtualClock } from '@tequio/simulator';
import { countedDhtPort, countedUdp } from './counted-datagrams.ts';
import { RateLimits, rateLimits } from './rate-limit.ts';

const off = { down: null, up: null };
const four = { address: '192.0.2.1', port: 7 } as Endpoint;
const six = { address: '2001:db8::1', port: 7 } as Endpoint;

/** A port that keeps what was sent, and lets a test receive. */
class FakePort {
  readonly localPort = 9;
  readonly sent: number[] = [];
  receive: (bytes: Uint8Array, from: Endpoint) => void = () => {};
  isClosed = false;
  readonly #socket: UdpSocket = {
    local: four,
    send: (bytes) => void this.sent.push(bytes.length),
    close: async () => void (this.isClosed = true),
  };
  hasFamily = (family: 4 | 6): boolean => family === 4;
  claim = (_kind: 'dht', onDatagram: typeof this.receive): UdpSocket => {
    this.receive = onDatagram;
    return this.#socket;
  };
  bind = async (_at: unknown, onDatagram: typeof this.receive): Promise<UdpSocket> =>
    this.claim('dht', onDatagram);
}

test('datagrams pass, and are counted with their headers', async () => {
  const counts: [string, number][] = [];
  const counter = { countDatagram: (way: 'down' | 'up', bytes: number) => void counts.push([way, bytes]) };
  for (const make of [
    async (port: FakePort, heard: FakePort['receive']) => countedDhtPort(port, counter).claim('dht', heard),
    (port: FakePort, heard: FakePort['receive']) =>
      countedUdp(port, counter).bind({ address: null, port: 0 }, heard),
  ]) {
    const port = new FakePort();
    const heard: number[] = [];
    const socket = await make(port, (bytes) => void heard.push(bytes.length));
    socket.send(new Uint8Array(100), four);
    socket.send(new Uint8Array(10), six);
    port.receive(new Uint8Array(50), four);
    assert.deepEqual([port.sent, heard, socket.local], [[100, 10], [50], four]);
    assert.deepEqual(counts.splice(0), [
      ['up', 128],
      ['up', 58],
      ['down', 78],
    ]);
    await socket.close();
    assert.ok(port.isClosed);
  }
  const { localPort, hasFamily } = countedDhtPort(new FakePort(), counter);
  assert.deepEqual([localPort, hasFamily(4), hasFamily(6)], [9, true, false]);
});

test('content has what the limit leaves beside them, whatever class it is in', () => {
  const clock = new VirtualClock();
  const limits = new RateLimits(clock, { down: null, up: 100_000, schedule: [], zoneMinutesAt: () => 0 });
  const rates = limits.ofTorrent('t', off, 'films');
  let content = 0;
  let datagrams = 0;
  for (let atMs = 0; atMs < 20_000; atMs += 10) {
    clock.advanceTo(atMs);
    // 40 kB a second that ask nobody.
    limits.countDatagram('up', 400);
    datagrams += 400;
    while (rates.tryTake(1000, clock.nowMs(), 1)) {
      rates.sent(1, 1000);
      content += 1000 * (1 + rateLimits.headerShare);
    }
  }
  assert.ok(Math.abs((content + datagrams) / 20 - 100_000) < 2000, `${content} + ${datagrams}`);
  limits.setLimits(off);
  limits.countDatagram('up', 1e9);
  clock.advanceTo(20_100);
  limits.setLimits({ down: null, up: 100_000 });
  assert.ok(rates.tryTake(1000, clock.nowMs(), 1), 'without a limit nothing was counted');
});
