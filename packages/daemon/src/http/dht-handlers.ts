import type { DhtItemSnapshot } from '@tequio/api';
import type { RouteName, RouteResult } from '@tequio/api/http';
import { tryFromHex } from '@tequio/kernel';
import type { Handler } from './route-handler.ts';

type DhtRoute = Extract<RouteName, `dht.${string}`>;

/** The routes of the DHT: bytes go as base64, and numbers that can be too large for JSON as text. */
export const dhtHandlers: { readonly [Name in DhtRoute]: Handler<Name> } = {
  'dht.ping': ({ node }, { body }) => node.dht.ping(body.node),
  'dht.lookup': ({ node }, { body }) => node.dht.lookup(body.infoHash) as never,
  'dht.get': async ({ node }, { body: { target, salt } }) => {
    const found = await node.dht.get(target, salt === undefined ? undefined : fromBase64(salt));
    return { ...found, item: found.item === null ? null : itemOf(found.item) } as never;
  },
  'dht.put': async ({ node }, { body: { value, secretKey, salt, sequence, cas } }) => {
    const stored = await node.dht.put({
      value: fromBase64(value),
      secretKey: secretKey === null ? null : tryFromHex(secretKey),
      ...(salt === undefined ? {} : { salt: fromBase64(salt) }),
      sequence: sequence == null ? null : BigInt(sequence),
      cas: cas == null ? null : BigInt(cas),
    });
    return { ...stored, item: itemOf(stored.item) } as never;
  },
  'dht.sample': ({ node }, { body }) => node.dht.sample(body.target) as never,
};

function itemOf({ value, publicKey, salt, sequence }: DhtItemSnapshot): RouteResult<'dht.put'>['item'] {
  return {
    value: toBase64(value),
    publicKey,
    salt: salt === null ? null : toBase64(salt),
    sequence: sequence === null ? null : String(sequence),
  };
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
