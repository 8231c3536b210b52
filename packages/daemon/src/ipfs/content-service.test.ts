import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { IpfsNodeApi, RunningDaemon } from '@tequio/api';
import { createClient } from '@tequio/client';
import { startDaemon } from '../start-daemon.ts';
import { contentPathOf } from './content-path.ts';
import { transportOf, whereOf } from './peer-address.ts';

const hello = new TextEncoder().encode('hello world\n');
const helloCid = 'bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4';
const noSuch = 'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq';
const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function bytesOf(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(parts));
}

/** Over HTTP, as the page works with it. */
describe('IPFS of a node, for pages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-content-'));
  let daemon: RunningDaemon;
  let ipfs: IpfsNodeApi;
  let base = '';
  let token = '';

  before(async () => {
    daemon = await startDaemon({
      dataFolder: join(folder, 'data'),
      configPath: null,
      env: {},
      flags: {
        bittorrent: { port: 0, dht: false, portMapping: false, lsd: false },
        http: { address: '127.0.0.1:0' },
      },
      version: '9',
      pageFolder: null,
      countryFile: null,
    });
    base = daemon.url!.replace(/#.*/, '');
    token = readFileSync(join(folder, 'data', 'token'), 'utf8').trim();
    ipfs = createClient({ url: base, token }).ipfs;
  });
  after(async () => {
    await daemon?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('asking how it is starts nothing; using it does', async () => {
    deepEqual([(await ipfs.state()).mode, (await ipfs.state()).blockCount], ['resting', 0]);
    const { folder: root, entries } = await ipfs.files('/');
    deepEqual([root.kind, entries], ['folder', []]);
    const { mode, peer, gatewayUrl } = await ipfs.state();
    deepEqual([mode, peer, gatewayUrl], ['alone', null, null]);
    deepEqual(await ipfs.peers(), []);
    await rejects(ipfs.connect('/ip4/127.0.0.1/tcp/1'), code('IPFS_ALONE'));
  });

  test('a file goes in with its folders, has the CID that everybody gives it, and comes out', async () => {
    const entry = await ipfs.addFile('/música/són.txt', once(hello));
    deepEqual(entry, {
      name: 'són.txt',
      cid: helloCid,
      kind: 'file',
      bytes: hello.length,
      dagBytes: hello.length,
      pin: null,
    });
    deepEqual(await bytesOf(ipfs.readFile('/música/són.txt')), Buffer.from(hello));
    deepEqual(await bytesOf(ipfs.readFile(helloCid, { from: 6, to: 11 })), Buffer.from('world'));
    const page = await ipfs.files('/música');
    deepEqual([page.totalCount, page.entries.map(({ name }) => name)], [1, ['són.txt']]);
    equal(page.folder.cid, (await ipfs.entry('/música')).cid);
    ok(page.folder.cid.startsWith('bafy'), 'a folder too has its name in version 1');
    await rejects(ipfs.files('/música/són.txt'), code('IPFS_NOT_A_FOLDER'));
    await rejects(ipfs.files('/none'), code('IPFS_FILES_MISSING'));
  });

  test('a long file comes in as it is sent, replaces what was there, and is found in parts', async () => {
    const long = Buffer.alloc(5_000_000, 'a long film ');
    await ipfs.addFile('/film', once(hello));
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < long.length; at += 70_001) yield long.subarray(at, at + 70_001);
    }
    const { cid, bytes, dagBytes } = await ipfs.addFile('/film', pieces());
    equal(bytes, long.length);
    ok(dagBytes > long.length);
    const back = await bytesOf(ipfs.readFile('/film'));
    equal(createHash('sha256').update(back).digest('hex'), createHash('sha256').update(long).digest('hex'));
    const view = await ipfs.block(cid);
    deepEqual(
      [view.codec, view.hash, view.kind, view.contentBytes, view.linkCount],
      ['dag-pb', 'sha2-256', 'file', long.length, 5],
    );
    const [first] = view.links;
    const leaf = await ipfs.block(first!.cid);
    deepEqual([leaf.codec, leaf.blockBytes, leaf.json], ['raw', 1 << 20, null]);
    deepEqual(Buffer.from(leaf.head, 'base64'), long.subarray(0, 4096));
    ok(JSON.parse(view.json!).Links.length === 5);
  });

  test('folders are made, things moved, renamed, removed', async () => {
    await ipfs.makeFolder('/a');
    await rejects(ipfs.makeFolder('/a'), code('IPFS_FILES_EXISTS'));
    await ipfs.addFile('/one', once(hello));
    await ipfs.moveFile('/one', '/two');
    await ipfs.moveFile('/two', '/a');
    deepEqual(
      (await ipfs.files('/a')).entries.map(({ name, kind }) => [name, kind]),
      [['two', 'file']],
    );
    await rejects(ipfs.moveFile('/a', '/a/b'), code('IPFS_FILES_MOVE'));
    await ipfs.removeFiles(['/a/two', '/a']);
    await rejects(ipfs.entry('/a'), code('IPFS_FILES_MISSING'));
    await rejects(ipfs.removeFiles(['/']), code('IPFS_FILES_ROOT'));
  });

  test('somebody’s content is linked in, by whatever address people paste', async () => {
    for (const [index, source] of [
      helloCid,
      `/ipfs/${helloCid}`,
      `ipfs://${helloCid}`,
      `https://dweb.link/ipfs/${helloCid}`,
      `http://${helloCid}.ipfs.localhost:8080/`,
    ].entries())
      equal((await ipfs.importFile(source, `/got/${index}`)).cid, helloCid);
    await rejects(ipfs.importFile('not a cid', '/got/x'), code('IPFS_PATH'));
    await rejects(ipfs.importFile(noSuch, '/got/x'), code('IPFS_BLOCK_MISSING'));
    await rejects(ipfs.importFile(helloCid, '/got/0'), code('IPFS_FILES_EXISTS'));
  });

  test('pins are kept by both names of one thing, and what nothing keeps goes', async () => {
    const { cid } = await ipfs.entry('/música');
    equal((await ipfs.block(`ipfs://${cid}/són.txt`)).cid, helloCid);
    equal(await ipfs.pin(cid, 'my music'), cid);
    const { pins, totalCount } = await ipfs.pins();
    deepEqual(
      [totalCount, pins[0]!.name, pins[0]!.kind, pins[0]!.mode, pins[0]!.told],
      [1, 'my music', 'folder', 'recursive', null],
    );
    equal((await ipfs.files('/')).entries.find(({ name }) => name === 'música')!.pin, 'recursive');
    await ipfs.removeFiles(['/música', '/film', '/got']);
    ok((await ipfs.collect()).removedBlocks >= 5, 'the film goes');
    deepEqual(await bytesOf(ipfs.readFile(`${cid}/són.txt`)), Buffer.from(hello));
    await ipfs.unpin(cid);
    await rejects(ipfs.unpin(cid), code('IPFS_PIN_NONE'));
    equal((await ipfs.pins()).totalCount, 0);
    await ipfs.collect();
    await rejects(ipfs.block(helloCid), code('IPFS_BLOCK_MISSING'));
  });

  test('content lies on another origin, never runs there, and a folder comes as an archive', async () => {
    const script = new TextEncoder().encode('<script>alert(1)</script>');
    await ipfs.addFile('/site/index.html', once(script));
    const headers = { authorization: `Bearer ${token}` };
    const address = (path: string): string => `${base}api/v1/ipfs/content?path=${encodeURIComponent(path)}`;
    const found = await fetch(address('/site/index.html'), { headers, redirect: 'manual' });
    equal(found.status, 307);
    const link = found.headers.get('location')!;
    ok(new URL(link).origin !== new URL(base).origin, link);
    const content = await fetch(link);
    equal(await content.text(), '<script>alert(1)</script>');
    equal(content.headers.get('content-type'), 'application/octet-stream');
    ok(content.headers.get('content-security-policy')!.startsWith('sandbox;'));
    equal((await fetch(link.replace('/index.html', '/x.html').replace(/(.)\/x/, '_/x'))).status, 404);
    const folderLink = await fetch(address('/site'), { headers });
    const archive = Buffer.from(await folderLink.arrayBuffer());
    ok(archive.length % 512 === 0 && archive.includes('site/index.html'));
    equal((await fetch(address('/site'))).status, 401);
  });

  test('a file is no form: what any page could send is refused', async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/plain' };
    const answer = await fetch(`${base}api/v1/ipfs/files?path=/x`, { method: 'PUT', headers, body: 'x' });
    equal(answer.status, 415);
    await rejects(ipfs.entry('/x'), code('IPFS_FILES_MISSING'));
  });
});

