import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8, type IpAddress, toLatin1 } from '@tequio/kernel';
import {
  decodeIgdAnswer,
  decodeIgdDescription,
  encodeIgdAction,
  igdActions,
  isIgdFault,
  tryReadAddress,
  tryReadPort,
} from './igd.ts';
import { isInNetwork, tryParseRouterUrl } from './router-url.ts';
import { decodeSsdpAnswer, encodeSsdpSearch, ssdpGroupIpv4, ssdpTargets } from './ssdp.ts';

const service = (type: string, url: string): string =>
  `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType><controlURL>${url}</controlURL></service>`;

test('a search, and an answer as routers write them', () => {
  assert.equal(
    toLatin1(encodeSsdpSearch(ssdpGroupIpv4, ssdpTargets[0])),
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n' +
      'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n',
  );
  assert.match(toLatin1(encodeSsdpSearch('ff02::c' as IpAddress, 'x')), /HOST: \[ff02::c\]:1900\r\n/);
  const answer = (text: string) => decodeSsdpAnswer(encodeUtf8(text));
  assert.deepEqual(
    answer('HTTP/1.1 200 OK\r\nCache-Control: x\r\nst:a\r\nLocation:  http://192.168.1.1/x \r\n\r\n'),
    {
      ok: true,
      value: { target: 'a', location: 'http://192.168.1.1/x' },
    },
  );
  for (const text of [
    'NOTIFY * HTTP/1.1\r\nLocation: http://192.168.1.1/\r\n\r\n',
    'M-SEARCH * HTTP/1.1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nST: a\r\n\r\n',
    'HTTP/1.1 404 No\r\nLocation: http://192.168.1.1/\r\n\r\n',
    `HTTP/1.1 200 OK\r\nLocation: http://192.168.1.1/${'x'.repeat(600)}\r\n\r\n`,
    `HTTP/1.1 200 OK\r\nLocation: http://192.168.1.1/\r\nx: ${'x'.repeat(3000)}\r\n\r\n`,
  ])
    assert.equal(answer(text).ok, false, text.slice(0, 60));
});

test('only the gateway, and hosts of our own network, may be named; by number, over http', () => {
  const place = { gateway: '192.168.1.1', local: '192.168.1.20', prefixBits: 25 } as never;
  const parse = (text: string) => tryParseRouterUrl(text, place);
  assert.deepEqual(parse('http://192.168.1.1:5000/x/y?z=1'), {
    address: '192.168.1.1',
    port: 5000,
    path: '/x/y?z=1',
  });
  assert.equal(parse('http://192.168.1.1')?.port, 80);
  assert.equal(parse('http://192.168.1.99/')?.path, '/');
  for (const bad of [
    'http://192.168.1.200/',
    'http://192.168.1.20/',
    'http://8.8.8.8/',
    'http://10.0.0.1/',
    'http://127.0.0.1/',
    'http://0.0.0.0/',
    'http://2130706433/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://router.local/',
    'http://192.168.1.1.example.com/',
    'https://192.168.1.1/',
    'ftp://192.168.1.1/',
    'file:///etc/passwd',
    'http://user:pass@192.168.1.1/',
    'http://192.168.1.1:0/',
    'nonsense',
    '',
  ])
    assert.equal(parse(bad), null, bad);
  const six = { gateway: 'fe80::1', local: '2001:db8:1:2::5', prefixBits: 64 } as never;
  assert.equal(tryParseRouterUrl('http://[2001:db8:1:2::1]:80/', six)?.address, '2001:db8:1:2::1');
  assert.equal(tryParseRouterUrl('http://[2001:db8:1:3::1]/', six), null);
  assert.equal(tryParseRouterUrl('http://[fe80::2]/', six), null);
  assert.equal(isInNetwork('10.1.2.3' as IpAddress, '10.1.3.3' as IpAddress, 23), true);
  assert.equal(isInNetwork('10.1.2.3' as IpAddress, '10.1.3.3' as IpAddress, 24), false);
  assert.equal(isInNetwork('10.1.2.3' as IpAddress, '::1' as IpAddress, 8), false);
});

