/**
 * Which country an address was given to, looked up in a list of the registries that comes with the program: nobody is
 * asked, and so nobody learns whom this node knows. The list (8 MB) is read when somebody looks at peers, and let go
 * of when nobody has for a while.
 */
import { type Clock, type FilesPort, type Log, tryParseAddress } from '@tequio/kernel';

export type CountriesDeps = {
  /** In the MaxMind DB format; null, or not there: no country is known. */
  readonly path: string | null;
  readonly files: Pick<FilesPort, 'readFile'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
};

type Lookup = (address: string) => string | null;

const fileBytesMax = 64 << 20;
/** Without a question. */
const keptMs = 5 * 60_000;

export class Countries {
  readonly #deps: CountriesDeps;
  #lookup: Promise<Lookup> | null = null;
  #askedMs = 0;

  constructor(deps: CountriesDeps) {
    this.#deps = deps;
  }

  /** @param endpoint `ADDRESS:PORT` of each, IPv6 in brackets */
  async of(endpoints: readonly string[]): Promise<(string | null)[]> {
    if (endpoints.length === 0) return [];
    this.#askedMs = this.#deps.clock.nowMs();
    this.#lookup ??= this.#open();
    const lookup = await this.#lookup;
    return endpoints.map((endpoint) => lookup(endpoint.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')));
  }

  /** Called now and then: lets the list go when nobody has asked for a while. */
  tick(): void {
    if (this.#deps.clock.nowMs() - this.#askedMs >= keptMs) this.#lookup = null;
  }

  async #open(): Promise<Lookup> {
    const { path, files, log } = this.#deps;
    if (path === null) return () => null;
    try {
      const [{ Reader }, bytes] = await Promise.all([import('mmdb-lib'), files.readFile(path, fileBytesMax)]);
      const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      return (address) => {
        if (tryParseAddress(address) === null) return null;
        const found = reader.get(address) as { readonly country_code?: unknown } | null;
        const code = found?.country_code;
        return typeof code === 'string' && /^[A-Z]{2}$/.test(code) && code !== 'ZZ' ? code : null;
      };
    } catch (error) {
      log.warn('countries.read', { path, message: String(error) });
      return () => null;
    }
  }
}
