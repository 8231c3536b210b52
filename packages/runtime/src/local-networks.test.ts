import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalNetworks, listNetworks, parseIpv4Routes, parseIpv6Routes } from './local-networks.ts';

const ipv4Routes = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\tFE00000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t100\t000000FF\t0\t0\t0
`;
const zero = '0'.repeat(32);
const ipv6Routes = `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
20010db8000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
`;

function info(address: string, cidr: string, internal = false) {
  return {
    address,
    netmask: '',
    family: address.includes(':') ? 'IPv6' : 'IPv4',
    mac: '',
    internal,
    cidr,
  } as never;
}

const interfaces = {
  lo: [info('127.0.0.1', '127.0.0.1/8', true)],
  wlan0: [info('192.168.1.7', '192.168.1.7/24')],
  eth0: [
    info('10.0.0.5', '10.0.0.5/8'),
    info('2001:db8::5', '2001:db8::5/64'),
    info('fe80::5', 'fe80::5/64'),
  ],
};

test('default routes of Linux are read, others passed over', () => {
  deepEqual(parseIpv4Routes(ipv4Routes), [
    { interface: 'wlan0', gateway: '192.168.1.1', metric: 600 },
    { interface: 'eth0', gateway: '10.0.0.254', metric: 100 },
  ]);
  deepEqual(parseIpv6Routes(ipv6Routes), [{ interface: 'eth0', gateway: 'fe80::1', metric: 1024 }]);
  deepEqual([parseIpv4Routes(''), parseIpv6Routes('x\n\n y 00')], [[], []]);
});

test('every address has its own gateway, the best route first', () => {
  const routes = [...parseIpv4Routes(ipv4Routes), ...parseIpv6Routes(ipv6Routes)];
  deepEqual(
    listNetworks(interfaces, routes).map(({ name, address, prefixBits, gateway, gatewayIsGuess }) =>
      [name, `${address}/${prefixBits}`, gateway, gatewayIsGuess].join(' '),
    ),
    [
      'eth0 10.0.0.5/8 10.0.0.254 false',
      'wlan0 192.168.1.7/24 192.168.1.1 false',
      'eth0 2001:db8::5/64 fe80::1 false',
      'lo 127.0.0.1/8  false',
      'eth0 fe80::5/64  false',
    ],
  );
});

test('where the system does not tell, the first address of a network is the guess', () => {
  const guessed = listNetworks({ ...interfaces, vm: [info('172.20.16.1', '172.20.16.1/20')] }, null);
  deepEqual(
    guessed.map(({ address, gateway, gatewayIsGuess }) => [address, gateway, gatewayIsGuess]),
    [
      ['192.168.1.7', '192.168.1.1', true],
      ['10.0.0.5', '10.0.0.1', true],
      ['2001:db8::5', null, true],
      ['172.20.16.1', null, true],
      ['127.0.0.1', null, false],
      ['fe80::5', null, false],
    ],
  );
});

test('this machine is listed', async () => {
  const networks = await createLocalNetworks().list();
  const loopback = networks.find(({ address }) => address === '127.0.0.1');
  ok(loopback !== undefined);
  equal(loopback.gateway, null);
});
