/** `swarm/…`: whom this node is connected to, and where it is reached. */
import { value } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { overlayOf } from './kubo-overlay.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';
import { withPeer } from './node-verbs.ts';

const dialMs = 30_000;

export const swarmVerbs: KuboVerbs = {
  'swarm/peers': { scope: 'read', run: (call, deps) => value(peers(call, deps)) },
  'swarm/connect': { scope: 'write', run: async (call, deps) => value(await connect(call, deps)) },
  'swarm/disconnect': { scope: 'write', run: async (call, deps) => value(await disconnect(call, deps)) },
  'swarm/addrs': { scope: 'read', run: (_, deps) => value({ Addrs: knownAddresses(deps) }) },
  'swarm/addrs/local': {
    scope: 'read',
    run: (call, deps) => {
      const { addresses, peer } = overlayOf(deps);
      const withId = call.flag('id');
      const bare = addresses.map((address) => address.replace(/\/p2p\/[^/]+$/, ''));
      return value({ Strings: withId ? bare.map((address) => withPeer(address, peer)) : bare });
    },
  },
  'swarm/addrs/listen': { scope: 'read', run: (_, deps) => value({ Strings: overlayOf(deps).addresses }) },
  'swarm/filters': { scope: 'read', run: () => value({ Strings: [] }) },
  'swarm/filters/add': { scope: 'admin', run: () => filterSentence() },
  'swarm/filters/rm': { scope: 'admin', run: () => filterSentence() },
  'swarm/resources': {
    scope: 'read',
    run: async (_, deps) => {
      const { peers: connected } = overlayOf(deps);
      const most = await deps.config.get('Swarm.ConnMgr.HighWater');
      return value({ System: { Conns: most, ConnsUsed: connected.length } });
    },
  },
  'swarm/peering/ls': { scope: 'read', run: () => value({ Peers: [] }) },
  'swarm/peering/add': { scope: 'admin', run: () => peeringSentence() },
  'swarm/peering/rm': { scope: 'admin', run: () => peeringSentence() },
};

/** With the options of kubo's, and as there what is not asked for stays away. */
function peers(call: KuboCall, deps: KuboDeps): unknown {
  const isAsked = (option: string): boolean => call.flag('verbose') || call.flag(option);
  const [withDirection, withLatency] = [isAsked('direction'), isAsked('latency')];
  const [withStreams, withIdentify] = [isAsked('streams'), isAsked('identify')];
  const found = overlayOf(deps).peers.map(({ peer, address, direction, latencyMs, agent, protocols }) => ({
    Addr: address.replace(/\/p2p\/[^/]+$/, ''),
    Peer: peer,
    ...(withDirection ? { Direction: direction === 'in' ? 1 : 2 } : {}),
    ...(withLatency ? { Latency: latencyMs === null ? 'n/a' : `${latencyMs}ms` } : {}),
    ...(withStreams ? { Streams: protocols.map((protocol) => ({ Protocol: protocol })) } : {}),
    ...(withIdentify ? { Identify: { ID: peer, AgentVersion: agent ?? '', Protocols: protocols } } : {}),
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

function knownAddresses(deps: KuboDeps): Readonly<Record<string, readonly string[]>> {
  const known: Record<string, string[]> = {};
  for (const { peer, address } of overlayOf(deps).peers)
    (known[peer] ??= []).push(address.replace(/\/p2p\/[^/]+$/, ''));
  return known;
}

function filterSentence(): never {
  throw new KuboUsageError('addresses are filtered for all networks together: the settings addressFilter.*');
}

function peeringSentence(): never {
  throw new KuboUsageError('peers that are dialled at every start are in the setting overlay.bootstrap');
}
