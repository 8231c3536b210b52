/**
 * IPFS content over HTTP, on an address of its own: pages of strangers must share no origin with the node's own page.
 * Off until the setting `ipfs.gateway` names an address.
 */
import type { Settings } from '@tequio/api';
import type { BlockReader, HotAnswers, HotBlocks, NameSource } from '@tequio/ipfs';
import type { Clock, Log, WebRequest, WebResponse, WebServerPort } from '@tequio/kernel';
import { closedAfter } from '../http/closed-after.ts';
import { readListenAddress, urlHostOf } from '../http/listen-address.ts';
import type { IpfsReading, NodeIpfs } from './node-ipfs.ts';

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
    const [{ Gateway, HotAnswers, HotBlocks, NameResolver, answerRouting, defaultGatewayOptions }, local] =
      await Promise.all([this.#parts, ipfs.openLocal()]);
    if (request.target.startsWith('/routing/')) {
      const { exchange, ipns } = await ipfs.open();
      const routed =
        exchange === null ? null : await answerRouting({ overlay: exchange.overlay, names: ipns }, request);
      if (routed !== null) return routed;
    }
    const { denyList, repository } = local;
    const { blocks } = repository;
    this.#hot ??= { blocks: new HotBlocks(blocks), answers: new HotAnswers(blocks, () => denyList) };
    const reading = ipfs.current === null ? this.#readSoon(blocks) : ipfs.read(ipfs.current);
    const gateway = new Gateway(
      { ...defaultGatewayOptions, dnslinkDomains: settings().gatewayDomains },
      {
        blocks: this.#hot.blocks.before(reading.reader),
        local: blocks,
        hot: this.#hot.answers,
        names: ipfs.current?.names ?? new NameResolver(this.#namesSoon()),
        clock,
        log,
        denyList: () => denyList,
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

  /** What is here at once; what is not, when the node is among others. */
  #readSoon(here: BlockReader): IpfsReading {
    const { ipfs } = this.#deps;
    let rest: Promise<IpfsReading> | null = null;
    const all = (): Promise<IpfsReading> => (rest ??= ipfs.open().then((open) => ipfs.read(open)));
    const reader: BlockReader = {
      has: (cid) => here.has(cid),
      // What is wrong here may be had from others.
      get: async (cid, options) =>
        (await here.get(cid, options).catch(() => null)) ?? (await all()).reader.get(cid, options),
    };
    return { reader, close: () => void rest?.then((reading) => reading.close()).catch(() => {}) };
  }

  /** Names are asked of others. */
  #namesSoon(): NameSource {
    const { ipfs } = this.#deps;
    return {
      ipns: async (name, signal) => (await ipfs.open()).names.source.ipns(name, signal),
      dnslink: async (domain, signal) => (await ipfs.open()).names.source.dnslink(domain, signal),
    };
  }
}
