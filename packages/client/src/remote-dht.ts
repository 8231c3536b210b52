import type { DhtItemSnapshot, DhtQuestions } from '@tequio/api';
import type { RouteResult } from '@tequio/api/routes';
import { toHex } from '@tequio/kernel';
import { fromBase64, toBase64 } from './base64.ts';
import type { HttpCalls } from './http-calls.ts';

/** The DHT as a node that is elsewhere sees it. */
export function remoteDht(calls: HttpCalls): DhtQuestions {
  return {
    ping: (node) => calls.call('dht.ping', { body: { node } }),
    lookup: (infoHash) => calls.call('dht.lookup', { body: { infoHash } }),
    get: async (target, salt) => {
      const found = await calls.call('dht.get', { body: { target, ...saltOf(salt) } });
      return { ...found, item: found.item === null ? null : itemOf(found.item) };
    },
    put: async ({ value, secretKey, salt, sequence, cas }) => {
      const stored = await calls.call('dht.put', {
        body: {
          value: toBase64(value),
          secretKey: secretKey === null ? null : toHex(secretKey),
          ...saltOf(salt),
          sequence: sequence == null ? null : String(sequence),
          cas: cas == null ? null : String(cas),
        },
      });
      return { ...stored, item: itemOf(stored.item) };
    },
    sample: (target) => calls.call('dht.sample', { body: { target } }),
  };
}

function saltOf(salt: Uint8Array | undefined): { readonly salt?: string } {
  return salt === undefined || salt.length === 0 ? {} : { salt: toBase64(salt) };
}

type SentItem = RouteResult<'dht.put'>['item'];

function itemOf({ value, publicKey, salt, sequence }: SentItem): DhtItemSnapshot {
  return {
    value: fromBase64(value),
    publicKey,
    salt: salt === null ? null : fromBase64(salt),
    sequence: sequence === null ? null : BigInt(sequence),
  };
}
