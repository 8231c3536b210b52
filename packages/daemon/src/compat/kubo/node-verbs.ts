/** `id`, `resolve`, `bitswap/…`: this node, and what it gives and gets. */
import { encodePublicKey, tryDecodeCid, tryKeyInName, tryParseIpnsName } from '@tequio/ipfs';
import type { OverlayPort } from '@tequio/kernel';
import { value } from './kubo-answer.ts';
import type { KuboCall } from './kubo-call.ts';
import { overlayOf } from './kubo-overlay.ts';
import { cidWriter, resolve } from './kubo-path.ts';
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
  'bitswap/wantlist': {
    scope: 'read',
    run: (call, deps) => value({ Keys: wants(call, deps).map((cid) => ({ '/': cid })) }),
  },
  'bitswap/stat': { scope: 'read', run: (call, deps) => value(bitswapStat(call, deps)) },
  'stats/bitswap': { scope: 'read', run: (call, deps) => value(bitswapStat(call, deps)) },
  'bitswap/ledger': { scope: 'read', run: (call, deps) => value(ledger(call, deps)) },
};

async function identity(call: KuboCall, deps: KuboDeps): Promise<unknown> {
  const own = (await deps.keys.get('self')).peer;
  const asked = call.args[0];
  if (asked !== undefined && asked !== own) return identityOf(asked, overlayOf(deps));
  const overlay = deps.exchange?.overlay;
  return {
    ID: own,
    PublicKey: publicKeyOf(own),
    Addresses: (overlay?.addresses ?? []).map((address) => withPeer(address, own)).toSorted(),
    AgentVersion: `tequio/${deps.version}`,
    Protocols: (overlay?.protocols ?? []).toSorted(),
  };
}

async function identityOf(peer: string, overlay: OverlayPort): Promise<unknown> {
  await overlay.connect(peer, { timeoutMs: dialMs });
  const connections = overlay.peers.filter((known) => known.peer === peer);
  const [first] = connections;
  return {
    ID: peer,
    PublicKey: publicKeyOf(peer),
    Addresses: connections.map(({ address }) => withPeer(address, peer)).toSorted(),
    AgentVersion: first?.agent ?? '',
    Protocols: (first?.protocols ?? []).toSorted(),
  };
}

/** Of a peer whose id is its key; of others it is not known. */
function publicKeyOf(peer: string): string {
  const name = tryParseIpnsName(peer);
  const key = name === null ? null : tryKeyInName(name);
  return key === null ? '' : Buffer.from(encodePublicKey(key)).toString('base64');
}

export function withPeer(address: string, peer: string): string {
  return address.includes('/p2p/') ? address : `${address}/p2p/${peer}`;
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
