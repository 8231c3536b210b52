import type { Scope } from '@tequio/api';
import type { BlockReader, ImportDeps, IpfsExchange, IpfsRepository, Mfs, NameResolver } from '@tequio/ipfs';
import type { Hashes } from '@tequio/kernel';
import type { KuboAnswer } from './kubo-answer.ts';
import type { KuboCall } from './kubo-call.ts';

/** What verbs work with. */
export type KuboDeps = {
  readonly repository: IpfsRepository;
  readonly mfs: Mfs;
  readonly names: NameResolver;
  /** Null: this node is not among others now. */
  readonly exchange: IpfsExchange | null;
  /** Blocks from here or from others, as the node is set. */
  readonly reader: BlockReader;
  readonly hashes: Hashes;
  readonly leafHasher: NonNullable<ImportDeps['leafHasher']>;
  readonly version: string;
  /** The call is over. */
  close(): void;
};

export type KuboVerb = {
  /** Who may. */
  readonly scope: Scope;
  run(call: KuboCall, deps: KuboDeps): Promise<KuboAnswer> | KuboAnswer;
};

/** By what stands behind `/api/v0/`. */
export type KuboVerbs = Readonly<Record<string, KuboVerb>>;
