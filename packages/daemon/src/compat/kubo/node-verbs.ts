/** `id`, `swarm/…`, `bitswap/…`, `routing/…`: this node among others. */
import { tryDecodeCid } from '@tequio/ipfs';
import type { OverlayPort } from '@tequio/kernel';
import { value, values } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { cidWriter, readCid, resolve, resolveCid } from './kubo-path.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

const dialMs = 30_000;

export const nodeVerbs: KuboVerbs = {
  id: { scope: 'read', run: async (call, deps) => value(await identity(call, deps)) },
  resolve: {
    scope: 'read',
    run: async (call, deps) => {
      const { cid, remainder } = await resolve(deps, call.arg(0, 'name'), call.signal);
      return value({ Path: ['/ipfs', cidWriter(call)(cid), ...remainder].join('/') });
    },
  },
  'name/resolve': {
    scope: 'read',
    run: async (call, deps) => {
      const name = call.arg(0, 'name').replace(/^(?:\/ipns\/|ipns:\/\/)/, '');
      const { root, segments } = await deps.names.resolve('ipns', name, [], call.signal);
      return value({ Path: ['/ipfs', root.toString(), ...segments].join('/') });
    },
  },
  'swarm/peers': { scope: 'read', run: (call, deps) => value(peers(call, deps)) },
  'swarm/connect': { scope: 'write', run: async (call, deps) => value(await connect(call, deps)) },
  'swarm/disconnect': { scope: 'write', run: async (call, deps) => value(await disconnect(call, deps)) },
  'swarm/addrs/local': { scope: 'read', run: (_, deps) => value({ Strings: overlayOf(deps).addresses }) },
  'swarm/addrs/listen': { scope: 'read', run: (_, deps) => value({ Strings: overlayOf(deps).addresses }) },
  'bitswap/wantlist': {
    scope: 'read',
    run: (call, deps) => value({ Keys: wants(call, deps).map((cid) => ({ '/': cid })) }),
  },
  'bitswap/stat': { scope: 'read', run: (call, deps) => value(bitswapStat(call, deps)) },
  'bitswap/ledger': { scope: 'read', run: (call, deps) => value(ledger(call, deps)) },
  'routing/findprovs': { scope: 'read', run: (call, deps) => values(findProviders(call, deps)) },
  'routing/findpeer': { scope: 'read', run: (call, deps) => values(findPeer(call, deps)) },
  'routing/provide': { scope: 'write', run: (call, deps) => values(provide(call, deps)) },
};

/** @throws KuboUsageError while it takes no part in libp2p */
function overlayOf({ exchange }: KuboDeps): OverlayPort {
  if (exchange === null)
    throw new KuboUsageError(
      'this action must be run in online mode: set overlay.enabled, and start the node again',
    );
  return exchange.overlay;
}

async function identity(call: KuboCall, deps: KuboDeps): Promise<unknown> {
  const overlay = overlayOf(deps);
  const asked = call.args[0];
  if (asked !== undefined && asked !== overlay.peer) return identityOf(asked, overlay);
  return {
    ID: overlay.peer,
    PublicKey: '',
    Addresses: overlay.addresses.map((address) => withPeer(address, overlay.peer)),
    AgentVersion: `tequio/${deps.version}`,
    Protocols: ['/ipfs/bitswap/1.2.0', '/ipfs/bitswap/1.1.0', '/ipfs/bitswap/1.0.0', '/ipfs/id/1.0.0'],
  };
}

async function identityOf(peer: string, overlay: OverlayPort): Promise<unknown> {
  await overlay.connect(peer, { timeoutMs: dialMs });
  const connections = overlay.peers.filter((known) => known.peer === peer);
  const [first] = connections;
  return {
    ID: peer,
    PublicKey: '',
    Addresses: connections.map(({ address }) => withPeer(address, peer)),
    AgentVersion: first?.agent ?? '',
    Protocols: first?.protocols ?? [],
  };
}

function withPeer(address: string, peer: string): string {
  return address.includes('/p2p/') ? address : `${address}/p2p/${peer}`;
}

function peers(call: KuboCall, deps: KuboDeps): unknown {
  const [isVerbose, withLatency] = [call.flag('verbose'), call.flag('latency')];
  const found = overlayOf(deps).peers.map(({ peer, address, direction, latencyMs, agent }) => ({
    Addr: address.replace(/\/p2p\/[^/]+$/, ''),
    Peer: peer,
    Direction: direction === 'in' ? 1 : 2,
    ...((isVerbose || withLatency) && latencyMs !== null ? { Latency: `${latencyMs}ms` } : {}),
    ...(isVerbose && agent !== null ? { Identify: { AgentVersion: agent } } : {}),
  }));
  return { Peers: found };
}

