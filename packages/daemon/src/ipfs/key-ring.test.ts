import { equal, match, ok, rejects } from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ipnsNameText } from '@tequio/ipfs';
import { encodeUtf8 } from '@tequio/kernel';
import { createFiles, createHashes, verifyForeignSignature } from '@tequio/runtime';
import { KeyRing } from './key-ring.ts';

async function withRing(work: (ring: KeyRing, folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tequio-keys-'));
  try {
    const ports = { files: createFiles(), hashes: createHashes() };
    await work(new KeyRing(folder, join(folder, 'identity.key'), ports), folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('keys of each kind sign, are exported and come back the same, in both formats', () =>
  withRing(async (ring) => {
    for (const type of ['ed25519', 'rsa', 'secp256k1'] as const) {
      const key = await ring.create(type, type);
      const message = encodeUtf8('a message');
      ok(verifyForeignSignature(type, key.key.data, message, key.sign(message)), type);
      for (const format of ['libp2p-protobuf-cleartext', 'pem-pkcs8-cleartext'] as const) {
        const copy = await ring.importKey(`${type} ${format}`, await ring.exportKey(type, format), format);
        equal(copy.peer, key.peer);
        ok(verifyForeignSignature(type, key.key.data, message, copy.sign(message)), type);
      }
      equal((await ring.find(key.ipns))?.peer, key.peer);
      equal((await ring.get(ipnsNameText(key.ipns))).peer, key.peer);
    }
    equal((await ring.list())[0]?.name, 'self');
    equal((await ring.list()).length, 10);
  }));

test('a file is named as kubo names it, and is for its owner alone', () =>
  withRing(async (ring, folder) => {
    await ring.create('mykey', 'ed25519');
    const [file] = await readdir(join(folder, 'keystore'));
    // RFC 4648, base 32 of "mykey", in small letters.
    equal(file, 'key_nv4wwzlz');
    equal((await stat(join(folder, 'keystore', file!))).mode & 0o777, 0o600);
    const { now, isOverwritten } = await ring
      .rename('mykey', 'ñandú')
      .then(({ key, isOverwritten }) => ({ now: key.name, isOverwritten }));
    equal(now, 'ñandú');
    equal(isOverwritten, false);
    equal((await ring.remove('ñandú')).name, 'ñandú');
    equal((await readdir(join(folder, 'keystore'))).length, 0);
  }));

test('what cannot be is refused, with the reason', () =>
  withRing(async (ring) => {
    await ring.create('one', 'ed25519');
    await ring.create('two', 'ed25519');
    await rejects(ring.create('one', 'rsa'), { code: 'IPFS_KEY_EXISTS' });
    await rejects(ring.rename('one', 'two'), { code: 'IPFS_KEY_EXISTS' });
    equal((await ring.rename('one', 'two', { force: true })).isOverwritten, true);
    await rejects(ring.rename('one', 'three'), { code: 'IPFS_KEY_NONE' });
    for (const name of ['', 'self', 'a/b', '../x', 'a\nb', 'x'.repeat(200)])
      await rejects(ring.create(name, 'ed25519'), { code: 'IPFS_KEY_NAME' }, name);
    await rejects(ring.remove('self'), { code: 'IPFS_KEY_NAME' });
    await rejects(ring.remove('none'), { code: 'IPFS_KEY_NONE' });
    await rejects(ring.get('none'), { code: 'IPFS_KEY_NONE' });
    await rejects(ring.create('short', 'rsa', 1024), { code: 'IPFS_KEY_BITS' });
    const bad = { code: 'IPFS_KEY_FORMAT' };
    await rejects(ring.importKey('x', encodeUtf8('no key'), 'libp2p-protobuf-cleartext'), bad);
    await rejects(ring.importKey('x', encodeUtf8('no key'), 'pem-pkcs8-cleartext'), bad);
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const pem = short.export({ format: 'pem', type: 'pkcs8' }).toString();
    await rejects(ring.importKey('x', encodeUtf8(pem), 'pem-pkcs8-cleartext'), bad);
    match((await ring.get('self')).peer, /^12D3KooW/);
  }));
