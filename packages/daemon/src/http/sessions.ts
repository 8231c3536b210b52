/** Who is logged in with a browser, and the tokens that let in once. Only hashes are kept. */
import { createHash } from 'node:crypto';
import type { Identity } from '@tequio/api';
import type { Entropy } from '@tequio/kernel';
import type { Caller } from './caller.ts';
import { httpLimits } from './http-limits.ts';

type Session = { readonly caller: Caller; usedMs: number };

/** A session as it is kept over a restart. */
export type KeptSession = Identity & { readonly hash: string; readonly usedMs: number };

export class Sessions {
  readonly #entropy: Entropy;
  /** In the order of their latest use. */
  readonly #sessions = new Map<string, Session>();
  readonly #oneTime = new Map<string, { readonly identity: Identity; readonly untilMs: number }>();

  readonly #onChange: (sessions: readonly KeptSession[]) => void;

  /** @param kept of an earlier run, in the order of their latest use. @param onChange somebody came in or went out */
  constructor(
    entropy: Entropy,
    kept: readonly KeptSession[] = [],
    onChange: (sessions: readonly KeptSession[]) => void = () => {},
  ) {
    this.#entropy = entropy;
    this.#onChange = onChange;
    for (const { hash, user, scope, usedMs } of kept)
      this.#sessions.set(hash, { caller: { user, scope, by: 'session' }, usedMs });
  }

  /** All that are open, as they are kept. */
  kept(): readonly KeptSession[] {
    return [...this.#sessions].map(
      ([
        hash,
        {
          caller: { user, scope },
          usedMs,
        },
      ]) => ({
        hash,
        user,
        scope,
        usedMs,
      }),
    );
  }

  /** @returns its id, which is not kept */
  open(identity: Identity, nowMs: number): string {
    const id = this.#secret();
    const { user, scope } = identity;
    this.#sessions.set(hashOf(id), { caller: { user, scope, by: 'session' }, usedMs: nowMs });
    dropFirst(this.#sessions, httpLimits.sessionCount);
    this.#onChange(this.kept());
    return id;
  }

  find(id: string, nowMs: number): Caller | null {
    const key = hashOf(id);
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    this.#sessions.delete(key);
    if (nowMs - session.usedMs > httpLimits.sessionIdleMs) return null;
    session.usedMs = nowMs;
    this.#sessions.set(key, session);
    return session.caller;
  }

  close(id: string): void {
    if (this.#sessions.delete(hashOf(id))) this.#onChange(this.kept());
  }

  /** Of a user whose rights or password have changed (null: the owner), but for the one that has changed them. */
  closeOf(user: string | null, keptId: string | null): void {
    const kept = keptId === null ? null : hashOf(keptId);
    for (const [key, { caller }] of this.#sessions)
      if (caller.user === user && key !== kept) this.#sessions.delete(key);
    this.#onChange(this.kept());
  }

  /** A token that lets in once. */
  makeOneTime(identity: Identity, nowMs: number): string {
    const token = this.#secret();
    this.#oneTime.set(hashOf(token), { identity, untilMs: nowMs + httpLimits.oneTimeTokenMs });
    dropFirst(this.#oneTime, httpLimits.oneTimeTokenCount);
    return token;
  }

  /** Whom it lets in; never again after this. Null: it was used, is too old, or was never given. */
  takeOneTime(token: string, nowMs: number): Identity | null {
    const key = hashOf(token);
    const found = this.#oneTime.get(key);
    this.#oneTime.delete(key);
    return found === undefined || found.untilMs < nowMs ? null : found.identity;
  }

  #secret(): string {
    return Buffer.from(this.#entropy.bytes(24)).toString('base64url');
  }
}

/** A look-up by hash takes the same time for whatever was guessed. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}

function dropFirst(map: Map<string, unknown>, countMax: number): void {
  for (const key of map.keys()) {
    if (map.size <= countMax) return;
    map.delete(key);
  }
}
