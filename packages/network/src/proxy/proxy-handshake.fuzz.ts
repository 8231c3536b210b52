import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8, type Fault, Prng } from '@tequio/kernel';
import { HttpConnectHandshake } from './http-connect-handshake.ts';
import type { ProxyHandshake } from './proxy-handshake.ts';
import { Socks5Handshake } from './socks5-handshake.ts';
import { encodeSocks5Datagram, tryDecodeSocks5Datagram } from './socks5-message.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 4000);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

function someAnswer(prng: Prng): Uint8Array {
  const socks = concatBytes([
    Uint8Array.of(5, prng.pick([0, 0, 2, 255])),
    prng.chance(0.5) ? Uint8Array.of(1, 0) : new Uint8Array(0),
    Uint8Array.of(5, prng.pick([0, 0, 0, 5]), 0, prng.pick([1, 3, 4, 4, 9])),
    prng.bytes(prng.below(30)),
  ]);
  const text = prng.pick(['HTTP/1.1 200 ok\r\n', 'HTTP/1.0 407 \n', 'HTTP/1.1 99', '\r\n', '']);
  const answer = prng.chance(0.5)
    ? socks
    : encodeUtf8(`${text}${'a: b\r\n'.repeat(prng.below(9))}\r\n\r\nrest`);
  for (let count = prng.below(3); count > 0; count--)
    if (answer.length > 0) answer[prng.below(answer.length)] = prng.below(256);
  return answer;
}

function run(machine: ProxyHandshake, bytes: Uint8Array, portion: () => number): unknown {
  const sent: Uint8Array[] = [];
  machine.drain(sent);
  let fault: Fault | null = null;
  let at = 0;
  while (at < bytes.length && fault === null && machine.result === null) {
    const part = bytes.slice(at, at + portion());
    at += part.length;
    fault = machine.handleBytes(part);
    machine.drain(sent);
  }
  if (machine.result === null) return { fault: fault?.code, sent: concatBytes(sent) };
  const { bound, rest } = machine.result;
  return { bound, rest: concatBytes([rest, bytes.slice(at)]), sent: concatBytes(sent) };
}

test('whatever a proxy answers ends in a fault, an open way or waiting, the same for any portions', () => {
  let openCount = 0;
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    const bytes = someAnswer(prng);
    const login = prng.chance(0.5) ? { user: 'u', password: 'p' } : null;
    const target = { host: prng.pick(['192.0.2.1', '2001:db8::1', 'name.example']), port: 80 };
    const make = (): ProxyHandshake =>
      seed % 2 === 0
        ? new Socks5Handshake('connect', target, login)
        : new HttpConnectHandshake(target, login);
    const whole = run(make(), bytes, () => 1 << 20);
    const parted = run(make(), bytes, () => prng.between(1, 5));
    assert.deepEqual(parted, whole, `seed ${seed}`);
    if ('rest' in (whole as object)) openCount++;
  }
  assert.ok(runCount < 4000 || (openCount > 200 && openCount < runCount), `${openCount}`);
});

test('whatever datagram comes is read or not, and what is read is in it', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    const host = prng.pick(['192.0.2.1', '2001:db8::1', 'name.example']);
    const data = prng.bytes(prng.below(40));
    const bytes = encodeSocks5Datagram({ host, port: prng.below(65_536) }, data);
    const change = prng.chance(0.5);
    if (change) bytes[prng.below(bytes.length)] = prng.below(256);
    const cut = bytes.subarray(0, prng.chance(0.3) ? prng.below(bytes.length) : bytes.length);
    const read = tryDecodeSocks5Datagram(cut);
    if (!change && cut.length === bytes.length) assert.deepEqual(read?.data, data, `seed ${seed}`);
    if (read !== null) assert.ok(read.data.length <= cut.length - 7, `seed ${seed}`);
  }
});
