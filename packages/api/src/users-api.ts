/** `read`: looks; `write`: manages torrents too; `admin`: settings, users and keys too. Each includes those before it. */
export type Scope = 'read' | 'write' | 'admin';

/** A person besides the node's owner. Sees and manages only torrents of their own, unless `admin`. */
export type User = {
  /** 1 to 64 letters, digits, `.`, `_`, `-`; lower case. */
  readonly name: string;
  readonly scope: Scope;
  /** Absolute; content of this user goes in here only. Null: as the settings say. */
  readonly folder: string | null;
  /** Wanted bytes of all their torrents together; null: no limit. */
  readonly quotaBytes: number | null;
  readonly torrentCountMax: number | null;
};

export type UserState = User & {
  readonly usedBytes: number;
  readonly torrentCount: number;
  readonly createdAtMs: number;
};

/** What a program shows to be let in. The key itself is shown once, when it is made. */
export type ApiKey = {
  readonly id: string;
  readonly name: string;
  readonly scope: Scope;
  /** On whose behalf; null: the node's owner. */
  readonly user: string | null;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
};

/** Who is asking: what a password, a key or the node's own token turns into. */
export type Identity = { readonly user: string | null; readonly scope: Scope };

export interface UsersApi {
  users(): Promise<readonly UserState[]>;
  /** Makes one, or changes it; a new one has no password and cannot come in yet. @throws NodeError `USER_NAME` */
  putUser(user: User): Promise<void>;
  /** Their torrents become the owner's. */
  removeUser(name: string): Promise<void>;
  /**
   * Of a user; null: of the node's owner. An empty one takes it away.
   * @throws NodeError `PASSWORD_WEAK`, `PASSWORD_SUPPORT`
   */
  setPassword(user: string | null, password: string): Promise<void>;
  /** True: the node's owner has a password. */
  hasPassword(): Promise<boolean>;
  keys(): Promise<readonly ApiKey[]>;
  makeKey(options: {
    readonly name: string;
    readonly scope: Scope;
    readonly user?: string | null;
  }): Promise<ApiKey & { readonly key: string }>;
  removeKey(id: string): Promise<void>;
  /**
   * Null: no such user, or not their password; takes the same time in every case. The owner is called `admin`.
   * At most a few run at once; the rest wait.
   */
  tryPassword(user: string, password: string): Promise<Identity | null>;
  /** A key that was made here, or the token of the file in the data folder. */
  tryKey(key: string): Promise<Identity | null>;
}
