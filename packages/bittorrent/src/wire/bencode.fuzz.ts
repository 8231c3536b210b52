import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1, Prng, toLatin1 } from '@tequio/kernel';
import { type ModelValue, modelDecode, modelTokenCount } from './bencode.model.ts';
import {
  type BencodeInput,
  type BencodeValue,
  decodeBencode,
  decodeBencodePrefix,
  encodeBencode,
} from './bencode.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 20_000);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

/** Bencode from a grammar, with the odd zeros and doubled keys that are let through. */
function randomText(prng: Prng, depth: number): string {
  const kind = prng.below(depth > 0 ? 5 : 3);
  if (kind === 0) return `i${prng.chance(0.3) ? '-' : ''}${'0'.repeat(prng.below(3))}${prng.below(100)}e`;
  if (kind === 1)
    return `i${prng.chance(0.5) ? '-' : ''}${2n ** BigInt(prng.between(40, 64)) + BigInt(prng.below(3)) - 1n}e`;
  if (kind === 2) return randomString(prng);
  let text = kind === 3 ? 'l' : 'd';
  for (let count = prng.below(4); count > 0; count--)
    text += (kind === 3 ? '' : randomString(prng)) + randomText(prng, depth - 1);
  return `${text}e`;
}

function randomString(prng: Prng): string {
  const payload = prng.chance(0.5)
    ? toLatin1(prng.bytes(prng.below(12)))
    : prng.pick(['a', 'b', '1:a', 'ab', '', 'e', '::']);
  return `${prng.chance(0.1) ? '0' : ''}${payload.length}:${payload}`;
}

/** Breaks a text here and there. */
function mutated(prng: Prng, text: string): string {
  let result = text;
  for (let count = prng.below(4); count > 0; count--) {
    const at = prng.below(result.length + 1);
    const piece = prng.pick([
      '',
      'i',
      'e',
      'd',
      'l',
      ':',
      '0',
      '9',
      '-',
      '\xff',
      'i1e',
      '999999999999:',
      'l'.repeat(120),
    ]);
    result = result.slice(0, at) + piece + result.slice(at + prng.below(3));
  }
  return result;
}

function tryModel(text: string, depthMax: number): ModelValue | null {
  try {
    return modelDecode(text, 0, depthMax);
  } catch {
    return null;
  }
}

/** All that a value shows, compared with the model's. */
function assertSame(value: BencodeValue, model: ModelValue, text: string): void {
  assert.equal(value.kind, model.kind);
  assert.equal(value.end, model.end);
  assert.equal(toLatin1(value.raw), text.slice(value.start, model.end));
  assert.equal(value.tryBigint(), model.kind === 'integer' ? model.value : null);
  const isSafe = model.kind === 'integer' && Number.isSafeInteger(Number(model.value));
  assert.equal(value.tryInteger(), isSafe ? Number(model.value) : null);
  const bytes = value.tryBytes();
  assert.equal(bytes && toLatin1(bytes), model.kind === 'string' ? model.text : null);
  const items = value.tryItems();
  assert.equal(items === null, model.kind !== 'list');
  if (model.kind === 'list') {
    assert.equal(items!.length, model.items.length);
    model.items.forEach((item, i) => {
      assertSame(items![i]!, item, text);
    });
  }
  const entries = value.tryEntries();
  assert.equal(entries === null, model.kind !== 'dictionary');
  if (model.kind !== 'dictionary') return;
  assert.deepEqual(
    entries!.map((entry) => toLatin1(entry.key)),
    model.entries.map((entry) => entry.key),
  );
  model.entries.forEach((entry, i) => {
    assertSame(entries![i]!.value, entry.value, text);
    const first = model.entries.find((other) => other.key === entry.key)!;
    assert.equal(value.get(entry.key)!.end, first.value.end);
  });
  for (const key of ['a', 'b', ':a', '1:a', ''])
    assert.equal(value.get(key) === null, !model.entries.some((entry) => entry.key === key), `key ${key}`);
  const keys = model.entries.map((entry) => entry.key);
  assert.equal(
    value.isSorted(),
    keys.every((key, i) => i === 0 || keys[i - 1]! < key),
  );
}

