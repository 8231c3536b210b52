import type { Aead, FoldersPort, Log, Ports, X25519 } from '@tequio/kernel';
import { silentLog } from '@tequio/kernel';
import { createAead } from './aead.ts';
import { createClock } from './clock.ts';
import { createDatabases } from './database.ts';
import { createDisk, type DiskOptions } from './disk.ts';
import { createEntropy } from './entropy.ts';
import { createFiles } from './files.ts';
import { createFolders } from './folder-items.ts';
import { createHashes } from './hashes.ts';
import { createHttpClient } from './http-client.ts';
import { createHttpServer } from './http-server.ts';
import { createKeyAgreement } from './key-agreement.ts';
import { createLocalNetworks } from './local-networks.ts';
import { createResolver } from './resolver.ts';
import { createSignatures } from './signatures.ts';
import { createTcp } from './tcp.ts';
import { createUdp } from './udp.ts';
import { createX25519 } from './x25519.ts';

export type RuntimeOptions = {
  /** Where log lines go; by default nowhere. */
  readonly log?: Log;
  readonly disk?: DiskOptions;
};

/** All ports over this machine. Each is made when it is first used, so that a command pays only for what it needs. */
export type RuntimePorts = Ports & {
  readonly folders: FoldersPort;
  readonly aead: Aead;
  readonly x25519: X25519;
  /** Ends disk threads and kept HTTP connections. Sockets, listeners and databases belong to whoever opened them. */
  close(): Promise<void>;
};

export function createRuntimePorts(options: RuntimeOptions = {}): RuntimePorts {
  return new LazyPorts(options);
}

class LazyPorts implements RuntimePorts {
  readonly clock = createClock();
  readonly entropy = createEntropy();
  readonly aead = createAead();
  readonly x25519 = createX25519();
  readonly hashes = createHashes();
  readonly signatures = createSignatures();
  readonly keyAgreement = createKeyAgreement();
  readonly folders = createFolders();
  readonly log: Log;
  readonly #options: RuntimeOptions;
  readonly #made: { -readonly [Name in keyof Ports]?: Ports[Name] } = {};
  #closeHttp: (() => void) | null = null;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.log = options.log ?? silentLog;
  }

  get tcp(): Ports['tcp'] {
    return (this.#made.tcp ??= createTcp());
  }

  get udp(): Ports['udp'] {
    return (this.#made.udp ??= createUdp({ log: this.log }));
  }

  get networks(): Ports['networks'] {
    return (this.#made.networks ??= createLocalNetworks());
  }

  get resolver(): Ports['resolver'] {
    return (this.#made.resolver ??= createResolver());
  }

  get http(): Ports['http'] {
    if (this.#made.http === undefined) {
      const client = createHttpClient(this.resolver);
      this.#made.http = client;
      this.#closeHttp = () => client.close();
    }
    return this.#made.http;
  }

  get httpServer(): Ports['httpServer'] {
    return (this.#made.httpServer ??= createHttpServer());
  }

  get disk(): Ports['disk'] {
    return (this.#made.disk ??= createDisk(this.#options.disk));
  }

  get files(): Ports['files'] {
    return (this.#made.files ??= createFiles());
  }

  get database(): Ports['database'] {
    return (this.#made.database ??= createDatabases());
  }

  async close(): Promise<void> {
    this.#closeHttp?.();
    await this.#made.disk?.close();
  }
}
