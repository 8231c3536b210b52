import { lookup } from 'node:dns/promises';
import type { IpAddress, Resolver } from '@tequio/kernel';
import { NodeError, tryParseAddress } from '@tequio/kernel';
import { errorCodeOf } from './tcp-errors.ts';

/** Ceilings of this port. */
export const resolverLimits = {
  /** The system's look-up blocks one of four shared threads: a list of dead names must not take them all. */
  parallelCount: 2,
  /** Look-ups that wait; more fail at once. */
  waitingCount: 1000,
  /** From asking to answer; the system has no limit of its own that we could set. */
  timeoutMs: 20_000,
  /** RFC 1035, section 2.3.4. */
  nameCharacters: 255,
  /** Addresses of one name that are used. */
  addressCount: 32,
} as const;

/** The system's resolver (hosts file, DNS, and whatever else it is set up for). */
export function createResolver(): Resolver {
  return new SystemResolver();
}

class SystemResolver implements Resolver {
  #runningCount = 0;
  readonly #waiting: (() => void)[] = [];

  async resolve(name: string): Promise<readonly IpAddress[]> {
    const literal = tryParseAddress(name);
    if (literal !== null) return [literal];
    if (name.length === 0 || name.length > resolverLimits.nameCharacters) {
      throw resolveError(name.slice(0, 60), 'that is not a host name', false);
    }
    return await withTimeout(this.#lookUp(name), name);
  }

  async #lookUp(name: string): Promise<readonly IpAddress[]> {
    await this.#enter(name);
    try {
      const found = await lookup(name, { all: true, order: 'verbatim' });
      const addresses = found
        .map(({ address }) => tryParseAddress(address))
        .filter((address) => address !== null);
      return [...new Set(addresses)].slice(0, resolverLimits.addressCount);
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === 'ENOTFOUND') throw resolveError(name, 'no such host', false, error);
      if (code === 'EAI_AGAIN') throw resolveError(name, 'no name server answers', true, error);
      throw resolveError(name, `the system says ${code}`, true, error);
    } finally {
      this.#runningCount--;
      this.#waiting.shift()?.();
    }
  }

  async #enter(name: string): Promise<void> {
    if (this.#waiting.length >= resolverLimits.waitingCount) {
      throw resolveError(name, 'too many other names are being looked up', true);
    }
    if (this.#runningCount >= resolverLimits.parallelCount) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#runningCount++;
  }
}

function resolveError(name: string, reason: string, retry: boolean, cause?: unknown): NodeError {
  return new NodeError('NET_RESOLVE', `Cannot find the address of ${name}: ${reason}.`, {
    op: 'resolve',
    retry,
    data: { name },
    cause,
  });
}

async function withTimeout<Value>(work: Promise<Value>, name: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(resolveError(name, 'no answer in time', true)), resolverLimits.timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
