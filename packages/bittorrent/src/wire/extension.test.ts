import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8, type IpAddress, Prng, toLatin1 } from '@tequio/kernel';
import { encodeBencode } from './bencode.ts';
import {
  decodeDontHave,
  decodeExtensionHandshake,
  decodeUploadOnly,
  encodeDontHave,
  encodeExtensionHandshake,
  encodeUploadOnly,
  extensionLimits,
  mergeExtensionIds,
  ourExtensionIds,
  tryClientName,
  tryOurExtension,
} from './extension.ts';

function decoded(text: string) {
  const result = decodeExtensionHandshake(encodeUtf8(text));
  assert.ok(result.ok, text);
  return result.value;
}

const nothing = {
  ids: {},
  clientName: null,
  requestCountMax: null,
  metadataBytes: null,
  yourAddress: null,
  listenPort: null,
  ipv4: null,
  ipv6: null,
  uploadOnly: null,
};

test('a handshake goes there and back', () => {
  const handshake = {
    ids: { ...ourExtensionIds },
    clientName: 'Tequio 0.1',
    requestCountMax: 512,
    metadataBytes: 31235,
    yourAddress: '203.0.113.9' as IpAddress,
    listenPort: 6881,
    ipv4: '192.0.2.1' as IpAddress,
    ipv6: '2001:db8::1' as IpAddress,
    uploadOnly: true,
  };
  const result = decodeExtensionHandshake(encodeExtensionHandshake(handshake));
  assert.ok(result.ok);
  assert.deepEqual(result.value, handshake);
  assert.equal(toLatin1(encodeExtensionHandshake({ ids: {} })), 'd1:mdee');
});

test('the handshake that BEP 10 prints (its names are other ones), and the one of BEP 9', () => {
  const first = decoded('d1:md11:LT_metadatai1e6:ut_pexi2ee1:pi6881e1:v13:\u00b5Torrent 1.2e');
  assert.deepEqual(first, { ...nothing, ids: { ut_pex: 2 }, listenPort: 6881, clientName: 'µTorrent 1.2' });
  const second = decoded('d1:md11:ut_metadatai3ee13:metadata_sizei31235ee');
  assert.deepEqual(second, { ...nothing, ids: { ut_metadata: 3 }, metadataBytes: 31235 });
});

test('everything is optional, what cannot be read is left out, no dictionary is a fault', () => {
  assert.deepEqual(decoded('de'), nothing);
  assert.deepEqual(
    decoded('d1:mle1:pi70000e4:reqqi-1e1:v0:6:yourip3:abc4:ipv416:aaaaaaaaaaaaaaaae'),
    nothing,
  );
  assert.deepEqual(decoded('d1:md11:ut_metadatai256e6:ut_pexi-1e11:upload_onlyi0eee').ids, {
    upload_only: 0,
  });
  assert.equal(decoded('d11:upload_onlyi0ee').uploadOnly, false);
  for (const text of ['', 'le', 'i1e', 'd1:m', `${'d1:m'.repeat(50)}de`]) {
    const result = decodeExtensionHandshake(encodeUtf8(text));
    assert.ok(!result.ok && result.fault.code === 'BITTORRENT_EXTENSION_HANDSHAKE', text);
  }
});

test('a later handshake changes only what it names', () => {
  const known = { ut_metadata: 3, upload_only: 4 };
  assert.deepEqual(mergeExtensionIds(known, { upload_only: 0, lt_donthave: 9 }), {
    ut_metadata: 3,
    upload_only: 0,
    lt_donthave: 9,
  });
  for (const [name, id] of Object.entries(ourExtensionIds)) assert.equal(tryOurExtension(id), name);
  assert.equal(tryOurExtension(200), null);
});

test('client names are safe to show', () => {
  const shown = (text: string) => tryClientName(encodeUtf8(text));
  assert.equal(shown('qBittorrent/5.0.1'), 'qBittorrent/5.0.1');
  assert.equal(shown('a\u001b[31mb\nc\u202ed\u0000'), 'a[31mb cd');
  assert.equal(shown('   \u200b '), null);
  assert.equal(shown(''), null);
  assert.equal(shown('x'.repeat(10_000))?.length, extensionLimits.clientNameLengthMax);
  assert.equal([...shown('𝒯'.repeat(10_000))!].length, extensionLimits.clientNameLengthMax);
  assert.equal(tryClientName(Uint8Array.of(0xff, 0x41)), '\ufffdA');
});

test('the small messages', () => {
  assert.deepEqual(decodeDontHave(encodeDontHave(0xfffffffe)), { ok: true, value: 0xfffffffe });
  assert.deepEqual(encodeDontHave(258), Uint8Array.of(0, 0, 1, 2));
  for (const length of [0, 3, 5]) assert.equal(decodeDontHave(new Uint8Array(length)).ok, false);
  assert.deepEqual(decodeUploadOnly(encodeUploadOnly(true)), { ok: true, value: true });
  assert.deepEqual(decodeUploadOnly(encodeUploadOnly(false)), { ok: true, value: false });
  for (const length of [0, 2]) assert.equal(decodeUploadOnly(new Uint8Array(length)).ok, false);
});

test('damaged handshakes never throw and stay bounded', () => {
  const prng = new Prng(20);
  const good = encodeBencode({
    m: { ut_metadata: 3, ut_pex: 1, lt_donthave: 7 },
    v: 'client 1.0',
    p: 6881,
    reqq: 500,
    metadata_size: 1234,
    yourip: new Uint8Array(4),
    ipv6: new Uint8Array(16),
    upload_only: 1,
  });
  for (let run = 0; run < 20_000; run++) {
    const bytes = prng.chance(0.1) ? prng.bytes(prng.below(80)) : good.slice();
    for (let i = prng.below(6); i > 0 && bytes.length > 0; i--)
      bytes[prng.below(bytes.length)] = prng.below(256);
    const result = decodeExtensionHandshake(bytes.subarray(0, prng.between(0, bytes.length)));
    if (!result.ok) continue;
    const { clientName, listenPort, ids } = result.value;
    assert.ok(clientName === null || !/\p{C}/u.test(clientName));
    assert.ok(listenPort === null || (listenPort > 0 && listenPort < 65536));
    for (const id of Object.values(ids)) assert.ok(id >= 0 && id < 256);
  }
});
