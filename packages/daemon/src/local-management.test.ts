import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Management, Scope, TorrentsApi } from '@tequio/api';
import { LocalManagement, type ManagementParts } from './local-management.ts';

/** Parts whose every call succeeds. */
function openParts(): ManagementParts {
  const names: Record<string, readonly string[]> = {
    status: ['status', 'pauseAll', 'resumeAll', 'setAltLimits', 'freeBytes', 'shutdown'],
    history: ['speeds'],
    events: ['since', 'subscribe'],
    log: ['lines', 'subscribe'],
    settings: ['get', 'origins', 'schema', 'patch'],
    rss: ['feeds', 'items', 'rules', 'testRule', 'putFeed', 'removeFeed', 'refresh', 'markRead', 'putRule'],
    users: ['users', 'putUser', 'setPassword', 'keys', 'makeKey', 'tryPassword', 'tryKey'],
    network: ['bans', 'ban', 'unban', 'addressFilter', 'refreshAddressFilter', 'routers'],
    dht: ['ping', 'lookup', 'get', 'put', 'sample'],
    ipfs: ['state', 'files', 'addFile', 'pins', 'unpin', 'peers'],
  };
  const part = (calls: readonly string[]): object =>
    Object.fromEntries(calls.map((name) => [name, async () => 'done']));
  const parts = Object.fromEntries(Object.entries(names).map(([name, calls]) => [name, part(calls)]));
  const bridge = part(['torrentToIpfs', 'ipfsToTorrent', 'share']);
  const made = { torrentsOf: () => ({}) as TorrentsApi, bridgeOf: () => bridge };
  return { ...parts, ...made } as unknown as ManagementParts;
}

async function outcome(management: Management, path: string): Promise<string> {
  const [part = '', name = ''] = path.split('.');
  const calls = management[part as keyof Management] as unknown as Record<string, () => Promise<string>>;
  return calls[name]!().catch((error: { code: string }) => error.code);
}

test('what somebody may not do is refused, whatever part it is of', async () => {
  const node = new LocalManagement(openParts());
  const refused = 'USER_RIGHT';
  const rows: readonly (readonly [user: string | null, scope: Scope, path: string, expected: string])[] = [
    [null, 'read', 'status.status', 'done'],
    [null, 'read', 'status.pauseAll', refused],
    [null, 'write', 'status.pauseAll', 'done'],
    [null, 'write', 'rss.putRule', 'done'],
    [null, 'write', 'status.shutdown', refused],
    [null, 'write', 'settings.patch', refused],
    [null, 'write', 'users.makeKey', refused],
    [null, 'write', 'network.ban', refused],
    ['ana', 'write', 'status.pauseAll', refused],
    ['ana', 'write', 'rss.putRule', refused],
    ['ana', 'write', 'log.lines', refused],
    ['ana', 'write', 'users.users', refused],
    [null, 'read', 'network.routers', 'done'],
    [null, 'read', 'dht.lookup', refused],
    [null, 'write', 'dht.put', 'done'],
    ['ana', 'write', 'dht.lookup', refused],
    ['ana', 'admin', 'dht.sample', 'done'],
    [null, 'read', 'ipfs.files', 'done'],
    [null, 'read', 'ipfs.addFile', refused],
    [null, 'write', 'ipfs.unpin', 'done'],
    ['ana', 'write', 'ipfs.state', 'done'],
    ['ana', 'write', 'ipfs.files', refused],
    ['ana', 'write', 'ipfs.addFile', refused],
    ['ana', 'admin', 'ipfs.pins', 'done'],
    [null, 'read', 'bridge.torrentToIpfs', refused],
    [null, 'write', 'bridge.ipfsToTorrent', 'done'],
    [null, 'write', 'bridge.share', refused],
    ['ana', 'write', 'bridge.torrentToIpfs', 'done'],
    ['ana', 'write', 'bridge.ipfsToTorrent', refused],
    ['ana', 'admin', 'bridge.ipfsToTorrent', 'done'],
    ['ana', 'admin', 'users.makeKey', 'done'],
    [null, 'admin', 'users.tryKey', 'done'],
  ];
  for (const [user, scope, path, expected] of rows)
    assert.equal(await outcome(node.as({ user, scope }), path), expected, `${user} ${scope} ${path}`);
});
