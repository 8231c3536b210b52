/** The repository of a running node, for a command line that would else open it itself. */
import type {
  CidText,
  IpfsAddOptions,
  IpfsApi,
  IpfsEntry,
  IpfsPin,
  IpfsPinCheck,
  IpfsPinMode,
  IpfsRepoStat,
  IpfsSealed,
  IpfsVerifyProgress,
} from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import { callKubo, jsonLines, type KuboReply } from './kubo-calls.ts';

export type NodeAddress = { readonly url: string; readonly token: string };

type Query = readonly (readonly [string, string])[];

/** See {@link IpfsApi}; over kubo's RPC. Paths of files are on the node's machine. */
export class RemoteIpfsRepository implements IpfsApi {
  readonly #at: NodeAddress;
  readonly #signal: AbortSignal;

  constructor(at: NodeAddress, signal: AbortSignal) {
    this.#at = at;
    this.#signal = signal;
  }

  async add(path: string, { onAdded, ...options }: IpfsAddOptions = {}): Promise<CidText> {
    const query: [string, string][] = Object.entries(options).map(([name, value]) => [name, String(value)]);
    const lines = this.#lines<{ Root?: string; Name: string; Hash: string; Size: string }>('add/path', [
      ['arg', path],
      ...query,
    ]);
    for await (const { Root, Name, Hash, Size } of lines) {
      if (Root !== undefined) return Root;
      onAdded?.({ path: Name, cid: Hash, bytes: Number(Size) });
    }
    throw new NodeError('IPFS_CALL', 'The node has ended before all of it was added.', { op: 'add' });
  }

  async *cat(
    path: string,
    { from = 0, to }: { readonly from?: number; readonly to?: number } = {},
  ): AsyncIterable<Uint8Array> {
    const length: Query = to === undefined ? [] : [['length', String(to - from)]];
    yield* (await this.#call('cat', [['arg', path], ['offset', String(from)], ...length])).body;
  }

  async *list(path: string): AsyncIterable<IpfsEntry> {
    type Link = {
      readonly Name: string;
      readonly Hash: string;
      readonly Size: number;
      readonly Type: number;
    };
    type Listed = { readonly Objects: readonly { readonly Links: readonly Link[] }[] };
    for await (const { Objects } of this.#lines<Listed>('ls', [['arg', path]]))
      for (const { Links } of Objects)
        for (const { Name, Hash, Size, Type } of Links) {
          const kind = Type === 1 || Type === 5 ? 'folder' : Type === 4 ? 'link' : 'file';
          yield { name: Name, cid: Hash, kind, bytes: kind === 'file' ? Size : 0 };
        }
  }

  async seal(path: string): Promise<string> {
    return (await this.#one<{ readonly Link: string }>('sealed/add', [['arg', path]])).Link;
  }

  /** The link is sent as content: addresses are written down on the way. */
  async openSealed(link: string): Promise<IpfsSealed> {
    const content = new TextEncoder().encode(link);
    const call = (verb: string, query: Query): ReturnType<typeof callKubo> =>
      callKubo(this.#at, { verb, query, content }, this.#signal);
    const stat = await firstLine<{ readonly Name: string; readonly Size: number }>(
      await call('sealed/stat', []),
      'sealed/stat',
    );
    return {
      name: stat.Name,
      bytes: stat.Size,
      content: async function* (from = 0, to = stat.Size) {
        const range: Query = [
          ['offset', String(from)],
          ['length', String(Math.max(0, to - from))],
        ];
        yield* (await call('sealed/cat', range)).body;
      },
    };
  }

  async pin(
    path: string,
    { mode, name }: { readonly mode?: 'recursive' | 'direct'; readonly name?: string } = {},
  ): Promise<CidText> {
    const named: Query = name === undefined ? [] : [['name', name]];
    return this.#onePin('pin/add', [['arg', path], ['recursive', String(mode !== 'direct')], ...named]);
  }

  async unpin(path: string, { mode }: { readonly mode?: 'recursive' | 'direct' } = {}): Promise<CidText> {
    return this.#onePin('pin/rm', [
      ['arg', path],
      ['recursive', String(mode !== 'direct')],
    ]);
  }

  async updatePin(from: string, to: string, { keepOld }: { readonly keepOld?: boolean } = {}): Promise<void> {
    await this.#onePin('pin/update', [
      ['arg', from],
      ['arg', to],
      ['unpin', String(keepOld !== true)],
    ]);
  }

  async *pins(mode: IpfsPinMode | 'all'): AsyncIterable<IpfsPin> {
    type Listed = { readonly Cid: string; readonly Type: IpfsPinMode; readonly Name?: string };
    const query: Query = [
      ['type', mode],
      ['names', 'true'],
      ['stream', 'true'],
    ];
    for await (const { Cid, Type, Name } of this.#lines<Listed>('pin/ls', query))
      yield { cid: Cid, mode: Type, name: Name ?? '' };
  }

  async *verifyPins(): AsyncIterable<IpfsPinCheck> {
    type Checked = { readonly Cid: string; readonly BadNodes?: readonly { readonly Cid: string }[] };
    for await (const { Cid, BadNodes } of this.#lines<Checked>('pin/verify', [['verbose', 'true']]))
      yield { cid: Cid, missing: (BadNodes ?? []).map((bad) => bad.Cid) };
  }

  async block(cid: CidText): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of (await this.#call('block/get', [['arg', cid]])).body) parts.push(part);
    return new Uint8Array(await new Blob(parts.map((part) => part.slice())).arrayBuffer());
  }

  async blockBytes(cid: CidText): Promise<number> {
    return (await this.#one<{ readonly Size: number }>('block/stat', [['arg', cid]])).Size;
  }

  async removeBlocks(
    cids: readonly CidText[],
    { force }: { readonly force?: boolean } = {},
  ): Promise<readonly CidText[]> {
    const query: Query = [
      ['force', String(force === true)],
      ...cids.map((cid): [string, string] => ['arg', cid]),
    ];
    const removed: CidText[] = [];
    type Removed = { readonly Hash: string; readonly Error?: string };
    for await (const { Hash, Error: why } of this.#lines<Removed>('block/rm', query)) {
      if (why?.startsWith('pinned') === true)
        throw new NodeError('IPFS_PINNED', `${Hash} is kept by a pin: remove that first.`, { op: 'remove' });
      if (why === undefined) removed.push(Hash);
    }
    return removed;
  }

  async repoStat(): Promise<IpfsRepoStat> {
    type Stat = Readonly<Record<'NumObjects' | 'RepoSize' | 'StorageMax', number> & { RepoPath: string }>;
    const { NumObjects, RepoSize, StorageMax, RepoPath } = await this.#one<Stat>('repo/stat', []);
    return {
      blockCount: NumObjects,
      blockBytes: RepoSize,
      diskBytes: RepoSize,
      quotaBytes: StorageMax >= Number.MAX_SAFE_INTEGER ? null : StorageMax,
      path: RepoPath,
    };
  }

  async *blocks(): AsyncIterable<CidText> {
    for await (const { Ref } of this.#lines<{ readonly Ref: string }>('refs/local', [])) yield Ref;
  }

  async collect(onRemoved?: (cid: CidText) => void): Promise<number> {
    const before = await this.repoStat();
    for await (const { Key } of this.#lines<{ readonly Key?: { readonly '/': string } }>('repo/gc', []))
      if (Key !== undefined) onRemoved?.(Key['/']);
    return Math.max(0, before.diskBytes - (await this.repoStat()).diskBytes);
  }

  async verify(onProgress?: (progress: IpfsVerifyProgress) => void): Promise<readonly CidText[]> {
    const corrupt: CidText[] = [];
    type Line = { readonly Msg: string; readonly Progress: number };
    for await (const { Msg, Progress } of this.#lines<Line>('repo/verify', [])) {
      const broken = /^block (\S+) was corrupt/.exec(Msg)?.[1];
      if (broken !== undefined) corrupt.push(broken);
      else onProgress?.({ checkedCount: Progress, totalCount: Progress, corruptCount: corrupt.length });
    }
    return corrupt;
  }

  async #onePin(verb: string, query: Query): Promise<CidText> {
    const { Pins } = await this.#one<{ readonly Pins: readonly string[] }>(verb, query);
    return Pins[0] ?? '';
  }

  async #one<Value>(verb: string, query: Query): Promise<Value> {
    return firstLine(await this.#call(verb, query), verb);
  }

  async *#lines<Value>(verb: string, query: Query): AsyncIterable<Value> {
    for await (const value of jsonLines((await this.#call(verb, query)).body)) yield value as Value;
  }

  #call(verb: string, query: Query): ReturnType<typeof callKubo> {
    return callKubo(this.#at, { verb, query }, this.#signal);
  }
}

async function firstLine<Value>({ body }: KuboReply, verb: string): Promise<Value> {
  for await (const value of jsonLines(body)) return value as Value;
  throw new NodeError('IPFS_CALL', 'The node has given no answer.', { op: verb });
}
