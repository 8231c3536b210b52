/** People and programs that may come in: users with quotas, the owner's password, keys and the node's own token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKey, Identity, Scope, User, UserState, UsersApi } from '@tequio/api';
import { type Clock, type Database, type Entropy, NodeError, toHex } from '@tequio/kernel';
import { Documents } from '../store/documents.ts';
import { type PasswordRecord, Passwords } from './passwords.ts';
import { nodeOwner } from './rights.ts';

const userCountMax = 1000;
const keyCountMax = 1000;
/** `lastUsedAtMs` is not written more often. */
const usedEveryMs = 60_000;
/** What the owner is called where a name must be given. */
export const ownerLogin = 'admin';

type KeptUser = User & { readonly createdAtMs: number; readonly password: PasswordRecord | null };
type KeptKey = ApiKey & { readonly hash: string };

export type UsersDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Of the file in the data folder. */
  readonly token: string;
  usageOf(user: string): { readonly usedBytes: number; readonly torrentCount: number };
  /** Their torrents become the owner's. */
  handOver(user: string): void;
};

export class UsersBook implements UsersApi {
  readonly #deps: UsersDeps;
  readonly #users: Documents<KeptUser>;
  readonly #keys: Documents<KeptKey>;
  readonly #owner: Documents<PasswordRecord>;
  readonly #passwords: Passwords;
  readonly #keyIdByHash = new Map<string, string>();

  constructor(deps: UsersDeps) {
    this.#deps = deps;
    this.#users = new Documents(deps.database, 'user');
    this.#keys = new Documents(deps.database, 'key');
    this.#owner = new Documents(deps.database, 'owner');
    this.#passwords = new Passwords(deps.entropy);
    for (const { id, hash } of this.#keys.values()) this.#keyIdByHash.set(hash, id);
  }

  user(name: string | null): User | null {
    return name === null ? null : this.#users.get(name);
  }

  async users(): Promise<readonly UserState[]> {
    return this.#users
      .values()
      .map(({ password: _, ...user }) => ({ ...user, ...this.#deps.usageOf(user.name) }));
  }

  async putUser(user: User): Promise<void> {
    const { name, scope, folder, quotaBytes, torrentCountMax } = user;
    if (!/^[a-z0-9._-]{1,64}$/.test(name) || name === ownerLogin) {
      throw new NodeError(
        'USER_NAME',
        `"${name}" cannot be a user: 1 to 64 letters a to z, digits, ".", "_" and "-", and not "${ownerLogin}".`,
      );
    }
    const known = this.#users.get(name);
    if (known === null && this.#users.size >= userCountMax)
      throw new NodeError('USER_NAME', `There are ${userCountMax} users; remove one first.`);
    const createdAtMs = known?.createdAtMs ?? this.#deps.clock.wallMs();
    const password = known?.password ?? null;
    this.#users.put(name, { name, scope, folder, quotaBytes, torrentCountMax, createdAtMs, password });
  }

  async removeUser(name: string): Promise<void> {
    for (const { id, user } of this.#keys.values()) if (user === name) await this.removeKey(id);
    this.#deps.handOver(name);
    this.#users.remove(name);
  }

  async setPassword(user: string | null, password: string): Promise<void> {
    const known = user === null ? null : this.#users.get(user);
    if (user !== null && known === null)
      throw new NodeError('USER_MISSING', `There is no user "${user}".`, { data: { user } });
    const record = password === '' ? null : await this.#passwords.record(password);
    if (known !== null) this.#users.put(known.name, { ...known, password: record });
    else if (record === null) this.#owner.remove('password');
    else this.#owner.put('password', record);
  }

  async hasPassword(): Promise<boolean> {
    return this.#owner.has('password');
  }

  async keys(): Promise<readonly ApiKey[]> {
    return this.#keys.values().map(({ hash: _, ...key }) => key);
  }

  async makeKey(options: {
    readonly name: string;
    readonly scope: Scope;
    readonly user?: string | null;
  }): Promise<ApiKey & { readonly key: string }> {
    const { name, scope, user = null } = options;
    if (user !== null && !this.#users.has(user))
      throw new NodeError('USER_MISSING', `There is no user "${user}".`, { data: { user } });
    if (name.trim() === '' || name.length > 100)
      throw new NodeError('KEY_NAME', 'A key needs a name of 1 to 100 characters, to be told from others.');
    if (this.#keys.size >= keyCountMax)
      throw new NodeError('KEY_NAME', `There are ${keyCountMax} keys; remove one first.`);
    const { entropy, clock } = this.#deps;
    const id = toHex(entropy.bytes(6));
    const key = `tq_${Buffer.from(entropy.bytes(24)).toString('base64url')}`;
    const hash = hashOf(key);
    const made: ApiKey = { id, name, scope, user, createdAtMs: clock.wallMs(), lastUsedAtMs: null };
    this.#keys.put(id, { ...made, hash });
    this.#keyIdByHash.set(hash, id);
    return { ...made, key };
  }

  async removeKey(id: string): Promise<void> {
    const key = this.#keys.get(id);
    if (key === null) return;
    this.#keyIdByHash.delete(key.hash);
    this.#keys.remove(id);
  }

  async tryPassword(name: string, password: string): Promise<Identity | null> {
    const user = this.#users.get(name);
    const record = name === ownerLogin ? this.#owner.get('password') : (user?.password ?? null);
    if (!(await this.#passwords.matches(password, record))) return null;
    return name === ownerLogin ? nodeOwner : { user: name, scope: user!.scope };
  }

  async tryKey(key: string): Promise<Identity | null> {
    if (isEqual(key, this.#deps.token)) return nodeOwner;
    const id = this.#keyIdByHash.get(hashOf(key));
    const known = id === undefined ? null : this.#keys.get(id);
    if (known === null) return null;
    const nowMs = this.#deps.clock.wallMs();
    if (Math.abs(nowMs - (known.lastUsedAtMs ?? 0)) >= usedEveryMs)
      this.#keys.put(known.id, { ...known, lastUsedAtMs: nowMs });
    const user = this.user(known.user);
    // A key never allows more than whoever it is for.
    const scope = user !== null && rankOf(user.scope) < rankOf(known.scope) ? user.scope : known.scope;
    return { user: known.user, scope };
  }
}

function rankOf(scope: Scope): number {
  return ['read', 'write', 'admin'].indexOf(scope);
}

/** Keys are long and random, so one round of a hash is enough; what lies in the database opens nothing. */
function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(hashOf(a)), Buffer.from(hashOf(b))];
  return timingSafeEqual(left, right);
}
