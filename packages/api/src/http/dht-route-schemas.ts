/** What goes in and comes out of the routes of the DHT; a part of `route-schemas.ts`. */
import { z } from 'zod';
import type { dhtRoutes } from './dht-routes.ts';
import type { RouteSchemas } from './route.ts';

const hex = (...lengths: readonly number[]) =>
  z.string().regex(new RegExp(`^(?:${lengths.map((length) => `[0-9a-fA-F]{${length}}`).join('|')})$`), {
    error: `must have ${lengths.join(' or ')} hex digits`,
  });
const base64 = z.base64().max(2000);
const salt = base64.meta({ description: 'Base64, at most 64 bytes.' });
/** A sequence number can be larger than numbers of JSON may be. */
const sequence = z.string().regex(/^\d{1,19}$/);
const count = z.int().min(0);

const node = z.strictObject({ id: z.string(), endpoint: z.string() });
const search = {
  target: z.string(),
  nodes: z.array(node).meta({ description: 'Those nearest to the target that answered, nearest first.' }),
  queryCount: count,
  answerCount: count,
  hopCount: count,
  elapsedMs: z.number(),
};
const item = z.strictObject({
  value: z.string().meta({ description: 'Base64 of the bencoded value.' }),
  publicKey: z.string().nullable().meta({ description: 'Of mutable items.' }),
  salt: z.string().nullable(),
  sequence: z.string().nullable(),
});

export const dhtRouteSchemas = {
  'dht.ping': {
    body: z.strictObject({ node: z.string().min(3).max(300).meta({ description: '`HOST:PORT`.' }) }),
    result: z.strictObject({ ...node.shape, elapsedMs: z.number() }).nullable(),
  },
  'dht.lookup': {
    body: z.strictObject({ infoHash: hex(40, 64) }),
    result: z.strictObject({
      ...search,
      peers: z.array(z.string()),
      estimate: z.strictObject({ seedCount: z.number(), peerCount: z.number() }).nullable(),
    }),
  },
  'dht.get': {
    body: z.strictObject({
      target: hex(40, 64).meta({ description: 'A target, or a public key.' }),
      salt: salt.exactOptional(),
    }),
    result: z.strictObject({ ...search, item: item.nullable() }),
  },
  'dht.put': {
    body: z.strictObject({
      value: base64.meta({ description: 'Base64 of a bencoded value of at most 1000 bytes.' }),
      secretKey: hex(64)
        .nullable()
        .meta({ description: 'Signs a mutable item; null: an immutable one, under its hash.' }),
      salt: salt.exactOptional(),
      sequence: sequence
        .nullable()
        .exactOptional()
        .meta({ description: 'By default one more than what is stored.' }),
      cas: sequence
        .nullable()
        .exactOptional()
        .meta({ description: 'Replace only the item with this sequence number.' }),
    }),
    result: z.strictObject({ ...search, storedCount: count, item, refusal: z.string().nullable() }),
  },
  'dht.sample': {
    body: z.strictObject({ target: hex(40).nullable().meta({ description: 'Null: one by chance.' }) }),
    result: z.strictObject({ ...search, infoHashes: z.array(z.string()) }),
  },
} as const satisfies Readonly<Record<keyof typeof dhtRoutes, RouteSchemas>>;