test('the decoder and its naive twin agree on every input, and neither throws', () => {
  let acceptedCount = 0;
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    const grown = randomText(prng, 5);
    const text = prng.chance(0.6) ? mutated(prng, grown) : grown;
    const depthMax = prng.pick([2, 4, 100]);
    const bytes = fromLatin1(text);
    try {
      const result = decodeBencodePrefix(bytes, { depthMax });
      const model = tryModel(text, depthMax);
      assert.equal(result.ok, model !== null, result.ok ? 'model refuses' : result.fault.message);
      const whole = decodeBencode(bytes, { depthMax });
      assert.equal(whole.ok, model?.end === text.length);
      if (!result.ok || model === null) continue;
      acceptedCount++;
      assert.equal(result.value.byteCount, model.end);
      assertSame(result.value.value, model, text);
      const tokenCount = modelTokenCount(model);
      assert.ok(decodeBencodePrefix(bytes, { depthMax, tokenCountMax: tokenCount }).ok);
      assert.equal(decodeBencodePrefix(bytes, { depthMax, tokenCountMax: tokenCount - 1 }).ok, false);
      assert.deepEqual(encodeBencode(result.value.value), bytes.subarray(0, model.end));
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=1: ${JSON.stringify(text)}`, { cause: error });
    }
  }
  assert.ok(acceptedCount > runCount / 4 && acceptedCount < runCount, `${acceptedCount} accepted`);
});

test('random bytes never throw', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount / 4; seed++) {
    const prng = new Prng(seed);
    const alphabet = fromLatin1('ilde0123456789:-\0\xff');
    const bytes = prng
      .bytes(prng.below(200))
      .map((byte) => (prng.chance(0.8) ? alphabet[byte % alphabet.length]! : byte));
    const result = decodeBencodePrefix(bytes);
    assert.equal(result.ok, tryModel(toLatin1(bytes), 100) !== null, `FUZZ_SEED=${seed}`);
  }
});

/** A value to encode, and what it must look like when decoded. */
function randomInput(prng: Prng, depth: number): BencodeInput {
  switch (prng.below(depth > 0 ? 6 : 4)) {
    case 0:
      return prng.nextUint32() - 2 ** 31;
    case 1:
      return BigInt(prng.nextUint32()) * BigInt(prng.nextUint32());
    case 2:
      return prng.bytes(prng.below(20));
    case 3:
      return prng.pick(['', 'añb', '😀', 'x'.repeat(300)]);
    case 4:
      return Array.from({ length: prng.below(4) }, () => randomInput(prng, depth - 1));
    default: {
      const keys = new Map<string, BencodeInput>();
      for (let count = prng.below(5); count > 0; count--)
        keys.set(
          prng.pick(['a', 'b', '😀', '～', 'ab', '', '__proto__', '10', '9']),
          randomInput(prng, depth - 1),
        );
      return keys;
    }
  }
}

test('what is encoded decodes, is sorted, and encodes to the same bytes again', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount / 10; seed++) {
    const bytes = encodeBencode(randomInput(new Prng(seed), 5));
    const result = decodeBencode(bytes);
    assert.ok(result.ok, `FUZZ_SEED=${seed}`);
    const again = encodeBencode(rebuilt(result.value));
    assert.deepEqual(again, bytes, `FUZZ_SEED=${seed}`);
  }
});

function rebuilt(value: BencodeValue): BencodeInput {
  const entries = value.tryEntries();
  if (entries !== null) {
    assert.ok(value.isSorted());
    return new Map(entries.map((entry) => [entry.key, rebuilt(entry.value)]));
  }
  return value.tryItems()?.map(rebuilt) ?? value.tryBigint() ?? value.tryBytes()!;
}

test('giant lengths and deep nesting cost nothing', () => {
  for (const text of [
    '99999999999:',
    '9'.repeat(24),
    `${'9'.repeat(24)}:x`,
    'l'.repeat(1_000_000),
    'd1:a'.repeat(300_000),
  ])
    assert.equal(decodeBencode(fromLatin1(text)).ok, false);
  const wide = `l${'0:'.repeat(2_999_999)}e`;
  assert.ok(decodeBencode(fromLatin1(wide)).ok);
  assert.equal(decodeBencode(fromLatin1(`l0:${wide.slice(1)}`)).ok, false);
});
