/**
 * A simulated swarm: hosts with lines of their own, a whole service on each, our tracker on one more, and a watch that
 * checks what must always hold. Everything follows from the seed.
 *
 *   const swarm = new Swarm({ seed: 1, totalBytes: 16 << 20, pieceBytes: 1 << 18 });
 *   swarm.addNode({ seed: true }); swarm.addNodes(19, () => ({}));
 *   await swarm.startAll();
 *   await swarm.runUntilFinished(swarm.leechers);
 *   await swarm.end();
 */
import type { IpAddress, Prng } from '@tequio/kernel';
import { World } from '@tequio/simulator';
import { type MadeTorrent, makeTorrent } from '../src/core/made-torrent.fixture.ts';
import { createTracker, type TrackerServer } from '../src/shell/tracker-server.ts';
import { type NodeOptions, SwarmNode } from './swarm-node.ts';
import { SwarmWatch } from './swarm-watch.ts';

export type SwarmOptions = {
  readonly seed: number;
} & (
  | { readonly totalBytes: number; readonly pieceBytes: number; readonly version?: 'v1' | 'v2' | 'hybrid' }
  | { readonly made: MadeTorrent }
);

const trackerName = 'tracker.test';
/** Virtual time after which a scenario is given up. */
const runMsMax = 2 * 3600 * 1000;

export class Swarm {
  readonly world: World;
  readonly prng: Prng;
  readonly made: MadeTorrent;
  readonly nodes: SwarmNode[] = [];
  readonly watch: SwarmWatch;
  readonly #byAddress = new Map<string, SwarmNode>();
  readonly #errors: unknown[] = [];
  readonly #tracker: TrackerServer;
  #isWatching = false;

  constructor(options: SwarmOptions) {
    const { seed } = options;
    this.world = new World({ seed });
    this.prng = this.world.prng.fork();
    this.made =
      'made' in options
        ? options.made
        : makeTorrent(options.version ?? 'v1', options.pieceBytes, [options.totalBytes], seed);
    this.watch = new SwarmWatch((address) => this.#byAddress.get(address));
    this.#tracker = this.#startTracker();
  }

  get leechers(): SwarmNode[] {
    return this.nodes.filter((node) => node.options.seed !== true);
  }

  get nowSeconds(): number {
    return this.world.clock.nowMs() / 1000;
  }

  /** One way to another host of this kind: 20 to 60 ms, when nothing else is said. */
  addNode(options: NodeOptions): SwarmNode {
    const line = { latencyMs: this.prng.between(10, 30), addresses: [this.#nextAddress()], ...options.line };
    const host = this.world.addHost(line);
    // Half of them speak to the tracker over UDP.
    const tracker =
      this.nodes.length % 2 === 0 ? `http://${trackerName}/announce` : `udp://${trackerName}:6969`;
    const node = new SwarmNode(host, this.made, [tracker], options, (from, event) =>
      this.watch.handleEvent(from, event, this.world.clock.nowMs()),
    );
    this.nodes.push(node);
    this.#byAddress.set(node.address, node);
    return node;
  }

  addNodes(count: number, optionsOf: (index: number) => NodeOptions): SwarmNode[] {
    return Array.from({ length: count }, (_, index) => this.addNode(optionsOf(index)));
  }

  /** Starts nodes: seeds at once, the others at some time within `withinMs`; goes on when all have begun. */
  async startAll(withinMs = 2000, nodes: readonly SwarmNode[] = this.nodes): Promise<void> {
    this.#watchMemory();
    for (const node of nodes) this.startLater(node, node.options.seed ? 0 : this.prng.below(withinMs));
    await this.run(withinMs + 1);
  }

  startLater(node: SwarmNode, delayMs: number): void {
    this.world.clock.setTimer(delayMs, () => this.do(node.start()));
  }

  /** From now on nobody answers there. */
  stopTracker(): void {
    this.do(this.#tracker.close());
  }

  /** Something that takes virtual time; its failure ends the simulation. */
  do(work: Promise<void>): void {
    work.catch((error: unknown) => this.#errors.push(error));
  }

  /** Lets the world go on; ends early, with an error, when a promise was broken. */
  async run(until: number | (() => boolean), limitMs = runMsMax): Promise<void> {
    if (typeof until === 'number') {
      const endMs = this.world.clock.nowMs() + until;
      // There must be something to wait for.
      this.world.clock.setTimer(until, () => {});
      await this.run(() => this.world.clock.nowMs() >= endMs, limitMs);
      return;
    }
    await this.world.run(() => this.#isBroken || until(), limitMs);
    if (this.#errors.length > 0) throw this.#errors[0];
    this.watch.throwFirst();
  }

  async runUntilFinished(nodes: readonly SwarmNode[], limitMs = runMsMax): Promise<void> {
    let next = 0;
    await this.run(() => {
      while (next < nodes.length && nodes[next]!.finishedMs !== null) next++;
      return next === nodes.length;
    }, limitMs);
  }

  /** Ends every service, and checks that nothing was left behind. */
  async end(): Promise<void> {
    const running = this.nodes.filter((node) => node.isRunning);
    let endedCount = 0;
    for (const node of running) this.do(node.stop().then(() => void endedCount++));
    await this.run(() => endedCount === running.length, 120_000);
    this.watch.checkMemory(this.nodes);
    this.watch.throwFirst();
  }

  get #isBroken(): boolean {
    return this.#errors.length > 0 || this.watch.failures.length > 0;
  }

  #watchMemory(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const look = (): void => {
      this.watch.checkMemory(this.nodes);
      this.world.clock.setTimer(1000, look);
    };
    look();
  }

  /** Each in a network of its own, or all would get one set of allowed-fast pieces (BEP 6). */
  #nextAddress(): IpAddress {
    const n = this.nodes.length + 1;
    return `30.${n >> 8}.${n & 255}.7` as IpAddress;
  }

  #startTracker(): TrackerServer {
    const host = this.world.addHost({ name: 'tracker' });
    this.world.network.setName(trackerName, host.host.addresses);
    const tracker = createTracker({ httpPort: 80, udpPort: 6969, intervalS: 120, minIntervalS: 30 }, host);
    this.do(tracker.start());
    return tracker;
  }
}
