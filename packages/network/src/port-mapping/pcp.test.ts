import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IpAddress, toHex, tryFromHex } from '@tequio/kernel';
import { decodePcpResponse, describePcpResult, encodePcpAnnounce, encodePcpMap } from './pcp.ts';

const nonce = tryFromHex('0102030405060708090a0b0c')!;

test('RFC 6887, section 7.1 and 14.1: ANNOUNCE is a header with our address', () => {
  assert.equal(
    toHex(encodePcpAnnounce('192.168.1.2' as IpAddress)),
    '02000000' + '00000000' + '00000000000000000000ffffc0a80102',
  );
});

test('RFC 6887, section 11.1: MAP has every field at its place', () => {
  assert.equal(
    toHex(
      encodePcpMap({
        clientAddress: '192.168.1.2' as IpAddress,
        nonce,
        transport: 'tcp',
        internalPort: 0x1a2b,
        externalPort: 0x3c4d,
        lifetimeSeconds: 3600,
      }),
    ),
    '02010000' +
      '00000e10' +
      '00000000000000000000ffffc0a80102' +
      '0102030405060708090a0b0c' +
      '06000000' +
      '1a2b' +
      '3c4d' +
      '00000000000000000000ffff00000000',
  );
  const six = encodePcpMap({
    clientAddress: '2001:db8::2' as IpAddress,
    nonce,
    transport: 'udp',
    internalPort: 1,
    externalPort: 0,
    lifetimeSeconds: 0,
  });
  assert.equal(toHex(six.subarray(36)), '110000000001000000000000000000000000000000000000');
  assert.equal(toHex(six.subarray(8, 24)), '20010db8000000000000000000000002');
});

test('answers of a server (as miniupnpd sends them)', () => {
  const map = decodePcpResponse(
    tryFromHex(
      '02810000' +
        '00000e10' +
        '0000002a' +
        '000000000000000000000000' +
        '0102030405060708090a0b0c' +
        '11000000' +
        '6a88' +
        '6a89' +
        '00000000000000000000ffff05010002',
    )!,
  );
  assert.deepEqual(map, {
    ok: true,
    value: {
      type: 'map',
      result: 0,
      epochSeconds: 42,
      lifetimeSeconds: 3600,
      nonce,
      transport: 'udp',
      internalPort: 27272,
      externalPort: 27273,
      externalAddress: '5.1.0.2',
    },
  });
  const announce = decodePcpResponse(tryFromHex('02800000000000000000002a000000000000000000000000')!);
  assert.deepEqual(announce, { ok: true, value: { type: 'announce', result: 0, epochSeconds: 42 } });
});

test('what is none of ours is refused, with the reason', () => {
  const codeOf = (hex: string): string => {
    const decoded = decodePcpResponse(tryFromHex(hex)!);
    assert.ok(!decoded.ok);
    return decoded.fault.code;
  };
  assert.equal(codeOf(''), 'NETWORK_PCP_SYNTAX');
  assert.equal(codeOf('0080000100000005'), 'NETWORK_PCP_VERSION', 'a NAT-PMP server refuses version 2');
  assert.equal(
    codeOf('008000000000000505010002'),
    'NETWORK_PCP_SYNTAX',
    'a good NAT-PMP answer is not about us',
  );
  assert.equal(codeOf('0200000000000000000000000000000000000000000000'), 'NETWORK_PCP_SYNTAX', 'a request');
  assert.equal(codeOf(`0281${'00'.repeat(22)}`), 'NETWORK_PCP_SYNTAX', 'MAP without its part');
  assert.equal(codeOf(`0281${'00'.repeat(58)}`), 'NETWORK_PCP_SYNTAX', 'neither TCP nor UDP');
  assert.match(describePcpResult(8), /no room/);
  assert.match(describePcpResult(77), /77/);
});
