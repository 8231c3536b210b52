/** `config/…` and `bootstrap/…`. */
import { settingsSchema } from '@tequio/api/settings';
import { tryDecodeUtf8 } from '@tequio/kernel';
import { nothing, value } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { configBytesMax, type Json, parseConfig } from './kubo-config.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

const addressesMax = 100;

export const configVerbs: KuboVerbs = {
  config: { scope: 'admin', run: async (call, deps) => value(await getOrSet(call, deps)) },
  'config/show': { scope: 'admin', run: async (_, { config }) => value(await config.document()) },
  'config/replace': {
    scope: 'admin',
    run: async (call, { config }) => {
      const text = tryDecodeUtf8(await call.contentBytes('file', configBytesMax));
      const document = text === null ? null : parseConfig(text);
      if (document === null) throw new KuboUsageError('failed to decode file as config');
      await config.replace(document);
      return nothing;
    },
  },
  'config/profile/apply': {
    scope: 'admin',
    run: async (call, { config }) => {
      const { before, after } = await config.applyProfile(call.arg(0, 'profile'), call.flag('dry-run'));
      return value({ OldCfg: before, NewCfg: after });
    },
  },
  'config/edit': {
    scope: 'admin',
    run: () => {
      throw new KuboUsageError(
        'an editor runs where you are: change values with `config`, or the file itself',
      );
    },
  },
  bootstrap: { scope: 'read', run: async (_, deps) => value({ Peers: await bootstrapOf(deps) }) },
  'bootstrap/list': { scope: 'read', run: async (_, deps) => value({ Peers: await bootstrapOf(deps) }) },
  'bootstrap/add': { scope: 'admin', run: (call, deps) => addBootstrap(call, deps) },
  'bootstrap/rm': { scope: 'admin', run: (call, deps) => removeBootstrap(call, deps) },
  'bootstrap/rm/all': { scope: 'admin', run: (_, deps) => removeAll(deps) },
};

async function getOrSet(call: KuboCall, { config }: KuboDeps): Promise<unknown> {
  const key = call.arg(0, 'key');
  if (key === 'Identity.PrivKey') throw new KuboUsageError('cannot show or change private key through API');
  const text = call.args[1];
  if (text === undefined) return { Key: key, Value: await config.get(key) };
  await config.set(key, jsonOf(call, text));
  return { Key: key, Value: await config.get(key) };
}

function jsonOf(call: KuboCall, text: string): Json {
  if (call.flag('bool')) return text === 'true';
  if (!call.flag('json')) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new KuboUsageError(`failed to unmarshal json: "${text.slice(0, 100)}"`);
  }
}

async function bootstrapOf({ config }: KuboDeps): Promise<readonly string[]> {
  return (await config.get('Bootstrap')) as readonly string[];
}

/** @throws KuboUsageError when one is no address of a peer */
function addressesOf(call: KuboCall): readonly string[] {
  call.arg(0, 'peer');
  for (const address of call.args)
    if (!/^\/(?:ip4|ip6|dns|dns4|dns6|dnsaddr)\/.+\/p2p\/[0-9a-zA-Z]{32,90}$/.test(address))
      throw new KuboUsageError(`invalid peer address: "${address}"`);
  return call.args;
}

async function addBootstrap(call: KuboCall, deps: KuboDeps): Promise<ReturnType<typeof value>> {
  const added =
    call.args.length === 0 && call.flag('default')
      ? settingsSchema.parse({}).overlay.bootstrap
      : addressesOf(call);
  const all = [...new Set([...(await bootstrapOf(deps)), ...added])];
  if (all.length > addressesMax) throw new KuboUsageError(`there can be ${addressesMax} addresses`);
  await deps.config.set('Bootstrap', all);
  return value({ Peers: added });
}

async function removeBootstrap(call: KuboCall, deps: KuboDeps): Promise<ReturnType<typeof value>> {
  if (call.flag('all')) return removeAll(deps);
  const removed = addressesOf(call);
  const all = await bootstrapOf(deps);
  await deps.config.set(
    'Bootstrap',
    all.filter((address) => !removed.includes(address)),
  );
  return value({ Peers: removed });
}

async function removeAll(deps: KuboDeps): Promise<ReturnType<typeof value>> {
  const all = await bootstrapOf(deps);
  await deps.config.set('Bootstrap', []);
  return value({ Peers: all });
}