test('a description names the services of use, wherever they are in it', () => {
  const text =
    '<root><device><friendlyName>x</friendlyName><manufacturer>M</manufacturer><modelName> Box </modelName><deviceList>' +
    `<device><serviceList>${service('WANCommonInterfaceConfig:1', '/c')}</serviceList><deviceList><device><serviceList>` +
    `${service('WANIPConnection:1', '/a')}${service('WANIPConnection:2', '/b')}${service('WANPPPConnection:1', '/p')}` +
    `${service('WANIPv6FirewallControl:1', 'six')}${service('WANIPConnection:x', '/q')}${service('WANIPConnection:1', '')}` +
    '</serviceList></device></deviceList></device></deviceList></device></root>';
  const decoded = decodeIgdDescription(text);
  assert.ok(decoded.ok);
  assert.equal(decoded.value.model, 'M Box');
  assert.deepEqual(
    decoded.value.services.map(({ name, version, controlUrl }) => `${name}:${version} ${controlUrl}`),
    ['WANIPConnection:1 /a', 'WANIPConnection:2 /b', 'WANPPPConnection:1 /p', 'WANIPv6FirewallControl:1 six'],
  );
  for (const other of ['<root><device><modelName>TV</modelName></device></root>', '<html></html>', ''])
    assert.equal(decodeIgdDescription(other).ok, false);
});

test('actions carry their arguments in the order of the standard, escaped', () => {
  const mapping = {
    transport: 'tcp',
    internalPort: 1,
    externalPort: 2,
    client: '192.168.1.2' as IpAddress,
    leaseSeconds: 3600,
    description: 'a & b',
  } as const;
  const type = 'urn:schemas-upnp-org:service:WANIPConnection:1';
  const body = encodeIgdAction(type, igdActions.addMapping(mapping, false));
  assert.match(
    body,
    new RegExp(
      `<u:AddPortMapping xmlns:u="${type}"><NewRemoteHost></NewRemoteHost><NewExternalPort>2</NewExternalPort>` +
        '<NewProtocol>TCP</NewProtocol><NewInternalPort>1</NewInternalPort>' +
        '<NewInternalClient>192.168.1.2</NewInternalClient><NewEnabled>1</NewEnabled>' +
        '<NewPortMappingDescription>a &amp; b</NewPortMappingDescription>' +
        '<NewLeaseDuration>3600</NewLeaseDuration></u:AddPortMapping>',
    ),
  );
  assert.equal(igdActions.addMapping(mapping, true).name, 'AddAnyPortMapping');
  assert.equal(igdActions.addPinhole('udp', 5, '2001:db8::2' as IpAddress, 60).values['Protocol'], 17);
});

test('answers give their values, refusals their number and a sentence', () => {
  const envelope = (inside: string): string =>
    `<s:Envelope xmlns:s="x"><s:Body>${inside}</s:Body></s:Envelope>`;
  const good = envelope('<u:FooResponse><NewReservedPort> 27273 </NewReservedPort></u:FooResponse>');
  const answer = decodeIgdAnswer(200, good, 'Foo');
  assert.ok(answer.ok);
  assert.equal(tryReadPort(answer.value.get('NewReservedPort')), 27273);
  assert.equal(decodeIgdAnswer(200, good, 'Bar').ok, false);
  assert.equal(decodeIgdAnswer(404, good, 'Foo').ok, false);
  const bad = (code: string): string =>
    envelope(
      `<s:Fault><detail><UPnPError><errorCode>${code}</errorCode><errorDescription>Because</errorDescription></UPnPError></detail></s:Fault>`,
    );
  for (const [code, number, text] of [
    ['718', 718, /another machine/],
    ['799', 799, /799 \(Because\)/],
    ['x', 501, /501/],
  ] as const) {
    const refused = decodeIgdAnswer(500, bad(code), 'Foo');
    assert.ok(!refused.ok && isIgdFault(refused.fault));
    assert.equal(refused.fault.igdError, number);
    assert.match(refused.fault.message, text);
  }
  assert.deepEqual(['0', '65536', '', 'x', '1.5'].map(tryReadPort), [null, null, null, null, null]);
  assert.deepEqual(['5.1.0.2', '0.0.0.0', '', 'x', '2001:DB8::1'].map(tryReadAddress), [
    '5.1.0.2',
    null,
    null,
    null,
    '2001:db8::1',
  ]);
});
