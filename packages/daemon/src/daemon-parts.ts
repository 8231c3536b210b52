/** The larger parts of a daemon, made of a node and its settings. */
import type { Settings } from '@tequio/api';
import { readPieceHashes } from '@tequio/bittorrent';
import type { Clock, Log } from '@tequio/kernel';
import { createWebServer, lookUpText, readBootId } from '@tequio/runtime';
import { MovedContent } from './bridge/moved-content.ts';
import type { CompatPorts } from './compat/compat-caller.ts';
import { createCompatRoutes } from './compat/compat-routes.ts';
import type { KuboDeps } from './compat/kubo/kubo-verb.ts';
import type { LocalNode } from './compose.ts';
import { createHttpFront } from './http/http-front.ts';
import type { HttpFront } from './http-front.ts';
import { GatewayServer } from './ipfs/gateway-server.ts';
import { NodeIpfs } from './ipfs/node-ipfs.ts';
import { NodeOverlay } from './overlay/node-overlay.ts';

export function createOverlay(node: LocalNode, settings: () => Settings, version: string): NodeOverlay {
  const { bittorrent, database, outside, nat } = node.parts;
  const { bittorrent: engine, proxy } = settings();
  return new NodeOverlay({
    ports: outside.ports,
    crypto: node.parts.ports,
    files: node.parts.ports.files,
    database: database!,
    dataFolder: node.dataFolder,
    agent: `tequio/${version}`,
    settings: () => settings().overlay,
    admission: bittorrent.admission,
    rates: () => bittorrent.ratesOf('overlay'),
    isBound: engine.bind !== null || (proxy.url !== null && proxy.peers),
    ...(nat === null ? {} : { portMapping: nat.mapper }),
  });
}

export function createIpfs(
  node: LocalNode,
  log: Log,
  settings: () => Settings,
  overlay: NodeOverlay,
): NodeIpfs {
  const ipfs = new NodeIpfs({
    ports: node.parts.ports,
    log,
    dataFolder: node.dataFolder,
    bootId: readBootId(),
    settings: () => settings().ipfs,
    http: node.parts.outside.ports.http,
    lookUpText: settings().proxy.url === null ? lookUpText : null,
    openOverlay: settings().overlay.enabled ? () => overlay.open() : null,
  });
  node.parts.webSeeds.use(ipfs);
  const moved = new MovedContent(ipfs, log);
  node.parts.moves.tell = (from, to) => moved.tell(from, to);
  return ipfs;
}

export function createGateway(
  ipfs: NodeIpfs,
  clock: Clock,
  log: Log,
  settings: () => Settings,
): GatewayServer {
  return new GatewayServer({
    ipfs,
    webServer: createWebServer(),
    clock,
    log,
    settings: () => settings().ipfs,
  });
}

export function createFront(
  node: LocalNode,
  log: Log,
  pageFolder: string | null,
  openKubo: () => Promise<KuboDeps>,
): HttpFront {
  const { files, entropy, clock } = node.parts.ports;
  const compat = { ...compatPorts(node), openKubo };
  return createHttpFront({
    webServer: createWebServer(),
    files,
    entropy,
    clock,
    log,
    pageFolder,
    routes: (_, { compat: wanted }) => createCompatRoutes(compat, wanted),
  });
}

function compatPorts(node: LocalNode): CompatPorts {
  const { bittorrent, ports } = node.parts;
  const { files, hashes, clock, entropy, folders } = ports;
  return {
    readSource: (text) => node.readSource(text),
    show: (source) => bittorrent.show(source),
    create: (...of) => bittorrent.create(...of),
    pieceHashes: (torrent) => readPieceHashes(torrent, hashes),
    listFolder: (path) => folders.list(path),
    writeFile: (path, bytes) => files.writeFile(path, bytes),
    wallMs: () => clock.wallMs(),
    randomBytes: (count) => entropy.bytes(count),
  };
}
