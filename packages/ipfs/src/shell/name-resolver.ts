import { NodeError } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { isDomain } from '../core/gateway-address.ts';
import { parseIpfsPath } from '../core/path.ts';
import { tryParseCid } from '../wire/cid.ts';
import { ipnsNameText, tryParseIpnsName } from '../wire/ipns-name.ts';
import type { IpnsRecord } from '../wire/ipns-record.ts';

/** Names that point to names: more in a row is a loop, or an attack. */
const depthMax = 32;

/** Where names are looked up. */
export interface NameSource {
  /** The newest valid record; null: nobody knows one. @throws NodeError `IPFS_IPNS_RECORD` when all known are broken */
  ipns(name: Uint8Array, signal?: AbortSignal): Promise<IpnsRecord | null>;
  /** What `_dnslink.DOMAIN` says (`/ipfs/…`, `/ipns/…`); null: nothing. */
  dnslink(
    domain: string,
    signal?: AbortSignal,
  ): Promise<{ readonly path: string; readonly ttlMs: number } | null>;
}

export type ResolvedName = {
  readonly root: CID;
  /** Below the root. */
  readonly segments: readonly string[];
  /** How long this may be used; null: for ever. */
  readonly ttlMs: number | null;
};

/** Follows `/ipns/…` until it is `/ipfs/CID/…`. */
export class NameResolver {
  readonly #source: NameSource;

  constructor(source: NameSource) {
    this.#source = source;
  }

  get source(): NameSource {
    return this.#source;
  }

  /**
   * @param root a CID (`ipfs`), a key's name or a domain (`ipns`)
   * @throws NodeError `IPFS_NAME` when the name, or one that it points to, points nowhere
   */
  async resolve(
    namespace: 'ipfs' | 'ipns',
    root: string,
    segments: readonly string[],
    signal?: AbortSignal,
  ): Promise<ResolvedName> {
    let rest = segments;
    let name = root;
    let ttlMs: number | null = null;
    if (namespace === 'ipfs') return { root: cidOrThrow(root), segments, ttlMs };
    for (let depth = 0; depth < depthMax; depth++) {
      const found = await this.#lookUp(name, signal);
      ttlMs = Math.min(ttlMs ?? Number.POSITIVE_INFINITY, found.ttlMs);
      const match = /^\/(ipfs|ipns)\/([^/]+)((?:\/[^/]*)*)$/.exec(found.path);
      if (match === null)
        throw unresolved(`${name} points to "${found.path.slice(0, 200)}", which is no path`);
      const [, space, target, below] = match as unknown as [string, string, string, string];
      rest = [...below.split('/').filter((segment) => segment !== ''), ...rest];
      if (space === 'ipfs') {
        const parsed = parseIpfsPath(`/ipfs/${target}`);
        if (!parsed.ok) throw unresolved(`${name} points to "${target}", which is no CID`);
        return { root: parsed.value.root, segments: rest, ttlMs };
      }
      name = target;
    }
    throw unresolved(`${root} leads through more than ${depthMax} names`);
  }

  async #lookUp(
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly path: string; readonly ttlMs: number }> {
    const key = tryParseIpnsName(name);
    if (key !== null) {
      const record = await this.#source.ipns(key, signal);
      if (record === null) throw unresolved(`nobody who was asked knows a record of ${ipnsNameText(key)}`);
      return { path: record.value, ttlMs: record.ttlMs };
    }
    if (!isDomain(name)) throw unresolved(`"${name}" is no name`);
    const link = await this.#source.dnslink(name, signal);
    if (link === null) throw unresolved(`${name} says nothing in DNS (no DNSLink record)`);
    return link;
  }
}

function cidOrThrow(text: string): CID {
  const cid = tryParseCid(text);
  if (cid === null) throw unresolved(`"${text}" is no CID`);
  return cid;
}

function unresolved(reason: string): NodeError {
  return new NodeError('IPFS_NAME', `The name could not be resolved: ${reason}.`, { op: 'resolve' });
}