async function connect(call: KuboCall, deps: KuboDeps): Promise<unknown> {
  const overlay = overlayOf(deps);
  call.arg(0, 'address');
  const lines: string[] = [];
  for (const address of call.args) {
    const to = address.replace(/^\/p2p\/([^/]+)$/, '$1');
    lines.push(`connect ${await overlay.connect(to, { timeoutMs: dialMs, signal: call.signal })} success`);
  }
  return { Strings: lines };
}

async function disconnect(call: KuboCall, deps: KuboDeps): Promise<unknown> {
  const overlay = overlayOf(deps);
  call.arg(0, 'address');
  const lines: string[] = [];
  for (const address of call.args) {
    const peer = address.split('/').at(-1)!;
    await overlay.disconnect(peer);
    lines.push(`disconnect ${peer} success`);
  }
  return { Strings: lines };
}

function wants(call: KuboCall, { exchange }: KuboDeps): readonly string[] {
  if (exchange === null) return [];
  const peer = call.text('peer');
  const write = cidWriter(call);
  const wanted = peer === null ? exchange.bitswap.wantlist : exchange.bitswap.wantlistOf(peer);
  return wanted.flatMap((bytes) => {
    const cid = tryDecodeCid(bytes);
    return cid === null ? [] : [write(cid)];
  });
}

function bitswapStat(call: KuboCall, deps: KuboDeps): unknown {
  const known = deps.exchange?.bitswap.peers ?? [];
  const sum = (of: (peer: (typeof known)[number]) => number): number =>
    known.reduce((all, peer) => all + of(peer), 0);
  const counts = deps.exchange?.bitswap.counts;
  return {
    Wantlist: wants(call, deps).map((cid) => ({ '/': cid })),
    Peers: known.map(({ peer }) => peer),
    BlocksReceived: sum((peer) => peer.receivedBlocks),
    DataReceived: sum((peer) => peer.receivedBytes),
    BlocksSent: sum((peer) => peer.sentBlocks),
    DataSent: sum((peer) => peer.sentBytes),
    DupBlksReceived: counts?.duplicateBlocks ?? 0,
    DupDataReceived: 0,
    MessagesReceived: 0,
    ProvideBufLen: 0,
  };
}

function ledger(call: KuboCall, deps: KuboDeps): unknown {
  const name = call.arg(0, 'peer');
  const peer = deps.exchange?.bitswap.peers.find((known) => known.peer === name);
  return {
    Peer: name,
    Value: peer?.debtRatio ?? 0,
    Sent: peer?.sentBytes ?? 0,
    Recv: peer?.receivedBytes ?? 0,
    Exchanged: peer?.exchanges ?? 0,
  };
}

/** Kubo's numbers of what happens in a query. */
const queryEvent = { finalPeer: 2, provider: 4, value: 5 } as const;

function eventOf(type: number, responses: readonly unknown[], id = ''): unknown {
  return { ID: id, Type: type, Responses: responses, Extra: '' };
}

async function* findProviders(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const overlay = overlayOf(deps);
  const [cid, most] = [readCid(call.arg(0, 'key')), call.count('num-providers') ?? 20];
  const found: unknown[] = [];
  const end = new AbortController();
  await overlay
    .find(
      cid.multihash.bytes,
      ({ peer, addresses }) => {
        if (found.length < most) found.push(eventOf(queryEvent.provider, [{ ID: peer, Addrs: addresses }]));
        if (found.length >= most) end.abort();
      },
      AbortSignal.any([call.signal, end.signal]),
    )
    .catch((error: unknown) => {
      if (found.length === 0) throw error;
    });
  yield* found;
}

async function* findPeer(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const peer = call.arg(0, 'peerID');
  const found = await overlayOf(deps).findPeer(peer, call.signal);
  if (found === null) throw new KuboUsageError(`routing: not found: ${peer}`);
  yield eventOf(queryEvent.finalPeer, [{ ID: found.peer, Addrs: found.addresses }], found.peer);
}

async function* provide(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const overlay = overlayOf(deps);
  call.arg(0, 'key');
  for (const path of call.args) {
    const cid = await resolveCid(deps, path, call.signal);
    if (!(await deps.repository.blocks.has(cid)))
      throw new KuboUsageError(`block ${cid} not found locally, cannot provide`);
    const count = await overlay.provide(cid.multihash.bytes, call.signal);
    yield eventOf(queryEvent.value, [], `${count} peers took the record of ${cid}`);
  }
}
