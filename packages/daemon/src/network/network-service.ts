/** With whom the node has nothing to do: bans, and a list of addresses that is read again from time to time. */
import { join } from 'node:path';
import type { AddressFilterReport, BittorrentApi, NatHandle, NetworkApi, Settings } from '@tequio/api';
import { type Clock, type FilesPort, NodeError } from '@tequio/kernel';
import type { AddressFilterFile } from '@tequio/network';
import { decodeFilterBytes, filterFileLimits, readAddressFilter } from '../address-filter-file.ts';
import { pause } from '../supervise/supervisor.ts';

export type NetworkDeps = {
  readonly engine: Pick<BittorrentApi, 'bans' | 'ban' | 'unban'>;
  /** Null: port mapping is off. */
  readonly nat: Pick<NatHandle, 'status'> | null;
  readonly clock: Clock;
  readonly files: FilesPort;
  readonly dataFolder: string;
  settings(): Settings['addressFilter'];
  fetch(url: string, bytesMax: number): Promise<Uint8Array>;
  /** In force from now on. */
  use(filter: AddressFilterFile | null): void;
};

const lookMs = 60_000;

export class NetworkService implements NetworkApi {
  readonly #deps: NetworkDeps;
  #filter: (AddressFilterFile & { readonly readAtMs: number }) | null = null;
  #source: string | null = null;

  constructor(deps: NetworkDeps) {
    this.#deps = deps;
  }

  async bans(): ReturnType<NetworkApi['bans']> {
    return this.#deps.engine.bans();
  }

  async ban(address: string, message: string): Promise<void> {
    this.#deps.engine.ban(address, message);
  }

  async unban(address: string): Promise<boolean> {
    return this.#deps.engine.unban(address);
  }

  async routers(): ReturnType<NetworkApi['routers']> {
    return this.#deps.nat?.status() ?? null;
  }

  async addressFilter(): ReturnType<NetworkApi['addressFilter']> {
    return this.#filter === null ? null : { ...reportOf(this.#filter), readAtMs: this.#filter.readAtMs };
  }

  async refreshAddressFilter(): Promise<AddressFilterReport> {
    const { source } = this.#deps.settings();
    if (source === null)
      throw new NodeError(
        'ADDRESS_FILTER',
        'There is no list: set addressFilter.source to a file or an address.',
      );
    const filter = isWeb(source)
      ? await this.#fetch(source)
      : await readAddressFilter(source, this.#deps.files);
    this.#use(source, filter);
    return reportOf(filter);
  }

  /**
   * Before anybody is dialled: the list as it was read the last time. A list that the user wants and that is not there
   * keeps the node from starting, for without it the node would do what it must not.
   */
  async begin(): Promise<void> {
    const { source } = this.#deps.settings();
    if (source === null) return;
    const path = isWeb(source) ? this.#keptPath() : source;
    const isThere = (await this.#deps.files.realPath(path)) !== null;
    if (isThere) this.#use(source, await readAddressFilter(path, this.#deps.files));
    else await this.refreshAddressFilter();
  }

  /** Fetches the list again when it is old, and takes over another one that the user has set. */
  async run(signal: AbortSignal): Promise<void> {
    do {
      const { source, refreshHours } = this.#deps.settings();
      if (source === null && this.#source !== null) this.#use(null, null);
      if (source === null) continue;
      const ageMs = this.#deps.clock.wallMs() - (this.#filter?.readAtMs ?? 0);
      const isOld = isWeb(source) && (ageMs < 0 || ageMs >= refreshHours * 3_600_000);
      if (source !== this.#source || isOld) await this.refreshAddressFilter();
    } while (await pause(lookMs, this.#deps.clock, signal));
  }

  async #fetch(url: string): Promise<AddressFilterFile> {
    const bytes = await this.#deps.fetch(url, filterFileLimits.packedBytesMax);
    const filter = decodeFilterBytes(bytes, url);
    await this.#deps.files.writeFile(this.#keptPath(), bytes, { secret: true });
    return filter;
  }

  #use(source: string | null, filter: AddressFilterFile | null): void {
    this.#source = source;
    this.#filter = filter === null ? null : { ...filter, readAtMs: this.#deps.clock.wallMs() };
    this.#deps.use(filter);
  }

  #keptPath(): string {
    return join(this.#deps.dataFolder, 'address-filter');
  }
}

function isWeb(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

function reportOf({ filter, badLineCount, badLines }: AddressFilterFile): AddressFilterReport {
  return { rangeCount: filter.rangeCount, badLineCount, badLines };
}
