/** Overlays of a test in this process, over real sockets on loopback. */
import type { IpAddress } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import {
  createOverlay,
  defaultOverlayOptions,
  type OverlayDeps,
  type OverlayOptions,
  type OverlayService,
} from '../index.ts';

export type Overlays = { readonly nodes: readonly OverlayService[]; close(): Promise<void> };

/** Started, each with its own key, none connected. They answer in the DHT. */
export async function startOverlays(
  count: number,
  options: Partial<OverlayOptions> = {},
  more: Partial<OverlayDeps> = {},
): Promise<Overlays> {
  const all = await Promise.all(Array.from({ length: count }, () => startOverlay(options, more)));
  return {
    nodes: all.map(({ node }) => node),
    close: async () => {
      await Promise.all(all.map(({ close }) => close()));
    },
  };
}

export async function startOverlay(
  options: Partial<OverlayOptions> = {},
  more: Partial<OverlayDeps> = {},
): Promise<{ readonly node: OverlayService; close(): Promise<void> }> {
  const ports = createRuntimePorts();
  const database = ports.database.open(':memory:');
  const loopback = {
    name: 'lo',
    address: '127.0.0.1' as IpAddress,
    prefixBits: 8,
    gateway: null,
    gatewayIsGuess: false,
  };
  const node = createOverlay(
    {
      ...defaultOverlayOptions,
      secretKey: ports.entropy.bytes(32),
      agent: 'tequio/test',
      port: 0,
      webRtc: false,
      localDiscovery: false,
      relayCount: 0,
      dht: 'server',
      ...options,
    },
    {
      ports: {
        tcp: ports.tcp,
        udp: ports.udp,
        resolver: ports.resolver,
        signatures: ports.signatures,
        hashes: ports.hashes,
        entropy: ports.entropy,
        clock: ports.clock,
        log: ports.log,
        // Other addresses of the machine would make it depend on where it runs.
        networks: { list: async () => [loopback] },
      },
      crypto: ports,
      database,
      ...more,
    },
  );
  await node.start();
  return {
    node,
    close: async () => {
      await node.close();
      if (more.database === undefined) database.close();
      await ports.close();
    },
  };
}
