import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Countries } from './countries.ts';

const path = fileURLToPath(
  import.meta.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb'),
);

function stage(file: string | null) {
  const warned: string[] = [];
  let [nowMs, readCount] = [0, 0];
  const countries = new Countries({
    path: file,
    clock: { nowMs: () => nowMs },
    files: {
      readFile: (name) => {
        readCount++;
        return readFile(name);
      },
    },
    log: { debug: () => {}, info: () => {}, error: () => {}, warn: (name) => void warned.push(name) },
  });
  return {
    countries,
    warned,
    readCount: () => readCount,
    pass: (ms: number) => {
      nowMs += ms;
      countries.tick();
    },
  };
}

test('addresses have countries, local ones and what is no address none', async () => {
  const { countries } = stage(path);
  // The universities of Mexico and of Zurich, a provider in Brazil over IPv6, this machine, and nonsense.
  const endpoints = [
    '132.248.10.44:6881',
    '129.132.1.1:1',
    '[2804:14c::1]:51413',
    '127.0.0.1:9',
    '[::1]:9',
    'x:1',
    '',
  ];
  assert.deepEqual(await countries.of(endpoints), ['MX', 'CH', 'BR', null, null, null, null]);
});

test('the list is read once, when it is wanted, and let go of when nobody asks any more', async () => {
  const { countries, readCount, pass } = stage(path);
  assert.deepEqual(await countries.of([]), []);
  assert.equal(readCount(), 0);
  await Promise.all([countries.of(['1.1.1.1:1']), countries.of(['1.1.1.1:1'])]);
  pass(200_000);
  await countries.of(['1.1.1.1:1']);
  pass(100_000);
  await countries.of(['1.1.1.1:1']);
  assert.equal(readCount(), 1);
  pass(301_000);
  await countries.of(['1.1.1.1:1']);
  assert.equal(readCount(), 2);
});

test('without a list, or with a broken one, nothing is known, and a broken one is told of', async () => {
  assert.deepEqual(await stage(null).countries.of(['132.248.10.44:6881']), [null]);
  const broken = stage(fileURLToPath(import.meta.url));
  assert.deepEqual(await broken.countries.of(['132.248.10.44:6881']), [null]);
  assert.deepEqual(broken.warned, ['countries.read']);
});
