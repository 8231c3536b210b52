import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { routeNames, routes } from '@tequio/api/http';
import { Router } from './router.ts';

test('every route of the table is found at its path, and no two are the same', () => {
  const router = new Router();
  const seen = new Set<string>();
  for (const name of routeNames) {
    const { method, path } = routes[name];
    equal(seen.has(`${method} ${path}`), false, name);
    seen.add(`${method} ${path}`);
    const filled = path.replace('{id}', 'a'.repeat(40)).replace('{file}', '3');
    const match = router.match(method, `/api/v1${filled}`);
    equal(match !== null && 'route' in match && match.route, name);
  }
});

test('a fixed word is no id, and a known path with another method says which there are', () => {
  const router = new Router();
  deepEqual(router.match('GET', '/api/v1/torrents/pause'), { allow: ['POST'] });
  deepEqual(router.match('POST', '/api/v1/torrents/abc'), { allow: ['GET'] });
  deepEqual(router.match('DELETE', '/api/v1/session'), { route: 'session.close', params: {} });
  deepEqual(router.match('HEAD', '/api/v1/status'), { route: 'status.get', params: {} });
  for (const path of [
    '/api/v1',
    '/api/v1/',
    '/api/v2/status',
    '/api/v1/torrents/%zz',
    '/api/v1/torrents//files',
  ])
    equal(router.match('GET', path), null);
});
