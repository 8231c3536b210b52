/** A small site in memory behind a gateway, asked without a server. */
import * as dagCbor from '@ipld/dag-cbor';
import { encodeUtf8, Prng, silentLog } from '@tequio/kernel';
import { createHashes } from '@tequio/runtime';
import { VirtualClock } from '@tequio/simulator';
import type { CID } from 'multiformats/cid';
import { BlockMaker, type DagRoot } from '../core/block-maker.ts';
import type { DenyList } from '../core/deny-list.ts';
import { makeFolder } from '../core/folder.ts';
import { profiles } from '../core/profile.ts';
import { codecs, makeCid } from '../wire/cid.ts';
import type { Block, BlockReader } from './blocks.ts';
import { defaultGatewayOptions, Gateway } from './gateway.ts';
import type { HotAnswers } from './hot-answers.ts';
import { MemoryBlocks } from './memory-blocks.ts';
import { NameResolver } from './name-resolver.ts';
import { importBytes } from './unixfs-import.ts';

export type GatewayReply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  readonly text: string;
};

export type GatewaySite = {
  readonly root: CID;
  /** Of hello.txt. */
  readonly file: CID;
  /** A block of dag-cbor. */
  readonly data: CID;
  readonly large: Uint8Array;
  /** How many blocks were read until now. */
  reads(): number;
  get(target: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<GatewayReply>;
};

export type GatewaySiteOptions = {
  readonly denyList?: () => DenyList;
  readonly hot?: HotAnswers;
  /** Default: any. */
  readonly dnslinkDomains?: readonly string[];
  /** Told of each domain that is looked up. */
  readonly onDnslink?: (domain: string) => void;
};

export async function gatewayFixture(options: GatewaySiteOptions = {}): Promise<GatewaySite> {
  const blocks = new MemoryBlocks();
  const hashes = createHashes();
  const profile = { ...profiles['unixfs-v1-2025'], chunker: profiles['unixfs-v0-2015'].chunker };
  const add = (content: Uint8Array | string): Promise<DagRoot> =>
    importBytes({ hashes, blocks }, profile, typeof content === 'string' ? encodeUtf8(content) : content);
  const folder = async (entries: Readonly<Record<string, DagRoot>>): Promise<DagRoot> => {
    const made: Block[] = [];
    const maker = new BlockMaker(hashes, 1, (block) => void made.push(block));
    const list = Object.entries(entries).map(([name, { cid, dagBytes }]) => ({ name, cid, dagBytes }));
    const root = makeFolder(maker, profile.directory, list);
    if (!root.ok) throw new Error(root.fault.message);
    await blocks.put(made);
    return root.value;
  };
  const large = new Prng(5).bytes(1_200_000);
  const hello = await add('hello gateway\n');
  const root = await folder({
    'hello.txt': hello,
    'index.html': await add('<h1>site</h1>'),
    'large.bin': await add(large),
    '404.html': await add('<h1>not here</h1>'),
    _redirects: await add('/old/* /new/:splat 301\n/* /404.html 404\n'),
    evil: await folder({ '<script>alert(1)</script>': hello, 'a"onmouseover="x': hello }),
  });
  const dataBytes = dagCbor.encode({ a: 1, b: { c: 'x' } });
  const data = makeCid(codecs['dag-cbor'], 0x12, hashes.sha256(dataBytes));
  await blocks.put([{ cid: data, bytes: dataBytes }]);
  const links: Readonly<Record<string, string>> = {
    'docs.example.org': `/ipfs/${root.cid}`,
    'loop.example.org': '/ipns/loop.example.org',
  };
  let reads = 0;
  const counted: BlockReader = {
    has: (cid) => blocks.has(cid),
    get: (cid) => {
      reads++;
      return blocks.get(cid);
    },
  };
  const gateway = new Gateway(
    { ...defaultGatewayOptions, dnslinkDomains: options.dnslinkDomains ?? ['*'] },
    {
      blocks: counted,
      local: counted,
      names: new NameResolver({
        ipns: async () => null,
        dnslink: async (domain) => {
          options.onDnslink?.(domain);
          const path = links[domain];
          return path === undefined ? null : { path, ttlMs: 60_000 };
        },
      }),
      clock: new VirtualClock(),
      log: silentLog,
      denyList: () => options.denyList?.() ?? null,
      ...(options.hot === undefined ? {} : { hot: options.hot }),
    },
  );
  return {
    root: root.cid,
    file: hello.cid,
    data,
    large,
    reads: () => reads,
    get: async (target, headers = {}, method = 'GET') => {
      const answer = await gateway.handle({
        method,
        target,
        headers: { host: '127.0.0.1:8080', ...headers },
        signal: new AbortController().signal,
      });
      const bytes = await readBody(answer.body);
      const text = new TextDecoder().decode(bytes);
      return { status: answer.status, headers: answer.headers as Record<string, string>, bytes, text };
    },
  };
}

async function readBody(
  body: Uint8Array | string | AsyncIterable<Uint8Array | string> | null,
): Promise<Uint8Array> {
  if (body === null) return new Uint8Array(0);
  if (typeof body === 'string') return encodeUtf8(body);
  if (body instanceof Uint8Array) return body;
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(typeof part === 'string' ? encodeUtf8(part) : part);
  return new Uint8Array(Buffer.concat(parts));
}
