/** Kubo's verbs, and who may call them. */
import type { WebResponse } from '@tequio/kernel';
import { allows } from '../../http/caller.ts';
import type { RouteContext, RouteRequest } from '../../http/compat-route.ts';
import { addVerbs } from './add-verbs.ts';
import { blockVerbs } from './block-verbs.ts';
import { cidVerbs } from './cid-verbs.ts';
import { configVerbs } from './config-verbs.ts';
import { dagVerbs } from './dag-verbs.ts';
import { fileVerbs } from './file-verbs.ts';
import { keyVerbs } from './key-verbs.ts';
import { closing, errorResponse, problem, value } from './kubo-answer.ts';
import { KuboCall } from './kubo-call.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';
import { mfsVerbs } from './mfs-verbs.ts';
import { nameVerbs } from './name-verbs.ts';
import { nodeVerbs } from './node-verbs.ts';
import { objectVerbs } from './object-verbs.ts';
import { pinVerbs } from './pin-verbs.ts';
import { programVerbs } from './program-verbs.ts';
import { pubsubVerbs } from './pubsub-verbs.ts';
import { refVerbs } from './ref-verbs.ts';
import { repoVerbs } from './repo-verbs.ts';
import { routingVerbs } from './routing-verbs.ts';
import { sealedVerbs } from './sealed-verbs.ts';
import { statVerbs } from './stat-verbs.ts';
import { swarmVerbs } from './swarm-verbs.ts';

const prefix = '/api/v0';

export const kuboVerbs: KuboVerbs = {
  ...addVerbs,
  ...blockVerbs,
  ...cidVerbs,
  ...configVerbs,
  ...dagVerbs,
  ...fileVerbs,
  ...keyVerbs,
  ...mfsVerbs,
  ...nameVerbs,
  ...nodeVerbs,
  ...objectVerbs,
  ...pinVerbs,
  ...programVerbs,
  ...pubsubVerbs,
  ...refVerbs,
  ...repoVerbs,
  ...routingVerbs,
  ...sealedVerbs,
  ...statVerbs,
  ...swarmVerbs,
  commands: { scope: 'read', run: () => value(commandTree()) },
};

type Command = { readonly Name: string; readonly Subcommands: Command[]; readonly Options: readonly never[] };

/** Every verb, as the tree of commands that kubo's own program shows. */
function commandTree(): Command {
  const tree: Command = { Name: 'ipfs', Subcommands: [], Options: [] };
  for (const name of Object.keys(kuboVerbs).toSorted()) {
    let at = tree;
    for (const word of name.split('/')) {
      let next = at.Subcommands.find(({ Name }) => Name === word);
      if (next === undefined) {
        next = { Name: word, Subcommands: [], Options: [] };
        at.Subcommands.push(next);
      }
      at = next;
    }
  }
  return tree;
}

/** @param open what verbs work with; what it throws is the answer */
export async function answerCall(
  request: RouteRequest,
  context: RouteContext,
  open: () => Promise<KuboDeps>,
): Promise<WebResponse> {
  const name = request.path.slice(prefix.length + 1).replace(/\/$/, '');
  const verb = Object.hasOwn(kuboVerbs, name) ? kuboVerbs[name] : undefined;
  if (verb === undefined)
    return { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found\n' };
  if (request.method !== 'POST')
    return {
      status: 405,
      headers: { 'content-type': 'text/plain', allow: 'POST' },
      body: '405 - Method Not Allowed\n',
    };
  const caller = await context.caller();
  if (caller === null || !allows(caller, verb.scope))
    return problem(
      403,
      caller === null ? 'Show a key: `tequio keys` makes one.' : 'This key may not do that.',
      0,
    );
  try {
    const call = new KuboCall(request);
    const deps = await open();
    const { blocks } = deps.repository;
    return await closing(
      () => verb.run(call, call.flag('offline') ? { ...deps, reader: blocks } : deps),
      () => deps.close(),
    );
  } catch (error) {
    const response = errorResponse(error);
    if (response === null) throw error;
    return response;
  }
}
