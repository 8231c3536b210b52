/**
 * IPFS content over HTTP, on an address of its own: pages of strangers must share no origin with the node's own page.
 * Off until the setting `ipfs.gateway` names an address.
 */
import type { Settings } from '@tequio/api';
import type { HotAnswers, HotBlocks } from '@tequio/ipfs';
import type { Clock, Log, WebRequest, WebResponse, WebServerPort } from '@tequio/kernel';
import { closedAfter } from '../http/closed-after.ts';
import { readListenAddress, urlHostOf } from '../http/listen-address.ts';
import type { NodeIpfs } from './node-ipfs.ts';

export type GatewayServerDeps = {
  readonly ipfs: NodeIpfs;
  readonly webServer: WebServerPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => Settings['ipfs'];
};

/** See the top of the file. */
export class GatewayServer {
  readonly #deps: GatewayServerDeps;
  #url: string | null = null;
  #parts: Promise<typeof import('@tequio/ipfs')> | null = null;
  #hot: { readonly blocks: HotBlocks; readonly answers: HotAnswers } | null = null;

  constructor(deps: GatewayServerDeps) {
    this.#deps = deps;
  }

  /** Null: it does not listen. */
  get url(): string | null {
    return this.#url;
  }

  /** A part for the supervisor. @throws NodeError `NET_LISTEN` */
  async run(signal: AbortSignal): Promise<void> {
    const { settings, webServer, log } = this.#deps;
    const { gateway, enabled } = settings();
    if (gateway === null || !enabled) return;
    const at = readListenAddress(gateway);
    const listener = await webServer.listen(at, {
      handle: (request) => this.#answer(request),
      onFault: (error) => log.error('ipfs.gateway.fault', { error: String(error) }),
    });
    this.#url = `http://${urlHostOf(at.address)}:${listener.local.port}/`;
    log.info('ipfs.gateway.started', { url: this.#url });
    if (!signal.aborted)
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    this.#url = null;
    await listener.close();
  }

  /** What is asked for again and again costs nothing but its sending. */
  async #answer(request: WebRequest): Promise<WebResponse> {
    return this.#hot?.answers.find(request) ?? this.#answerAnew(request);
  }

  async #answerAnew(request: WebRequest): Promise<WebResponse> {
    const { ipfs, clock, log, settings } = this.#deps;
    this.#parts ??= import('@tequio/ipfs');
    const [{ Gateway, HotAnswers, HotBlocks, answerRouting, defaultGatewayOptions }, open] =
      await Promise.all([this.#parts, ipfs.open()]);
    if (open.exchange !== null) {
      const { overlay } = open.exchange;
      const routed = await answerRouting({ overlay, names: open.ipns }, request);
      if (routed !== null) return routed;
    }
    const { blocks } = open.repository;
    this.#hot ??= { blocks: new HotBlocks(blocks), answers: new HotAnswers(blocks, () => open.denyList) };
    const reading = ipfs.read(open);
    const gateway = new Gateway(
      { ...defaultGatewayOptions, dnslinkDomains: settings().gatewayDomains },
      {
        blocks: this.#hot.blocks.before(reading.reader),
        local: blocks,
        hot: this.#hot.answers,
        names: open.names,
        clock,
        log,
        denyList: () => open.denyList,
      },
    );
    const answer = await gateway.handle(request);
    const { body } = answer;
    if (body === null || typeof body === 'string' || body instanceof Uint8Array) {
      reading.close();
      return answer;
    }
    return { ...answer, body: closedAfter(body, () => reading.close()) };
  }
}
