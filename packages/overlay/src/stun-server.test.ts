import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, type IpAddress, tryFromHex, tryParseAddress } from '@tequio/kernel';
import { answerStun } from './stun-server.ts';

const transaction = tryFromHex('b7e7a701bc34d686fa87dfae')!;
const request = concatBytes([tryFromHex('000100002112a442')!, transaction]);

test('an answer says from where the question came', () => {
  // The attributes of the sample responses of RFC 5769 (2.2 and 2.3), whose transaction and addresses these are.
  const v4 = answerStun(request, { address: '192.0.2.1' as IpAddress, port: 32_853 })!;
  deepEqual(
    v4,
    concatBytes([tryFromHex('0101000c2112a442')!, transaction, tryFromHex('002000080001a147e112a643')!]),
  );
  const v6 = answerStun(request, {
    address: tryParseAddress('2001:db8:1234:5678:11:2233:4455:6677')!,
    port: 32_853,
  })!;
  deepEqual(v6.subarray(20), tryFromHex('002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9')!);
});

test('what is no such question has no answer', () => {
  const from = { address: '192.0.2.1' as IpAddress, port: 1 };
  const change = (at: number, byte: number): Uint8Array => request.with(at, byte);
  for (const bytes of [new Uint8Array(0), request.subarray(0, 19), change(0, 1), change(3, 4), change(5, 0)])
    equal(answerStun(bytes, from), null);
  equal(answerStun(v4Answer(), from), null, 'answers are not answered: two servers would never stop');
});

function v4Answer(): Uint8Array {
  return answerStun(request, { address: '192.0.2.1' as IpAddress, port: 32_853 })!;
}
