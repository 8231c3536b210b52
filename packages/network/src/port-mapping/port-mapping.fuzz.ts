/** Whatever arrives, decoders give a value or a fault, and the machine goes on, bounded. */
import assert from 'node:assert/strict';
import { env } from 'node:process';
import { test } from 'node:test';
import {
  concatBytes,
  encodeUtf8,
  type IpAddress,
  type LocalNetwork,
  Prng,
  toLatin1,
  tryFromHex,
} from '@tequio/kernel';
import { HttpMessageReader, httpMessageLimits } from './http-message.ts';
import { decodeIgdAnswer, decodeIgdDescription } from './igd.ts';
import { type MappingEffect, MappingMachine } from './mapping-machine.ts';
import { decodeNatPmpResponse } from './nat-pmp.ts';
import { decodePcpResponse } from './pcp.ts';
import { tryParseRouterUrl } from './router-url.ts';
import { decodeSsdpAnswer } from './ssdp.ts';
import { parseXml } from './xml.ts';

const firstSeed = Number(env['FUZZ_SEED'] ?? 1);
const runCount = Number(env['FUZZ_RUNS'] ?? 3000);

const place = { gateway: '192.168.1.1' as IpAddress, local: '192.168.1.2' as IpAddress, prefixBits: 24 };
const description =
  '<root><device><modelName>x</modelName><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2' +
  '</serviceType><controlURL>/c</controlURL></service></serviceList></device></root>';
const soap = (name: string, inside: string): string =>
  `<s:Envelope><s:Body><u:${name}Response>${inside}</u:${name}Response></s:Body></s:Envelope>`;
const texts = [
  description,
  soap('AddAnyPortMapping', '<NewReservedPort>1</NewReservedPort>'),
  soap('AddPortMapping', ''),
  soap('GetExternalIPAddress', '<NewExternalIPAddress>5.1.0.2</NewExternalIPAddress>'),
  soap('GetSpecificPortMappingEntry', '<NewInternalClient>192.168.1.2</NewInternalClient>'),
  '<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>725</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>',
  'HTTP/1.1 200 OK\r\nST: x\r\nLocation: http://192.168.1.1:5000/d.xml\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
];
const datagrams = [
  tryFromHex(
    `02810000000000780000002a${'00'.repeat(12)}${'07'.repeat(12)}060000006a886a8800000000000000000000ffff05010002`,
  )!,
  tryFromHex(`028000000000000000000005${'00'.repeat(12)}`)!,
  tryFromHex('008000000000002a05010002')!,
  tryFromHex('008200000000002a6a886a8800000e10')!,
  tryFromHex('0080000100000005')!,
];

/** A good message, hurt in a few places; or noise. */
function hurt(prng: Prng, good: Uint8Array): Uint8Array {
  if (prng.chance(0.1)) return prng.bytes(prng.below(100));
  const bytes = new Uint8Array(good);
  for (let n = prng.below(5); n > 0; n--) bytes[prng.below(bytes.length)] = prng.below(256);
  const cut = prng.chance(0.2) ? bytes.subarray(0, prng.below(bytes.length + 1)) : bytes;
  return prng.chance(0.1) ? concatBytes([cut, cut.subarray(prng.below(cut.length + 1))]) : cut;
}

test('decoders are total', () => {
  let goodCount = 0;
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    const bytes = hurt(prng, prng.chance(0.3) ? prng.pick(datagrams) : encodeUtf8(prng.pick(texts)));
    const text = toLatin1(bytes);
    try {
      const results = [
        decodePcpResponse(bytes),
        decodeNatPmpResponse(bytes),
        decodeSsdpAnswer(bytes),
        parseXml(text),
        decodeIgdDescription(text),
        decodeIgdAnswer(200, text, prng.pick(['AddPortMapping', 'GetExternalIPAddress'])),
      ];
      for (const result of results) {
        if (result.ok) goodCount++;
        else assert.match(result.fault.code, /^NETWORK_[A-Z_]+$/);
      }
      const url = tryParseRouterUrl(text.slice(0, 60), place);
      assert.ok(url === null || url.address.startsWith('192.168.1.'));
      const reader = new HttpMessageReader();
      for (let at = 0; at < bytes.length; at += 1 + (seed % 40))
        reader.handleBytes(bytes.subarray(at, at + 1 + (seed % 40)));
      reader.handleEnd();
      assert.ok(
        reader.result !== null &&
          ('code' in reader.result || reader.result.body.length <= httpMessageLimits.bodyBytes),
      );
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: error });
    }
  }
  assert.ok(goodCount > runCount / 3, `${goodCount} good`);
});

