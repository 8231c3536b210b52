/** `routing/…`, `dht/…`, `provide/…`: who has what, and where it is said. */
import { tryParseIpnsName } from '@tequio/ipfs';
import { noValues, values } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { overlayOf, peerOf } from './kubo-overlay.ts';
import { readCid, resolveCid } from './kubo-path.ts';
import type { KuboDeps, KuboVerb, KuboVerbs } from './kubo-verb.ts';
import { routingKeyOf } from './name-verbs.ts';

const recordBytesMax = 10 << 10;

const findProvidersVerb: KuboVerb = { scope: 'read', run: (call, deps) => values(findProviders(call, deps)) };
const findPeerVerb: KuboVerb = { scope: 'read', run: (call, deps) => values(findPeer(call, deps)) };
const getVerb: KuboVerb = { scope: 'read', run: (call, deps) => values(get(call, deps)) };
const putVerb: KuboVerb = { scope: 'write', run: (call, deps) => values(put(call, deps)) };
/** As kubo, it says nothing when all is well. */
const provideVerb: KuboVerb = {
  scope: 'write',
  run: async (call, deps) => {
    await provide(call, deps);
    return noValues();
  },
};

export const routingVerbs: KuboVerbs = {
  'routing/findprovs': findProvidersVerb,
  'routing/findpeer': findPeerVerb,
  'routing/get': getVerb,
  'routing/put': putVerb,
  'routing/provide': provideVerb,
  // As they were called before.
  'dht/findprovs': findProvidersVerb,
  'dht/findpeer': findPeerVerb,
  'dht/get': getVerb,
  'dht/put': putVerb,
  'dht/provide': provideVerb,
  'dht/query': { scope: 'read', run: (call, deps) => values(query(call, deps)) },
  'provide/once': provideVerb,
};

/** Kubo's numbers of what happens in a query. */
const queryEvent = { peerResponse: 1, finalPeer: 2, queryError: 3, provider: 4, value: 5 } as const;

function eventOf(type: number, responses: readonly unknown[], { id = '', extra = '' } = {}): unknown {
  return { ID: id, Type: type, Responses: responses, Extra: extra };
}

async function* findProviders(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const overlay = overlayOf(deps);
  const [cid, most] = [readCid(call.arg(0, 'key')), call.count('num-providers') ?? 20];
  if (most < 1) throw new KuboUsageError('number of providers must be greater than 0');
  const found: unknown[] = [];
  const end = new AbortController();
  if (await deps.repository.blocks.has(cid))
    found.push(eventOf(queryEvent.provider, [{ ID: overlay.peer, Addrs: overlay.addresses }]));
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
  const peer = peerOf(call.arg(0, 'peerID'));
  const found = await overlayOf(deps).findPeer(peer, call.signal);
  if (found === null) return yield eventOf(queryEvent.queryError, [], { extra: 'routing: not found' });
  yield eventOf(queryEvent.finalPeer, [{ ID: found.peer, Addrs: found.addresses }], { id: found.peer });
}

async function provide(call: KuboCall, deps: KuboDeps): Promise<void> {
  const overlay = overlayOf(deps);
  call.arg(0, 'key');
  if (overlay.peers.length === 0) throw new KuboUsageError('cannot provide, no connected peers');
  for (const path of call.args) {
    const cid = await resolveCid({ ...deps, reader: deps.repository.blocks }, path, call.signal);
    if (!(await deps.repository.blocks.has(cid)))
      throw new KuboUsageError(`block ${cid} not found locally, cannot provide`);
    if (deps.exchange?.denies(cid) === true)
      throw new KuboUsageError(`block ${cid} is on a list of denied content, cannot provide`);
    await overlay.provide(cid.multihash.bytes, call.signal);
  }
}

/** Only names of keys have records that anybody may read. @throws KuboUsageError */
function recordKeyOf(call: KuboCall): Uint8Array {
  const text = call.arg(0, 'key');
  const name = text.startsWith('/ipns/') ? tryParseIpnsName(text) : null;
  if (name === null) throw new KuboUsageError('key is expected to be /ipns/ and the name of a key');
  return routingKeyOf(name);
}

async function* get(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const overlay = overlayOf(deps);
  const key = recordKeyOf(call);
  const record = (await overlay.getValue(key, call.signal)) ?? (await ownRecord(call, deps));
  if (record === null) throw new KuboUsageError('routing: not found');
  yield eventOf(queryEvent.value, [], { extra: Buffer.from(record).toString('base64') });
}

/** What this node knows itself, also where nobody else is there to ask. */
async function ownRecord(call: KuboCall, { ipns }: KuboDeps): Promise<Uint8Array | null> {
  return (await ipns.ipns(tryParseIpnsName(call.arg(0, 'key'))!, call.signal))?.bytes ?? null;
}

async function* put(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const overlay = overlayOf(deps);
  const key = recordKeyOf(call);
  const count = await overlay.putValue(
    key,
    await call.contentBytes('value-file', recordBytesMax),
    call.signal,
  );
  if (count === 0 && !call.flag('allow-offline'))
    throw new KuboUsageError('no peer took the record: connect to others first, or use allow-offline');
  yield eventOf(queryEvent.value, [], { id: overlay.peer });
}

/** Each answer with the peers that it names, then those that were nearest. */
async function* query(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const overlay = overlayOf(deps);
  const name = tryParseIpnsName(peerOf(call.arg(0, 'peerID')));
  if (name === null) throw new KuboUsageError('invalid peer ID');
  const answers: { from: string; closer: readonly { peer: string; addresses: readonly string[] }[] }[] = [];
  await overlay.closest(name, (from, closer) => void answers.push({ from, closer }), call.signal);
  if (answers.length === 0)
    return yield eventOf(queryEvent.queryError, [], { extra: 'failed to find any peer in table' });
  for (const { from, closer } of answers)
    yield eventOf(
      queryEvent.peerResponse,
      closer.map(({ peer, addresses }) => ({ ID: peer, Addrs: addresses })),
      { id: from },
    );
  for (const { from } of answers.slice(0, 20)) yield eventOf(queryEvent.finalPeer, [], { id: from });
}
