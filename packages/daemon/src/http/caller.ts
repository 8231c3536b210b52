import type { Identity, Scope } from '@tequio/api';

/** Somebody who has shown who they are. */
export type Caller = Identity & {
  /** How it was shown. A session is what a browser sends by itself, so it alone can be misused by other pages. */
  readonly by: 'key' | 'password' | 'session';
};

const scopes: readonly Scope[] = ['read', 'write', 'admin'];

export function allows({ scope }: Identity, wanted: Scope): boolean {
  return scopes.indexOf(scope) >= scopes.indexOf(wanted);
}
