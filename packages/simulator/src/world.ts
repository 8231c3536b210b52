import { hash } from 'node:crypto';
import type { Clock, Hashes, Log, Ports } from '@tequio/kernel';
import { NodeError, Prng, silentLog, tryParseAddress } from '@tequio/kernel';
import { VirtualClock } from './clock.ts';
import { createSimulatedHttp } from './http.ts';
import { createSimulatedKeyAgreement, signatures } from './keys.ts';
import { type Host, type HostOptions, Network } from './network.ts';
import { createSimulatedTcp } from './tcp.ts';
import { createSimulatedUdp } from './udp.ts';

/** The ports of one simulated host; disk, files and database are chosen by the scenario. */
export type HostPorts = Omit<Ports, 'disk' | 'files' | 'database'> & { readonly host: Host };

export type WorldOptions = {
  readonly seed: number;
  readonly log?: Log;
};

/** A look-up of a name takes so long. */
const resolveMs = 20;
/** Promises settle at least once in so much virtual time, and at once where a port of this world settled one. */
const settleMs = 1;
/**
 * How many promises may hang on each other and still run at once: behind one of this world's own ports, and otherwise.
 * Deeper chains go on a millisecond later. Counted, for the real event loop has no place in virtual time.
 */
const settleDepth = { port: 64, period: 12 } as const;
/** `run` gives up on a condition after so much virtual time. */
const runMsMax = 24 * 3600 * 1000;

/**
 * A whole world in virtual time, the same for the same seed:
 *
 *   const world = new World({ seed: 1 });
 *   const a = world.addHost({ upRate: 1e6 });
 *   a.tcp.listen(...);
 *   await world.run(() => done);          // or world.run(60_000)
 *
 * Nothing in a run may depend on real time or real I/O; promises are fine.
 */
export class World {
  readonly seed: number;
  readonly clock = new VirtualClock();
  readonly prng: Prng;
  readonly network: Network;
  readonly #log: Log;
  #mustSettle = true;

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.prng = new Prng(options.seed);
    this.#log = options.log ?? silentLog;
    this.network = new Network(this.clock, this.prng.fork(), () => {
      this.#mustSettle = true;
    });
  }

  /** A new machine and its ports. */
  addHost(options: HostOptions = {}): HostPorts {
    const host = this.network.addHost(options);
    const prng = this.prng.fork();
    return {
      host,
      clock: this.clock satisfies Clock,
      entropy: { bytes: (length) => prng.bytes(length) },
      hashes,
      signatures,
      keyAgreement: createSimulatedKeyAgreement(prng.fork()),
      tcp: createSimulatedTcp(this.network, host),
      udp: createSimulatedUdp(this.network, host),
      networks: { list: async () => host.localNetworks },
      resolver: { resolve: (name) => this.#resolve(name) },
      ...createSimulatedHttp(this.network, host),
      log: this.#log,
    };
  }

  /**
   * Lets the world go on: for so many milliseconds, or until the condition holds (looked at every millisecond).
   * @throws Error with the seed, when an event throws, or the condition can or does no longer come true
   */
  async run(until: number | (() => boolean), limitMs = runMsMax): Promise<void> {
    const startMs = this.clock.nowMs();
    const isCondition = typeof until !== 'number';
    const endMs = startMs + (isCondition ? limitMs : until);
    for (;;) {
      await settle(this.#mustSettle ? settleDepth.port : settleDepth.period);
      if (isCondition && until()) return;
      const nextMs = this.clock.nextMs();
      if (nextMs === null || nextMs > endMs) {
        if (isCondition)
          throw this.#failure(nextMs === null ? 'nothing will happen any more' : 'it took too long');
        this.clock.advanceTo(endMs);
        return;
      }
      this.#firePeriod(nextMs, Math.min(endMs, nextMs + settleMs));
    }
  }

  /** Lets events happen until `endMs`, or until one of them settles a promise. */
  #firePeriod(startMs: number, endMs: number): void {
    this.#mustSettle = false;
    for (
      let nextMs: number | null = startMs;
      nextMs !== null && nextMs <= endMs;
      nextMs = this.clock.nextMs()
    ) {
      this.#fire();
      if (this.#mustSettle) return;
    }
  }

  #fire(): void {
    try {
      this.clock.fireNext();
    } catch (error) {
      throw this.#failure(error instanceof Error ? error.message : String(error), error);
    }
  }

  #failure(message: string, cause?: unknown): Error {
    const atMs = Math.round(this.clock.nowMs());
    return new Error(`simulation, seed ${this.seed}, at ${atMs} ms: ${message}`, { cause });
  }

  async #resolve(name: string): Promise<ReturnType<Network['addressesOf']>> {
    const literal = tryParseAddress(name);
    if (literal !== null) return [literal];
    await new Promise<void>((resolve) => this.clock.setTimer(resolveMs, resolve));
    this.#mustSettle = true;
    const addresses = this.network.addressesOf(name);
    if (addresses.length > 0) return addresses;
    throw new NodeError('NET_RESOLVE', `Cannot find the address of ${name}: no such host.`, {
      op: 'resolve',
    });
  }
}

const hashes: Hashes = {
  sha1: (bytes) => hash('sha1', bytes, 'buffer'),
  sha256: (bytes) => hash('sha256', bytes, 'buffer'),
};

/** Waited for again and again: a promise of its own for each step costs a quarter of a busy world's time. */
const settledPromise = Promise.resolve();

/** Lets promises that are settled run their followers, and those theirs. */
async function settle(depth: number): Promise<void> {
  for (let i = 0; i < depth; i++) await settledPromise;
}
