/** One call of kubo's RPC: `POST /api/v0/VERB?arg=…&option=…`, as a verb reads it. */
import { NodeError } from '@tequio/kernel';
import type { RouteRequest } from '../../http/compat-route.ts';
import { boundaryOf, type MultipartPart, readMultipart } from './multipart.ts';

/** What the client can do something about: its words are shown, with status 400. */
export class KuboUsageError extends Error {}

export class KuboCall {
  readonly #request: RouteRequest;

  constructor(request: RouteRequest) {
    this.#request = request;
  }

  get signal(): AbortSignal {
    const timeout = this.#text('timeout');
    const { signal } = this.#request;
    return timeout === null
      ? signal
      : AbortSignal.any([signal, AbortSignal.timeout(durationMs(timeout, 'timeout'))]);
  }

  get args(): readonly string[] {
    return this.#request.query.getAll('arg').filter((arg) => arg !== '');
  }

  /** Somebody has meant to say something. */
  get hasEmptyArg(): boolean {
    return this.#request.query.getAll('arg').includes('');
  }

  /** @throws KuboUsageError when it is missing */
  arg(index: number, name: string): string {
    const arg = this.args[index];
    if (arg === undefined) throw new KuboUsageError(`argument "${name}" is required`);
    return arg;
  }

  /** @throws KuboUsageError when it is neither true nor false */
  flag(name: string, otherwise = false): boolean {
    const text = this.#text(name);
    if (text === null) return otherwise;
    if (text === '' || text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
    throw new KuboUsageError(`option "${name}" is true or false, not "${text}"`);
  }

  isGiven(name: string): boolean {
    return this.#text(name) !== null;
  }

  text(name: string): string | null;
  text(name: string, otherwise: string): string;
  text(name: string, otherwise: string | null = null): string | null {
    return this.#text(name) ?? otherwise;
  }

  /** @throws KuboUsageError when it is no whole number from 0 */
  count(name: string): number | null {
    const text = this.#text(name);
    if (text === null) return null;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw new KuboUsageError(`option "${name}" is a number, not "${text}"`);
    return value;
  }

  /** The files of the body. @throws NodeError `HTTP_MULTIPART`, also from the iterator */
  parts(): AsyncIterable<MultipartPart> {
    return readMultipart(
      this.#request.readBodyParts(),
      boundaryOf(this.#request.headers['content-type'] ?? ''),
    );
  }

  /** The one file of the body. @throws KuboUsageError when there is none; NodeError `HTTP_MULTIPART` */
  async *content(name: string): AsyncGenerator<Uint8Array> {
    for await (const part of this.parts()) return yield* part.body;
    throw new KuboUsageError(`file argument "${name}" is required`);
  }

  /** The same in memory. @throws NodeError `HTTP_BODY_LONG` */
  async contentBytes(name: string, bytesMax: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of this.content(name)) {
      bytes += piece.length;
      if (bytes > bytesMax)
        throw new NodeError('HTTP_BODY_LONG', `"${name}" may have ${bytesMax} bytes.`, { op: 'read' });
      pieces.push(piece.slice());
    }
    return Buffer.concat(pieces);
  }

  /** Clients write some names in two ways: `raw-leaves`, `rawLeaves`. */
  #text(name: string): string | null {
    const { query } = this.#request;
    return query.get(name) ?? query.get(name.replaceAll(/-([a-z])/g, (_, letter) => letter.toUpperCase()));
  }
}

/** As Go writes it: `1h30m`, `1.5s`, `300ms`. @throws KuboUsageError */
export function durationMs(text: string, name: string): number {
  const units: Readonly<Record<string, number>> = {
    ns: 1e-6,
    us: 1e-3,
    µs: 1e-3,
    ms: 1,
    s: 1000,
    m: 60_000,
    h: 3_600_000,
    d: 86_400_000,
  };
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/.test(text))
    throw new KuboUsageError(`invalid duration "${text}": option "${name}" is a time such as 30s`);
  let sumMs = 0;
  for (const [, value, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g))
    sumMs += Number(value) * units[unit!]!;
  return Math.min(Math.max(1, Math.ceil(sumMs)), 2 ** 31 - 1);
}
