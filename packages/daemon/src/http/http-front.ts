/**
 * The node's HTTP server: page, API, metrics and the interfaces that other programs know on one address, content of
 * torrents on another. Every request goes the same way:
 *
 *   whose view? (proxy) -> Host, Origin, Sec-Fetch-Site -> route -> who is it? may they? -> headers
 *
 * Nothing of a body is read before that.
 */
import type { Settings } from '@tequio/api';
import {
  type Clock,
  type Entropy,
  type FilesPort,
  type Log,
  NodeError,
  type StreamListener,
  toHex,
  type WebRequest,
  type WebResponse,
  type WebServerPort,
  type WebUpgrade,
} from '@tequio/kernel';
import type { HttpFront, HttpFrontOptions } from '../http-front.ts';
import { ApiServer } from './api-server.ts';
import type { CompatRoute, ManagedNode } from './compat-route.ts';
import { ContentLinks } from './content-links.ts';
import { ContentServer } from './content-server.ts';
import { Credentials } from './credentials.ts';
import { EventStreams } from './event-streams.ts';
import { ForeignPage } from './foreign-page.ts';
import { HttpRequests } from './http-requests.ts';
import { isLoopback, readListenAddress, urlHostOf } from './listen-address.ts';
import { PageFiles } from './page-files.ts';
import { RefusalLog } from './refusal-log.ts';
import { SessionFile } from './session-file.ts';
import { Sessions } from './sessions.ts';
import { StrangerLimits } from './stranger-limits.ts';

export type HttpFrontDeps = {
  readonly webServer: WebServerPort;
  readonly files: FilesPort;
  readonly entropy: Entropy;
  readonly clock: Clock;
  readonly log: Log;
  /** Built page; null, or not there: only the API. */
  readonly pageFolder: string | null;
  /** Interfaces of other programs, for this node. */
  routes(node: ManagedNode, settings: Settings): readonly CompatRoute[];
};

/** Does nothing until it is started. */
export function createHttpFront(deps: HttpFrontDeps): HttpFront {
  return new Front(deps);
}

class Front implements HttpFront {
  readonly #deps: HttpFrontDeps;
  #listeners: StreamListener[] = [];
  #streams: EventStreams | null = null;
  #unsubscribe: (() => void) | null = null;
  #keepSessions: () => Promise<void> = async () => {};

  constructor(deps: HttpFrontDeps) {
    this.#deps = deps;
  }

  async start(
    node: ManagedNode,
    { dataFolder, version }: HttpFrontOptions,
  ): Promise<{ readonly url: string }> {
    const { entropy, clock, files, log, webServer } = this.#deps;
    const settings = await node.management.settings.get();
    const at = readListenAddress(settings.http.address);
    const wanted = readListenAddress(settings.http.streamAddress);
    // Who lets others in lets them watch as well, unless another address says otherwise.
    const streamAt =
      isLoopback(wanted) && !isLoopback(at) ? { address: at.address, port: wanted.port } : wanted;
    if (!(isLoopback(at) && isLoopback(streamAt))) await this.#demandPassword(node, settings);
    const nowMs = (): number => clock.wallMs();
    const sessionFile = new SessionFile(dataFolder, files, log);
    const sessions = new Sessions(entropy, await sessionFile.read(), (kept) => void sessionFile.write(kept));
    // Once more at the end: when they were used last.
    this.#keepSessions = () => sessionFile.write(sessions.kept());
    const links = new ContentLinks(await this.#readLinkKey(dataFolder));
    const streams = new EventStreams(toHex(entropy.bytes(4)), () => clock.nowMs());
    const strangers = new StrangerLimits();
    const refusals = new RefusalLog(log, nowMs);
    const requests = new HttpRequests({
      node,
      settings: settings.http,
      page: await PageFiles.read(this.#deps.pageFolder, files),
      foreignPage: await this.#readForeignPage(settings.web),
      routes: this.#deps.routes(node, settings),
      sessions,
      strangers,
      refusals,
      streams,
      content: new ContentServer(node.management, links, nowMs),
      links,
      credentials: new Credentials({
        users: node.management.users,
        sessions,
        strangers,
        nowMs,
        onFailure: (address) =>
          refusals.add(
            {
              code: 'HTTP_CREDENTIALS',
              value: address,
              remedy: 'Wrong password or key. `tequio keys` lists keys, `tequio password` sets a password.',
            },
            address,
          ),
      }),
      api: new ApiServer({ node, version, sessions, links, streams, nowMs }),
      log,
      nowMs,
      version,
    });
    this.#streams = streams;
    this.#unsubscribe = node.management.events.subscribe(({ event }) => {
      if (event.type !== 'node.settings.changed') return;
      void node.management.settings.get().then(({ http }) => requests.handleSettings(http));
    });
    const listen = async (
      where: typeof at,
      handle: (request: WebRequest) => Promise<WebResponse | WebUpgrade>,
    ): Promise<StreamListener> => {
      const listener = await webServer.listen(where, {
        handle,
        onRefused: (code, remote) => refusals.add({ code, value: remote, remedy: brokenRemedy }, remote),
        onFault: (error) => log.error('http.fault', { error: String(error), stack: stackOf(error) }),
      });
      this.#listeners.push(listener);
      return listener;
    };
    const content = await listen(streamAt, (request) => requests.handleContent(request));
    requests.contentPort = content.local.port;
    const page = await listen(at, (request) => requests.handle(request));
    const url = `http://${urlHostOf(at.address)}:${page.local.port}${settings.http.basePath}/`;
    log.info('http.started', { url, contentPort: content.local.port });
    return { url: `${url}#token=${sessions.makeOneTime({ user: null, scope: 'admin' }, nowMs())}` };
  }

  async close(): Promise<void> {
    this.#unsubscribe?.();
    this.#streams?.close();
    // The last words go out before the connections are cut.
    await new Promise((resolve) => setTimeout(resolve, this.#streams?.streamCount ? 100 : 0));
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
    await this.#keepSessions();
  }

  async #readForeignPage({ folder, path }: Settings['web']): Promise<ForeignPage | null> {
    if (folder === null) return null;
    const files = await PageFiles.read(folder, this.#deps.files);
    if (!files.isEmpty) return new ForeignPage(path, files);
    const message = `There is no page in ${folder} (web.folder): what is there is served without it.`;
    this.#deps.log.warn('http.page', { folder, message });
    return null;
  }

  async #demandPassword(node: ManagedNode, settings: Settings): Promise<void> {
    if (await node.management.users.hasPassword()) return;
    throw new NodeError(
      'HTTP_NO_PASSWORD',
      `Others could reach the node at ${settings.http.address}, and it has no password. Start it at 127.0.0.1, set one with \`tequio password\`, and start it here then.`,
      { op: 'listen' },
    );
  }

  /** Links are good over a restart, so that a player need not know of it. */
  async #readLinkKey(dataFolder: string): Promise<Uint8Array> {
    const { files, entropy } = this.#deps;
    const path = `${dataFolder}/content-link.key`;
    if ((await files.kind(path)) === 'file') {
      const key = await files.readFile(path, 1024);
      if (key.length === 32) return key;
    }
    const key = entropy.bytes(32);
    await files.writeFile(path, key, { secret: true });
    return key;
  }
}

const brokenRemedy = 'The client sent something that is no HTTP request, too much of it, or too slowly.';

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}