const networks: readonly LocalNetwork[] = [
  { name: 'eth0', address: place.local, prefixBits: 24, gateway: place.gateway, gatewayIsGuess: false },
  {
    name: 'eth0',
    address: '2001:db8::2' as IpAddress,
    prefixBits: 64,
    gateway: 'fe80::1' as IpAddress,
    gatewayIsGuess: false,
  },
  {
    name: 'en1',
    address: '10.0.0.9' as IpAddress,
    prefixBits: 24,
    gateway: '10.0.0.1' as IpAddress,
    gatewayIsGuess: true,
  },
];

test('a hostile router, a changing network and a changing mind: the machine stays bounded, and always stops', () => {
  let mappedCount = 0;
  for (let seed = firstSeed; seed < firstSeed + runCount / 10; seed++) {
    try {
      mappedCount += playHostile(new Prng(seed));
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=10`, { cause: error });
    }
  }
  assert.ok(mappedCount > runCount / 100, `${mappedCount} runs had something mapped`);
});

/** 1 when something was mapped on the way. */
function playHostile(prng: Prng): 0 | 1 {
  const nonce = new Uint8Array(12).fill(7);
  const machine = new MappingMachine({ nonce, description: 'x', bind: null }, prng.fork());
  let nowMs = 0;
  let wasMapped = false;
  const asked: { way: string; id: number }[] = [];
  const effects: MappingEffect[] = [];
  const take = (): void => {
    effects.length = 0;
    machine.drain(effects);
    assert.ok(effects.length < 300, `${effects.length} effects at once`);
    for (const effect of effects) {
      if (effect.type !== 'do' || effect.effect.type !== 'http') continue;
      const { address } = effect.effect.url;
      assert.match(address, /^(?:192\.168\.1|10\.0\.0)\.|^2001:db8:/, 'never a stranger');
      asked.push({ way: effect.way, id: effect.effect.id });
    }
  };
  machine.handle({ type: 'networks', networks }, nowMs);
  machine.handle({ type: 'wanted', ports: [{ transport: 'tcp', port: 27272 }] }, nowMs);
  for (let step = 0; step < 150; step++) {
    nowMs += prng.chance(0.9) ? prng.below(60) : prng.pick([3000, 30_000, 3_600_000]);
    const way = prng.pick(machine.ways.length > 0 ? machine.ways : [networks[0]!].map(wayOf));
    const key = `${way.local}>${way.gateway ?? ''}`;
    const kind = prng.below(10);
    if (kind < 5) {
      const from = { address: way.gateway ?? place.gateway, port: prng.chance(0.8) ? 5351 : 1900 };
      const good = prng.chance(0.8) ? prng.pick(datagrams) : encodeUtf8(texts[6]!);
      machine.handle(
        {
          type: 'datagram',
          way: key,
          bytes: prng.chance(0.6) ? new Uint8Array(good) : hurt(prng, good),
          from,
        },
        nowMs,
      );
    } else if (kind < 8 && asked.length > 0) {
      const body = toLatin1(
        prng.chance(0.5) ? encodeUtf8(prng.pick(texts)) : hurt(prng, encodeUtf8(prng.pick(texts))),
      );
      const answer = prng.chance(0.1) ? null : { status: prng.pick([200, 200, 500, 404]), body };
      machine.handle({ type: 'http', ...asked.pop()!, answer }, nowMs);
    } else if (kind === 8) {
      machine.handle({ type: 'networks', networks: prng.chance(0.8) ? networks : [] }, nowMs);
    } else {
      const ports = Array.from({ length: prng.below(30) }, (_, i) => ({
        transport: prng.pick(['tcp', 'udp'] as const),
        port: 27272 + i,
      }));
      machine.handle({ type: 'wanted', ports }, nowMs);
    }
    take();
    if ((machine.nextTimeoutMs() ?? Number.POSITIVE_INFINITY) <= nowMs) machine.handleTimeout(nowMs);
    take();
    wasMapped ||= machine.ways.some(({ mappings }) => mappings.some(({ state }) => state === 'mapped'));
  }
  machine.handle({ type: 'stop' }, nowMs);
  take();
  let isStopped = effects.some(({ type }) => type === 'stopped');
  for (let turn = 0; !isStopped; turn++) {
    assert.ok(turn < 100, 'stopping comes to an end');
    nowMs = Math.max(nowMs, machine.nextTimeoutMs()!);
    machine.handleTimeout(nowMs);
    take();
    isStopped = effects.some(({ type }) => type === 'stopped');
  }
  assert.equal(machine.nextTimeoutMs(), null);
  return wasMapped ? 1 : 0;
}

function wayOf({ address, gateway }: LocalNetwork): { local: IpAddress; gateway: IpAddress | null } {
  return { local: address, gateway };
}
