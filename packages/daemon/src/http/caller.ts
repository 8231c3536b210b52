/** What somebody may do. Each holds those before it. */
export const scopes = ['read', 'write', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Somebody who has shown who they are. */
export type Caller = {
  /** Null: the node's owner. */
  readonly user: string | null;
  readonly scope: Scope;
  /** How it was shown. A session is what a browser sends by itself, so it alone can be misused by other pages. */
  readonly by: 'token' | 'key' | 'password' | 'session';
};

export function allows(caller: Caller, scope: Scope): boolean {
  return scopes.indexOf(caller.scope) >= scopes.indexOf(scope);
}
