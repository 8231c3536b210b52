/** Made-up lists, read by the filter and by its naive twin. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { addressFromBytes, encodeUtf8, type IpAddress, Prng } from '@tequio/kernel';
import { AddressFilterModel } from './address-filter.model.ts';
import { decodeAddressFilter } from './address-filter.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 400);

/** Few values for each byte, so that ranges touch and overlap. */
function anyV4(prng: Prng): string {
  const part = (): number => prng.pick([0, 1, 2, 127, 254, 255, prng.below(256)]);
  return [prng.pick([1, 2, 255]), part(), part(), part()].join('.');
}

function anyV6(prng: Prng): string {
  const part = (): string => prng.pick(['0', '1', 'ffff', 'db8', 'a']);
  return prng.pick([
    () => `2001:db8::${part()}`,
    () => `2001:${part()}::`,
    () => Array.from({ length: 8 }, part).join(':'),
    () => '::',
  ])();
}

function pad(address: string): string {
  return address
    .split('.')
    .map((part) => part.padStart(3, '0'))
    .join('.');
}

function anyLine(prng: Prng): string {
  const [a, b, six, other] = [anyV4(prng), anyV4(prng), anyV6(prng), anyV6(prng)];
  const blank = prng.pick(['', ' ', '\t ']);
  const line = prng.pick([
    () => `Some name: with colon:${a}-${b}`,
    () => `3 things ${a}:${a}${blank}-${blank}${b}`,
    () =>
      `${pad(a)}${blank}-${blank}${pad(b)} , ${prng.pick(['000', '100', '127', '128', '200', ''])} , Name`,
    () => `${a}-${b}`,
    () => `${a}/${prng.below(35)}`,
    () => `${a}${blank}${prng.pick(['# why', '; why', ''])}`,
    () => `${six}/${prng.below(132)}`,
    () => `${six}${blank}-${blank}${other}`,
    () => `${six} - ${other} , ${prng.pick(['1', '128'])} , Name`,
    () => six,
    () => prng.pick(['', '# comment', '// comment', ';', 'nonsense', '<html>', `${a}-`, `${a}.1`, `-${a}`]),
  ])();
  if (!prng.chance(0.15) || line === '') return `${blank}${line}${prng.pick(['', '\r'])}`;
  // One character is wrong. No colon, and no comma beside one: where a name ends would be guesswork for the twin too.
  const at = prng.below(line.length);
  const wrong = prng.pick(['.', '-', '/', 'x', '9', ' ', line.includes(':') ? '' : ',', '']);
  return line.slice(0, at) + wrong + line.slice(at + 1);
}

function probes(prng: Prng, lines: readonly string[]): IpAddress[] {
  const found: IpAddress[] = [];
  for (let i = 0; i < 30; i++) {
    const bytes = new Uint8Array(prng.chance(0.6) ? 4 : 16);
    const text = prng.chance(0.5) ? anyV4(prng) : prng.pick(lines);
    const parts = /(\d+)\.(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number) ?? [1, 2, 3, 4];
    if (bytes.length === 4) bytes.set(parts);
    else bytes.set([0x20, 1, prng.pick([0, 0xd]), prng.pick([0, 0xb8]), ...(prng.chance(0.5) ? [0, 1] : [])]);
    bytes[bytes.length - 1] = bytes[bytes.length - 1]! + prng.pick([0, 1, 255]);
    found.push(addressFromBytes(bytes));
  }
  return found;
}

it('address filter and its naive twin agree', () => {
  const first = Number(process.env['FUZZ_SEED'] ?? 1);
  let [blockedCount, passedCount, badCount] = [0, 0, 0];
  for (let seed = first; seed < first + runCount; seed++) {
    const prng = new Prng(seed);
    const lines = Array.from({ length: prng.between(1, 40) }, () => anyLine(prng));
    const model = new AddressFilterModel(lines.join('\n'));
    const context = `FUZZ_SEED=${seed} FUZZ_RUNS=1\n${lines.join('\n')}`;
    const decoded = decodeAddressFilter(encodeUtf8(lines.join('\n')));
    badCount += model.badLines.length;
    if (!decoded.ok) {
      assert.deepEqual([model.ranges.length, model.badLines.length > 0], [0, true], context);
      continue;
    }
    const { filter, badLines, badLineCount } = decoded.value;
    assert.deepEqual(
      [badLineCount, badLines.map(({ line }) => line)],
      [model.badLines.length, model.badLines.slice(0, 10)],
      context,
    );
    assert.ok(filter.rangeCount <= model.ranges.length);
    for (const address of probes(prng, lines)) {
      assert.equal(filter.blocks(address), model.blocks(address), `${address} ${context}`);
      if (filter.blocks(address)) blockedCount++;
      else passedCount++;
    }
  }
  if (runCount >= 100) assert.ok(Math.min(blockedCount, passedCount, badCount) > runCount, `${blockedCount}`);
});

it('no bytes whatever are too much', () => {
  const prng = new Prng(7);
  for (let run = 0; run < 300; run++) {
    const bytes = prng.bytes(prng.below(300)).slice();
    for (let i = 0; i < bytes.length; i++)
      if (prng.chance(0.7)) bytes[i] = encodeUtf8('0123.:-/, \n#')[bytes[i]! % 12]!;
    decodeAddressFilter(bytes);
  }
});