test('addresses that people paste', () => {
  for (const [text, path] of [
    ['  bafy1  ', 'bafy1'],
    ['ipfs://bafy1/a b', '/ipfs/bafy1/a b'],
    ['IPNS://k51/x', '/ipns/k51/x'],
    ['https://ipfs.io/ipfs/bafy1/a%20b?x=1#y', '/ipfs/bafy1/a b'],
    ['https://bafy1.ipfs.dweb.link/a/b', '/ipfs/bafy1/a/b'],
    ['https://en-wikipedia--on--ipfs-org.ipns.dweb.link/', '/ipns/en.wikipedia-on-ipfs.org'],
    ['https://example.org/x', 'https://example.org/x'],
    ['/folder/file', '/folder/file'],
  ] as const)
    equal(contentPathOf(text), path);
});

test('what a multiaddr says', () => {
  for (const [address, transport, where] of [
    ['/ip4/192.0.2.1/tcp/4001/p2p/12D3', 'tcp', '192.0.2.1:4001'],
    ['/ip6/2001:db8::1/udp/4001/quic-v1', 'quic', '[2001:db8::1]:4001'],
    ['/ip4/192.0.2.1/tcp/443/tls/ws', 'websocket', '192.0.2.1:443'],
    ['/ip4/192.0.2.1/udp/9/webrtc-direct/certhash/x', 'webrtc', '192.0.2.1:9'],
    ['/ip4/192.0.2.1/tcp/4001/p2p/Qm/p2p-circuit', 'relay', '192.0.2.1:4001'],
    ['/dns4/example.org/tcp/4001', 'tcp', ''],
    ['/memory/1', 'other', ''],
  ] as const)
    deepEqual([transportOf(address), whereOf(address)], [transport, where]);
});
