/** `name/…`: names of keys, published and looked up. */
import {
  defaultPublishOptions,
  ipnsPeerText,
  parseIpfsPath,
  readIpnsRecord,
  tryParseIpnsName,
} from '@tequio/ipfs';
import { encodeUtf8, NodeError } from '@tequio/kernel';
import { verifyForeignSignature } from '@tequio/runtime';
import { once } from './block-verbs.ts';
import { ipnsWriter } from './key-verbs.ts';
import { bytes, nothing, value, values } from './kubo-answer.ts';
import { durationMs, type KuboCall, KuboUsageError } from './kubo-call.ts';
import { resolve } from './kubo-path.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

const recordBytesMax = 10 << 10;

export const nameVerbs: KuboVerbs = {
  'name/publish': { scope: 'write', run: async (call, deps) => value(await publish(call, deps)) },
  'name/resolve': { scope: 'read', run: (call, deps) => values(lookUp(call, deps)) },
  'name/get': {
    scope: 'read',
    run: async (call, deps) => {
      const record = await deps.ipns.ipns(nameOf(call), call.signal);
      if (record === null) throw new KuboUsageError('routing: not found');
      return bytes(once(record.bytes));
    },
  },
  'name/inspect': { scope: 'read', run: async (call, deps) => value(await inspect(call, deps)) },
  'name/put': {
    scope: 'write',
    run: async (call, { exchange }) => {
      const name = nameOf(call);
      const record = await call.contentBytes('record', recordBytesMax);
      if (exchange === null) throw new KuboUsageError('this action must be run in online mode');
      await exchange.overlay.putValue(routingKeyOf(name), record, call.signal);
      return nothing;
    },
  },
  'name/pubsub/state': {
    scope: 'read',
    run: (_, { exchange }) => value({ Enabled: exchange !== null }),
  },
  'name/pubsub/subs': {
    scope: 'read',
    run: (call, { ipns }) => {
      const write = call.isGiven('ipns-base') ? ipnsWriter(call) : ipnsPeerText;
      return value({ Strings: ipns.followed.map((name) => `/ipns/${write(name)}`) });
    },
  },
  'name/pubsub/cancel': {
    scope: 'write',
    run: (call, { ipns }) => value({ Canceled: ipns.unfollow(nameOf(call)) }),
  },
};

export function routingKeyOf(name: Uint8Array): Uint8Array {
  return Buffer.concat([encodeUtf8('/ipns/'), name]);
}

function nameOf(call: KuboCall): Uint8Array {
  const text = call.arg(0, 'name');
  const name = tryParseIpnsName(text);
  if (name === null) throw new KuboUsageError(`not a valid IPNS name: "${text}"`);
  return name;
}

async function publish(call: KuboCall, deps: KuboDeps): Promise<unknown> {
  const path = pathText(call.arg(0, 'ipfs-path'));
  const lifetimeMs = durationOf(call, 'lifetime', defaultPublishOptions.lifetimeMs);
  const ttlMs = Math.min(durationOf(call, 'ttl', defaultPublishOptions.ttlMs), lifetimeMs);
  if (lifetimeMs <= 0) throw new KuboUsageError('lifetime must be greater than zero');
  const sequence = call.count('sequence');
  const key = await deps.keys.get(call.text('key', 'self'));
  if (call.flag('resolve', true)) await resolve(deps, path, call.signal);
  await deps.ipns.publish(key, path, {
    ...defaultPublishOptions,
    lifetimeMs,
    ttlMs,
    viaPubsub: deps.exchange !== null && deps.node.settings().ipfs.namesByPubsub,
    allowOffline: call.flag('allow-offline') || call.flag('allow-delegated'),
    ...(sequence === null ? null : { sequence: BigInt(sequence) }),
  });
  return { Name: ipnsWriter(call)(key.ipns), Value: path };
}

/** `/ipfs/CID/…` or `/ipns/NAME/…`; a CID alone is the first. @throws KuboUsageError */
function pathText(text: string): string {
  if (/^\/ipns\/[^/]/.test(text)) return text;
  const path = parseIpfsPath(text);
  if (!path.ok) throw new KuboUsageError(`invalid path "${text}": ${path.fault.message}`);
  return text.startsWith('/ipfs/') ? text : `/ipfs/${text.replace(/^ipfs:\/\//, '')}`;
}

function durationOf(call: KuboCall, name: string, otherwise: number): number {
  const text = call.text(name);
  return text === null ? otherwise : durationMs(text, name);
}

async function* lookUp(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const text = call.args[0] ?? (await deps.keys.get('self')).peer;
  const [name = '', ...segments] = text.replace(/^(?:\/ipns\/|ipns:\/\/)/, '').split('/');
  const below = segments.filter((segment) => segment !== '');
  if (!call.flag('recursive', true)) return yield { Path: await lookUpOnce(name, below, call, deps) };
  const found = await deps.names.resolve('ipns', name, below, call.signal);
  yield { Path: ['/ipfs', found.root.toString(), ...found.segments].join('/') };
}

async function lookUpOnce(
  name: string,
  below: readonly string[],
  call: KuboCall,
  { names }: KuboDeps,
): Promise<string> {
  const key = tryParseIpnsName(name);
  const path =
    key === null
      ? (await names.source.dnslink(name, call.signal))?.path
      : (await names.source.ipns(key, call.signal))?.value;
  if (path === undefined)
    throw new NodeError('IPFS_NAME', `The name "${name}" leads nowhere.`, { op: 'resolve' });
  return [path.replace(/\/$/, ''), ...below].join('/');
}

/** What stands in a record, and, with the option `verify`, whether it is of that name. */
async function inspect(call: KuboCall, { hashes }: KuboDeps): Promise<unknown> {
  const record = await call.contentBytes('record', recordBytesMax);
  const text = call.text('verify');
  if (text === null)
    throw new KuboUsageError('option "verify" is needed here: the name that the record is said to be of');
  const name = tryParseIpnsName(text);
  if (name === null) throw new KuboUsageError(`not a valid IPNS name: "${text}"`);
  const read = readIpnsRecord(name, record, {
    hashes,
    verify: ({ type, data }, message, signature) => verifyForeignSignature(type, data, message, signature),
  });
  if (!read.ok)
    return {
      Entry: null,
      Validation: { Valid: false, Reason: read.fault.message, Name: ipnsPeerText(name) },
    };
  const { value: path, sequence, validUntilMs, ttlMs } = read.value;
  return {
    Entry: {
      Value: path,
      ValidityType: 0,
      Validity: new Date(validUntilMs).toISOString(),
      Sequence: Number(sequence),
      TTL: ttlMs * 1_000_000,
    },
    Validation: { Valid: true, Name: ipnsPeerText(name) },
  };
}
