import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { WantedPort } from '@tequio/network/port-mapping';
import { AnnouncedPort, type PortMapping } from './announced-port.ts';

/** A router that gives what a test says. */
class FakeMapping implements PortMapping {
  readonly wanted: string[] = [];
  readonly given = new Map<string, number>();
  isReleased = false;
  #listener = (): void => {};

  want(ports: readonly WantedPort[]): () => void {
    this.wanted.push(...ports.map(({ transport, port }) => `${transport} ${port}`));
    return () => {
      this.isReleased = true;
    };
  }

  externalPortOf({ transport, port }: WantedPort): number | null {
    return this.given.get(`${transport} ${port}`) ?? null;
  }

  subscribe(listener: () => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = () => {};
    };
  }

  give(what: string, port: number): void {
    this.given.set(what, port);
    this.#listener();
  }
}

test('without mapping it is the port that we listen on', () => {
  const announced = new AnnouncedPort(null, () => 7);
  announced.start('both', () => {});
  equal(announced.port, 7);
  announced.close();
});

test('the router’s port is told when it is another, and each change once', () => {
  const mapping = new FakeMapping();
  const announced = new AnnouncedPort(mapping, () => 6881);
  const changes: number[] = [];
  announced.start('both', (port) => changes.push(port));
  deepEqual(mapping.wanted, ['tcp 6881', 'udp 6881']);
  mapping.give('udp 6881', 6881);
  deepEqual(changes, [], 'the same number is no news');
  mapping.give('tcp 6881', 20_000);
  mapping.give('udp 6881', 20_001);
  deepEqual([announced.port, changes], [20_000, [20_000]], 'TCP’s counts');
  mapping.given.clear();
  mapping.give('udp 1', 1);
  deepEqual(changes, [20_000, 6881], 'the mapping is gone');
  announced.close();
  mapping.give('tcp 6881', 9);
  deepEqual([changes.length, mapping.isReleased], [2, true]);
});

test('with uTP alone no TCP port is asked for, and UDP’s counts', () => {
  const mapping = new FakeMapping();
  const announced = new AnnouncedPort(mapping, () => 6881);
  announced.start('utp', () => {});
  mapping.give('udp 6881', 20_000);
  deepEqual([mapping.wanted, announced.port], [['udp 6881'], 20_000]);
});
