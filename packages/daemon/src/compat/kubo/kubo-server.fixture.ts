/** The route on a free port, with a repository of its own, and a client that other people wrote. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskLeafHasher, IpfsRepository, NameResolver, openFiles } from '@tequio/ipfs';
import { silentLog, tryParseAddress, type WebRequest } from '@tequio/kernel';
import { createRuntimePorts, createWebServer } from '@tequio/runtime';
import { create, type KuboRPCClient } from 'kubo-rpc-client';
import type { Caller } from '../../http/caller.ts';
import type { RouteContext, RouteRequest } from '../../http/compat-route.ts';
import { createKuboRoute } from './kubo-route.ts';
import type { KuboDeps } from './kubo-verb.ts';

export type KuboServer = {
  close(): Promise<void>;
  readonly client: KuboRPCClient;
  readonly origin: string;
  readonly repository: IpfsRepository;
};

/** @param caller who is asking, always */
export async function openKubo(
  caller: Caller | null = { user: null, scope: 'admin', by: 'key' },
): Promise<KuboServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tequio-kubo-'));
  const ports = createRuntimePorts();
  const { disk, files, database, hashes, clock } = ports;
  const repository = await IpfsRepository.open(
    { folder, quotaBytes: null, bootId: null },
    { disk, files, database, hashes, clock, log: silentLog },
  );
  const deps: KuboDeps = {
    repository,
    mfs: openFiles(repository, { hashes, clock, leafHasher: diskLeafHasher(disk) }),
    names: new NameResolver({ ipns: async () => null, dnslink: async () => null }),
    exchange: null,
    reader: repository.blocks,
    close: () => {},
    hashes,
    leafHasher: diskLeafHasher(disk),
    version: 'test',
  };
  const route = createKuboRoute(async () => deps);
  const context = { caller: async () => caller } as RouteContext;
  const listener = await createWebServer().listen(
    { address: tryParseAddress('127.0.0.1'), port: 0 },
    {
      handle: (request) => route.handle(routeRequest(request), context),
      onFault: (error) => console.error(error),
    },
  );
  const origin = `http://127.0.0.1:${listener.local.port}`;
  const close = async (): Promise<void> => {
    await listener.close();
    await repository.close();
    await disk.close();
    await rm(folder, { recursive: true });
  };
  return { client: create({ url: `${origin}/api/v0` }), origin, repository, close };
}

export async function withKubo(
  use: (server: KuboServer) => Promise<void>,
  caller?: Caller | null,
): Promise<void> {
  const server = await openKubo(caller);
  try {
    await use(server);
  } finally {
    await server.close();
  }
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
