import type { Identity, Scope } from '@tequio/api';
import { NodeError } from '@tequio/kernel';

/** The node's owner, from the machine itself. */
export const nodeOwner: Identity = { user: null, scope: 'admin' };

const order: readonly Scope[] = ['read', 'write', 'admin'];

export function allows(who: Identity, scope: Scope): boolean {
  return order.indexOf(who.scope) >= order.indexOf(scope);
}

/** @throws NodeError `USER_RIGHT` */
export function requireScope(who: Identity, scope: Scope): void {
  if (allows(who, scope)) return;
  throw new NodeError(
    'USER_RIGHT',
    `This needs the right "${scope}", and ${who.user ?? 'this key'} has "${who.scope}".`,
    { op: 'allow', data: { needed: scope, given: who.scope } },
  );
}

/** Whose torrents somebody adds. */
export function ownerName(who: Identity): string | null {
  return who.user;
}
