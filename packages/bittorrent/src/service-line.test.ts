/** A node that is bound to an address which goes and comes back. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { IpAddress, LocalNetworks } from '@tequio/kernel';
import { BoundLine, BoundPorts } from '@tequio/network';
import { createRuntimePorts } from '@tequio/runtime';
import type { BittorrentEvent } from './contract.ts';
import { assertContent, makeContent, withBench } from './service.fixture.ts';
import { createBittorrent } from './service.ts';

const loopback = '127.0.0.1' as IpAddress;

test('the bound address goes: everything stops and says why; it is back: the download goes on', () =>
  withBench(async (bench) => {
    const content = makeContent([4_000_000]);
    const seeder = await bench.start('seed', { limitUp: 4_000_000 });
    const { torrent } = await bench.seed(seeder, content);
    let isThere = true;
    const at = { name: 'tun0', address: loopback, prefixBits: 8, gateway: null, gatewayIsGuess: false };
    const networks: LocalNetworks = { list: async () => (isThere ? [at] : []) };
    const ports = createRuntimePorts();
    const line = new BoundLine('tun0', { clock: ports.clock, networks });
    await line.start();
    const folder = join(bench.root, 'leech');
    await mkdir(folder);
    const service = createBittorrent(
      { dataFolder: join(folder, 'data'), bootId: 'boot', port: 0 },
      { ports: new BoundPorts(ports, line), database: null, line },
    );
    const events: BittorrentEvent['type'][] = [];
    service.subscribe(({ type }) => void events.push(type));
    const until = async (isSo: () => boolean): Promise<void> => {
      for (const endMs = Date.now() + 60_000; !isSo(); ) {
        assert.ok(Date.now() < endMs, JSON.stringify(service.torrents()));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    try {
      await service.start();
      const id = await service.add({ torrent }, { folder, peers: [seeder.address] });
      const snapshot = () => service.torrent(id)!;
      await until(() => snapshot().havePieceCount >= 4);
      isThere = false;
      await until(() => !line.isUp);
      await until(() => snapshot().peerCount === 0);
      assert.equal(snapshot().state, 'error');
      assert.match(snapshot().error!, /tun0 is not there/);
      const { downloadedBytes } = snapshot();
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(snapshot().downloadedBytes, downloadedBytes);
      isThere = true;
      await until(() => snapshot().state === 'seeding');
      await assertContent(folder, content);
      const told = events.filter((type) => type.endsWith('failed') || type.endsWith('recovered'));
      assert.deepEqual(told, ['bittorrent.torrent.failed', 'bittorrent.torrent.recovered']);
    } finally {
      await service.close();
      line.close();
      await ports.close();
    }
  }));
