/**
 * Web seeds on IPFS (`ipfs://CID/name`): answered in this process, as a web server would, with what the node has or
 * gets from others. So a torrent takes bytes from its swarm and from IPFS at once, and blames each for its own.
 *
 * What comes is hashed twice: as a block of IPFS, and as a piece of the torrent, so that a torrent that names somebody
 * else's CID costs what a wrong web seed costs. Answers are at most as long as a seed's request, and are gathered: a
 * part that nobody has shortens the answer, and where nothing is left it is 504, upon which the seed leaves that part
 * to the swarm. Nothing is asked of IPFS that this node does not take part in.
 */
import type { BlockReader } from '@tequio/ipfs';
import {
  type HttpClient,
  type HttpExchange,
  type HttpHandler,
  type HttpRequest,
  NodeError,
  type Ports,
  tryParseAddress,
} from '@tequio/kernel';
import type { NodeIpfs } from '../ipfs/node-ipfs.ts';

type Ipfs = Pick<NodeIpfs, 'open' | 'read'>;

/** Whoever has a part has answered by then, or others are asked. */
const patienceMs = 20_000;
const answerBytesMax = 8 << 20;
const self = tryParseAddress('127.0.0.1')!;

/** Hands on what is no address of IPFS. */
export class IpfsWebSeeds implements HttpClient {
  readonly #ports: Pick<Ports, 'http'>;
  #ipfs: Ipfs | null = null;

  /** @param ports asked for their client when it is needed */
  constructor(ports: Pick<Ports, 'http'>) {
    this.#ports = ports;
  }

  /** From now on there are answers. */
  use(ipfs: Ipfs): void {
    this.#ipfs = ipfs;
  }

  open(request: HttpRequest, handler: HttpHandler): HttpExchange {
    return /^ipfs:/i.test(request.url)
      ? new IpfsExchange(request, handler, this.#ipfs)
      : this.#ports.http.open(request, handler);
  }

  endIdle(): void {
    this.#ports.http.endIdle?.();
  }
}

type Answer = { readonly status: number; readonly range: string; readonly bytes: Uint8Array };

class IpfsExchange implements HttpExchange {
  readonly #end = new AbortController();
  #isPaused = false;
  /** What to do when nobody holds it back any more. */
  #waiting: (() => void) | null = null;

  constructor(request: HttpRequest, handler: HttpHandler, ipfs: Ipfs | null) {
    void this.#answer(request, ipfs).then(
      ({ status, range, bytes }) => {
        this.#when(() => {
          handler.onHead({ status, headers: { 'content-range': range }, remote: self });
          this.#when(() => {
            if (bytes.length > 0) handler.onBytes(bytes);
            if (!this.#end.signal.aborted) handler.onEnd(null);
          });
        });
      },
      (error: unknown) => {
        const { code, message } = error as Error & { readonly code?: string };
        if (!this.#end.signal.aborted) handler.onEnd({ code: code ?? 'IPFS_FAILED', message });
      },
    );
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (!this.#end.signal.aborted) waiting?.();
  }

  abort(): void {
    this.#end.abort();
  }

  #when(work: () => void): void {
    if (this.#end.signal.aborted) return;
    if (this.#isPaused) this.#waiting = work;
    else work();
  }

  async #answer(request: HttpRequest, ipfs: Ipfs | null): Promise<Answer> {
    if (ipfs === null) return nothing(503);
    const open = await ipfs.open();
    const reading = ipfs.read(open);
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), Math.min(patienceMs, request.timeoutMs));
    try {
      const signal = AbortSignal.any([this.#end.signal, patience.signal]);
      return await read(request, reading.reader, signal);
    } finally {
      clearTimeout(timer);
      reading.close();
    }
  }
}

async function read(request: HttpRequest, reader: BlockReader, signal: AbortSignal): Promise<Answer> {
  const { exportFile, getUnixfsNode, parseIpfsPath, resolvePath } = await import('@tequio/ipfs');
  const path = parseIpfsPath(pathOf(request.url));
  const range = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(request.headers?.['range'] ?? '');
  if (!path.ok || range === null) return nothing(404);
  const [from, to] = [Number(range[1]), Number(range[2]) + 1];
  let bytes: number;
  let file: Parameters<typeof exportFile>[1];
  try {
    file = (await resolvePath(reader, path.value, 'unixfs', signal)).cid;
    const node = await getUnixfsNode(reader, file, signal);
    if ((node.kind !== 'file' && node.kind !== 'raw') || node.fileBytes === null) return nothing(404);
    bytes = node.fileBytes;
  } catch (error) {
    return nothing(isMissing(error) || signal.aborted ? 503 : 404);
  }
  const found = new Uint8Array(Math.max(0, Math.min(to, bytes, from + answerBytesMax) - from));
  let at = 0;
  try {
    for await (const part of exportFile(reader, file, { from, to: from + found.length, signal })) {
      found.set(part, at);
      at += part.length;
    }
  } catch (error) {
    if (!isMissing(error) && !signal.aborted) return nothing(404);
  }
  if (at === 0) return nothing(504);
  return { status: 206, range: `bytes ${from}-${from + at - 1}/${bytes}`, bytes: found.subarray(0, at) };
}

function nothing(status: number): Answer {
  return { status, range: '', bytes: new Uint8Array(0) };
}

/** It may be had another time, or elsewhere. */
function isMissing(error: unknown): boolean {
  const codes = ['IPFS_BLOCK_MISSING', 'IPFS_BLOCK_CORRUPT', 'IPFS_FILE_GONE'];
  return error instanceof NodeError && codes.includes(error.code);
}

function pathOf(url: string): string {
  const rest = url.replace(/^ipfs:\/\//i, '').replace(/[?#].*$/, '');
  try {
    return `/ipfs/${rest.split('/').map(decodeURIComponent).join('/')}`;
  } catch {
    return '';
  }
}
