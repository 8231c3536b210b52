import type { Identity, Scope } from '@tequio/api';
import { allows, requireScope } from './rights.ts';

/** Calls that answer at once, or piece by piece. */
const noPromises: ReadonlySet<string> = new Set(['subscribe', 'readFile', 'readArchive']);

/** What each call needs. */
export type Scopes<Api> = { readonly [Name in keyof Api]: Scope };

/**
 * The same calls with somebody's rights: each rejects with `USER_RIGHT` for who may not make it. The table must name
 * every call, so that none that is added later is open by mistake.
 */
export function guarded<Api extends object>(api: Api, scopes: Scopes<Api>, who: Identity): Api {
  const made: Record<string, unknown> = {};
  for (const [name, scope] of Object.entries(scopes) as [string, Scope][]) {
    const call = api[name as keyof Api] as (...args: unknown[]) => unknown;
    made[name] = allows(who, scope)
      ? (...args: unknown[]) => call.apply(api, args)
      : noPromises.has(name)
        ? () => requireScope(who, scope)
        : async () => requireScope(who, scope);
  }
  return made as Api;
}
