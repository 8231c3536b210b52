/** Routes of the DHT; a part of the table of all. POST, for each makes the node send. */
import type { Route } from './route.ts';

export const dhtRoutes = {
  'dht.ping': {
    method: 'POST',
    path: '/dht/ping',
    scope: 'write',
    summary: 'whether a node answers; null: it does not',
  },
  'dht.lookup': {
    method: 'POST',
    path: '/dht/lookup',
    scope: 'write',
    summary: 'peers of an info-hash, and an estimate of how many there are',
  },
  'dht.get': { method: 'POST', path: '/dht/get', scope: 'write', summary: 'an item that the DHT keeps' },
  'dht.put': { method: 'POST', path: '/dht/put', scope: 'write', summary: 'store an item in the DHT' },
  'dht.sample': {
    method: 'POST',
    path: '/dht/sample',
    scope: 'write',
    summary: 'info-hashes that nodes on the way to a target keep',
  },
} as const satisfies Readonly<Record<string, Route>>;
