import type { LogLine, Scope, Settings } from '@tequio/api';
import type {
  BlockReader,
  ImportDeps,
  IpfsExchange,
  IpfsRepository,
  IpfsService,
  IpnsNames,
  Mfs,
  NameResolver,
} from '@tequio/ipfs';
import type { Clock, Hashes } from '@tequio/kernel';
import type { KeyRing } from '../../ipfs/key-ring.ts';
import type { KuboAnswer } from './kubo-answer.ts';
import type { KuboCall } from './kubo-call.ts';
import type { KuboConfig } from './kubo-config.ts';
import type { TopicBook } from './topic-book.ts';

/** The node around it. */
export type KuboNode = {
  readonly log: { subscribe(listener: (line: LogLine) => void): () => void };
  readonly clock: Clock;
  readonly settings: () => Settings;
  readonly repositoryFolder: string;
  shutdown(): void;
};

/** What verbs work with. */
export type KuboDeps = {
  readonly repository: IpfsRepository;
  readonly service: IpfsService;
  readonly mfs: Mfs;
  readonly names: NameResolver;
  /** Names of keys: published from here, followed, looked up. */
  readonly ipns: IpnsNames;
  readonly keys: KeyRing;
  readonly config: KuboConfig;
  /** Topics that clients of this interface have subscribed to. */
  readonly topics: TopicBook;
  readonly node: KuboNode;
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
