/** The route on a free port, with a repository of its own, and a client that other people wrote. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Settings, settingsSchema } from '@tequio/api/settings';
import type { IpfsRepository } from '@tequio/ipfs';
import { NodeError, type OverlayPort, silentLog, tryParseAddress, type WebRequest } from '@tequio/kernel';
import { createOverlay, defaultOverlayOptions, readIdentity } from '@tequio/overlay';
import { createRuntimePorts, createWebServer, type RuntimePorts } from '@tequio/runtime';
import { create, type KuboRPCClient } from 'kubo-rpc-client';
import { z } from 'zod';
import { mergeSections } from '../../config/setting-paths.ts';
import type { Caller } from '../../http/caller.ts';
import type { RouteContext, RouteRequest } from '../../http/compat-route.ts';
import { NodeIpfs } from '../../ipfs/node-ipfs.ts';
import { LogRing } from '../../log/log-ring.ts';
import { createKuboOpener } from './kubo-node.ts';
import { createKuboRoute } from './kubo-route.ts';

export type KuboServer = {
  close(): Promise<void>;
  readonly client: KuboRPCClient;
  readonly origin: string;
  readonly repository: IpfsRepository;
  readonly overlay: OverlayPort | null;
};

export type KuboServerOptions = {
  /** Who is asking, always. */
  readonly caller?: Caller | null;
  /** Among others, over loopback, and nobody of them unasked. */
  readonly online?: boolean;
  readonly settings?: object;
};

const admin: Caller = { user: null, scope: 'admin', by: 'key' };

export async function openKubo({
  caller = admin,
  online = false,
  settings: changes = {},
}: KuboServerOptions = {}): Promise<KuboServer> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'tequio-kubo-'));
  const ports = createRuntimePorts();
  let settings: Settings = settingsSchema.parse({
    overlay: { bootstrap: [], localDiscovery: false, dht: 'server' },
    ipfs: { namesByPubsub: true },
  });
  settings = settingsSchema.parse(mergeSections(settings as never, changes as never));
  const overlay = online ? await startOverlay(dataFolder, ports, settings) : null;
  const log = new LogRing(() => Date.now());
  const ipfs = new NodeIpfs({
    ports,
    log: silentLog,
    dataFolder,
    bootId: null,
    settings: () => settings.ipfs,
    http: ports.http,
    lookUpText: null,
    openOverlay: overlay === null ? null : async () => overlay,
  });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await listener.close();
    await ipfs.close();
    await overlay?.close();
    await ports.close();
    await rm(dataFolder, { recursive: true });
  };
  const open = createKuboOpener({
    ipfs,
    dataFolder,
    files: ports.files,
    hashes: ports.hashes,
    clock: ports.clock,
    log,
    settings: () => settings,
    patchSettings: async (patch) => {
      const parsed = settingsSchema.safeParse(mergeSections(settings as never, patch as never));
      if (!parsed.success) throw new NodeError('SETTINGS_VALUE', z.prettifyError(parsed.error));
      settings = parsed.data;
    },
    version: 'test',
    // What calls for the end is answered first.
    shutdown: () => void setTimeout(close, 20),
  });
  const route = createKuboRoute(open);
  const context = { caller: async () => caller } as RouteContext;
  const listener = await createWebServer().listen(
    { address: tryParseAddress('127.0.0.1'), port: 0 },
    {
      handle: (request) => route.handle(routeRequest(request), context),
      onFault: (error) => console.error(error),
    },
  );
  const origin = `http://127.0.0.1:${listener.local.port}`;
  const { repository } = await ipfs.open();
  return { client: create({ url: `${origin}/api/v0` }), origin, repository, overlay, close };
}

export async function withKubo(
  use: (server: KuboServer) => Promise<void>,
  options?: KuboServerOptions,
): Promise<void> {
  const server = await openKubo(options);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

async function startOverlay(
  dataFolder: string,
  ports: RuntimePorts,
  { overlay: { dht } }: Settings,
): Promise<ReturnType<typeof createOverlay>> {
  const { files, entropy, signatures } = ports;
  const secretKey = await readIdentity(join(dataFolder, 'identity.key'), dataFolder, {
    files,
    entropy,
    signatures,
  });
  const address = tryParseAddress('127.0.0.1')!;
  const loopback = { name: 'lo', address, prefixBits: 8, gateway: null, gatewayIsGuess: false };
  const overlay = createOverlay(
    {
      ...defaultOverlayOptions,
      secretKey,
      agent: 'tequio/test',
      port: 0,
      webRtc: false,
      localDiscovery: false,
      relayCount: 0,
      dht,
    },
    {
      ports: {
        tcp: ports.tcp,
        udp: ports.udp,
        resolver: ports.resolver,
        signatures,
        hashes: ports.hashes,
        entropy,
        clock: ports.clock,
        networks: { list: async () => [loopback] },
        log: silentLog,
      },
      crypto: ports,
      database: ports.database.open(':memory:'),
    },
  );
  await overlay.start();
  return overlay;
}

function routeRequest(web: WebRequest): RouteRequest {
  const url = new URL(web.target, 'http://localhost');
  return {
    method: web.method,
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    headers: web.headers,
    clientAddress: '127.0.0.1',
    origin: `http://${web.headers['host']}`,
    signal: web.signal,
    readBody: (bytesMax) => web.readBody(bytesMax),
    readBodyParts: () => web.readBodyParts(),
  };
}
