/** A gateway over blocks in memory, on a port of its own: what suites that others wrote are run against. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  defaultGatewayOptions,
  Gateway,
  type IpnsRecord,
  importCar,
  MemoryBlocks,
  NameResolver,
  type NameSource,
  readIpnsRecord,
  tryParseIpnsName,
} from '@tequio/ipfs';
import { NodeError, silentLog, toHex } from '@tequio/kernel';
import { createClock, createHashes, createWebServer, verifyForeignSignature } from '@tequio/runtime';

export class GatewayWorld {
  readonly blocks = new MemoryBlocks();
  readonly dnslinks = new Map<string, string>();
  readonly #records = new Map<string, Uint8Array>();
  readonly #hashes = createHashes();
  #close: (() => Promise<void>) | null = null;

  /** Archives, records and links of a folder that the suite has written. */
  async load(folder: string): Promise<void> {
    for (const file of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, file));
      if (file.endsWith('.car')) await importCar({ hashes: this.#hashes, blocks: this.blocks }, [bytes]);
      else if (file.endsWith('.ipns-record')) {
        const name = tryParseIpnsName(file.split(/[_.]/)[0]!);
        if (name === null) throw new Error(`${file} is named by no key`);
        this.#records.set(toHex(name), bytes);
      } else if (file === 'dnslinks.json') {
        const { domains } = JSON.parse(bytes.toString()) as { domains: Record<string, string> };
        for (const [domain, path] of Object.entries(domains)) this.dnslinks.set(domain, path);
      }
    }
  }

  /** Listens on 127.0.0.1; returns the port. */
  async start(): Promise<number> {
    const source: NameSource = {
      ipns: async (name) => this.#record(name),
      dnslink: async (domain) => {
        const path = this.dnslinks.get(domain);
        return path === undefined ? null : { path, ttlMs: 60_000 };
      },
    };
    const gateway = new Gateway(
      {
        ...defaultGatewayOptions,
        subdomainHosts: ['localhost', 'example.com'],
        dnslinkDomains: ['*'],
        trustForwarded: true,
      },
      {
        blocks: this.blocks,
        local: this.blocks,
        names: new NameResolver(source),
        clock: createClock(),
        log: silentLog,
        denyList: () => null,
      },
    );
    const listener = await createWebServer().listen(
      { address: null, port: 0 },
      { handle: (request) => gateway.handle(request) },
    );
    this.#close = () => listener.close();
    return listener.local.port;
  }

  async close(): Promise<void> {
    await this.#close?.();
  }

  #record(name: Uint8Array): IpnsRecord | null {
    const bytes = this.#records.get(toHex(name));
    if (bytes === undefined) return null;
    const record = readIpnsRecord(name, bytes, {
      hashes: this.#hashes,
      verify: ({ type, data }, message, signature) => verifyForeignSignature(type, data, message, signature),
    });
    if (!record.ok) throw new NodeError(record.fault.code, record.fault.message);
    return record.value;
  }
}
