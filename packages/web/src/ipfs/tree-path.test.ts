import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { crumbsOf, isContentAddress, pathIn, shortCid } from './tree-path.ts';

const cid = 'bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4';

test('paths are put together, and taken apart', () => {
  deepEqual([pathIn('/', 'a'), pathIn('/a', 'b c')], ['/a', '/a/b c']);
  deepEqual(crumbsOf('/'), []);
  deepEqual(crumbsOf('/a/b'), [
    { name: 'a', path: '/a' },
    { name: 'b', path: '/a/b' },
  ]);
  equal(shortCid(cid), 'bafkreifjj…evei4'.replace('evei4', 'devei4'));
});

test('what people paste is known to be content, and a magnet link is not', () => {
  for (const [text, expected] of [
    [cid, true],
    [` ${cid}/a b `, true],
    [`ipfs://${cid}`, true],
    ['/ipns/example.org', true],
    [`https://dweb.link/ipfs/${cid}`, true],
    [`http://${cid}.ipfs.localhost:8080/`, true],
    ['QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn', true],
    ['magnet:?xt=urn:btih:0123456789012345678901234567890123456789', false],
    ['0123456789012345678901234567890123456789', false],
    ['https://example.org/a.torrent', false],
    ['hello', false],
  ] as const)
    equal(isContentAddress(text), expected, text);
});
