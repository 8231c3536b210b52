import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { createHashes, createSignatures, verifyForeignSignature } from '@tequio/runtime';
import {
  type IpfsPublicKey,
  ipnsNameOf,
  ipnsNameText,
  ipnsPeerText,
  ipnsTopic,
  tryParseIpnsName,
} from './ipns-name.ts';
import {
  compareIpnsRecords,
  encodeIpnsRecord,
  type IpnsRecord,
  type IpnsRecordFields,
  readIpnsRecord,
} from './ipns-record.ts';
import { ProtobufReader, ProtobufWriter } from './protobuf.ts';
import { formatRfc3339 } from './rfc3339.ts';

const hashes = createHashes();
const signatures = createSignatures();
const secret = new Prng(7).bytes(32);
const key: IpfsPublicKey = { type: 'ed25519', data: signatures.publicKeyOf(secret) };
const name = ipnsNameOf(key, hashes);
const deps = {
  hashes,
  verify: ({ type, data }: IpfsPublicKey, message: Uint8Array, signature: Uint8Array) =>
    verifyForeignSignature(type, data, message, signature),
};
const fields: IpnsRecordFields = {
  value: '/ipfs/bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am',
  sequence: 2n ** 40n,
  validUntilMs: Date.parse('2031-02-28T23:59:59.123Z'),
  ttlMs: 1_800_000,
};

function made(changes: Partial<IpnsRecordFields> = {}): Uint8Array {
  return encodeIpnsRecord({ ...fields, ...changes }, key, (message) => signatures.sign(secret, message));
}

function read(bytes: Uint8Array): IpnsRecord {
  const result = readIpnsRecord(name, bytes, deps);
  assert.ok(result.ok, result.ok ? '' : result.fault.message);
  return result.value;
}

/** The record with one field replaced (or left out). */
function altered(bytes: Uint8Array, field: number, value: Uint8Array | bigint | null): Uint8Array {
  const writer = new ProtobufWriter();
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    if (reader.field === field) {
      if (typeof value === 'bigint') writer.int64(field, value);
      else if (value !== null) writer.bytes(field, value);
    } else if (reader.isBytes(reader.field)) writer.bytes(reader.field, reader.bytes());
    else writer.int64(reader.field, reader.uint64());
  }
  return writer.finish();
}

test('what is signed is read again', () => {
  const { bytes, ...rest } = read(made());
  assert.deepEqual(rest, { ...fields, validity: '2031-02-28T23:59:59.123000000Z' });
  assert.deepEqual(bytes, made());
});

test('a record of somebody else, of another value or cut short is none', () => {
  const other = ipnsNameOf({ type: 'ed25519', data: signatures.publicKeyOf(new Prng(8).bytes(32)) }, hashes);
  assert.ok(!readIpnsRecord(other, made(), deps).ok);
  const record = made();
  for (let at = 0; at < record.length; at++) {
    const broken = record.slice();
    broken[at]! ^= 0x41;
    const result = readIpnsRecord(name, broken, deps);
    // The signature of version 1, and the heads of fields that are not known, prove nothing and break nothing.
    if (result.ok) assert.equal(result.value.value, fields.value, `byte ${at}`);
  }
  for (const length of [0, 1, 50, record.length - 1])
    assert.ok(!readIpnsRecord(name, record.subarray(0, length), deps).ok);
  assert.ok(!readIpnsRecord(name, new Uint8Array(10_241), deps).ok);
});

test('version 1 alone proves nothing; beside version 2 it must say the same', () => {
  const noise = new Uint8Array(64).fill(9);
  assert.ok(!readIpnsRecord(name, altered(made(), 8, null), deps).ok, 'no signature of version 2');
  assert.ok(!readIpnsRecord(name, altered(made(), 8, noise), deps).ok, 'a broken one');
  assert.ok(!readIpnsRecord(name, altered(made(), 9, null), deps).ok, 'no signed part');
  assert.ok(!readIpnsRecord(name, altered(made(), 1, noise), deps).ok, 'another value beside it');
  assert.ok(!readIpnsRecord(name, altered(made(), 5, 3n), deps).ok, 'another sequence beside it');
  assert.equal(read(altered(made(), 2, noise)).value, fields.value, 'a broken signature of version 1');
  let only2 = made();
  for (const field of [1, 2, 3, 4, 5, 6]) only2 = altered(only2, field, null);
  assert.equal(read(only2).sequence, fields.sequence);
});

test('keys of other kinds: RSA in the record, named by its hash', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const data = new Uint8Array(pair.publicKey.export({ format: 'der', type: 'spki' }));
  const rsa: IpfsPublicKey = { type: 'rsa', data };
  const rsaName = ipnsNameOf(rsa, hashes);
  assert.equal(rsaName[0], 0x12);
  const record = encodeIpnsRecord(
    fields,
    rsa,
    (message) => new Uint8Array(sign('sha256', message, pair.privateKey)),
  );
  const result = readIpnsRecord(rsaName, record, deps);
  assert.ok(result.ok && result.value.value === fields.value);
  assert.ok(!readIpnsRecord(rsaName, altered(record, 7, null), deps).ok, 'without its key');
  assert.ok(!readIpnsRecord(name, record, deps).ok, 'under another name');
});

test('the better record: higher sequence, then later end', () => {
  const [old, newer, longer] = [
    read(made()),
    read(made({ sequence: fields.sequence + 1n })),
    read(made({ validUntilMs: fields.validUntilMs + 1 })),
  ];
  assert.ok(compareIpnsRecords(newer, longer) > 0);
  assert.ok(compareIpnsRecords(old, longer) < 0);
  assert.equal(compareIpnsRecords(old, read(made())), 0);
});

test('a name in each of its forms is the same name', () => {
  for (const [old, today] of [
    [
      '12D3KooWRBy97UB99e3J6hiPesre1MZeuNQvfan4gBziswrRJsNK',
      'k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8',
    ],
    [
      'QmcJM7PRfkSbcM5cf1QugM5R37TLRKyJGgBEhXjLTB8uA2',
      'k2k4r8ol4m8kkcqz509c1rcjwunebj02gcnm5excpx842u736nja8ger',
    ],
  ] as const) {
    const parsed = tryParseIpnsName(old);
    assert.ok(parsed !== null);
    assert.equal(ipnsNameText(parsed), today);
    assert.equal(ipnsPeerText(tryParseIpnsName(`/ipns/${today}`)!), old);
  }
  assert.match(ipnsTopic(name), /^\/record\/[A-Za-z0-9_-]+$/);
  for (const text of ['', 'example.org', 'Qm', '12D3', 'k51', 'x'.repeat(200)])
    assert.equal(tryParseIpnsName(text), null, text);
});

test('times are written as others write them', () => {
  const prng = new Prng(3);
  for (let i = 0; i < 2000; i++) {
    const ms = Math.floor((prng.nextFloat() - 0.2) * 250_000_000_000_000);
    const expected = new Date(ms).toISOString();
    if (/^\d{4}-/.test(expected)) assert.equal(formatRfc3339(ms), expected.replace('Z', '000000Z'));
  }
});
