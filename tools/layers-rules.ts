/**
 * The arrows of docs/arrows.md as data: who may import whom, and what may not be named where. Every source file
 * is in exactly one room.
 */

export type RoomRule = {
  /** Rooms of the same package that it may import from, besides itself. */
  readonly own: readonly string[];
  /** Packages that it may import; `*` before a path: every application's. */
  readonly packages: readonly string[];
  /** `node:` modules: none, all that touch neither sockets, files, threads nor a database, or all. */
  readonly node: 'none' | 'harmless' | 'all';
  /** Whether it may name clocks, timers, randomness and the process, instead of being given them. */
  readonly world: boolean;
  /** Whether it is a protocol's inside, in which nothing waits. */
  readonly sync: boolean;
  /** Why, in one sentence. */
  readonly why: string;
};

/** Packages that speak one network each, with the furniture of packages/bittorrent. */
export const applications: readonly string[] = ['bittorrent', 'ipfs'];

/** Files directly in an application's `src/` that all its rooms share. */
export const furniture: readonly string[] = ['options.ts', 'limits.ts', 'faults.ts', 'metrics.ts'];

/** The rooms inside an application. */
export const applicationRooms: Readonly<Record<string, RoomRule>> = {
  contract: {
    own: [],
    packages: ['kernel'],
    node: 'none',
    world: false,
    sync: false,
    why: 'A contract is plain data for every reader, also in a browser.',
  },
  furniture: {
    own: ['contract'],
    packages: ['kernel'],
    node: 'none',
    world: false,
    sync: true,
    why: 'Tables of limits, faults, options and metrics know nobody.',
  },
  wire: {
    own: ['furniture'],
    packages: ['kernel'],
    node: 'none',
    world: false,
    sync: true,
    why: 'Bytes to messages and back, and nothing else.',
  },
  core: {
    own: ['wire', 'furniture', 'contract'],
    packages: ['kernel'],
    node: 'none',
    world: false,
    sync: true,
    why: 'Decisions: given the same inputs and times they decide the same, always.',
  },
  shell: {
    own: ['core', 'wire', 'furniture', 'contract'],
    packages: ['kernel', 'network'],
    node: 'none',
    world: false,
    sync: false,
    why: 'Ports in, core out: the world comes only through ports, so the simulator can be the world.',
  },
  service: {
    own: ['shell', 'core', 'wire', 'furniture', 'contract'],
    packages: ['kernel', 'network'],
    node: 'none',
    world: false,
    sync: false,
    why: 'The public door puts the rooms together.',
  },
};

/** Packages with one room. */
export const packageRules: Readonly<Record<string, RoomRule>> = {
  kernel: {
    own: [],
    packages: [],
    node: 'none',
    world: false,
    sync: true,
    why: 'Words that every room shares depend on nothing.',
  },
  runtime: {
    own: [],
    packages: ['kernel'],
    node: 'all',
    world: true,
    sync: false,
    why: 'The real world behind the ports: the only importer of sockets, files, threads and the database.',
  },
  simulator: {
    own: [],
    packages: ['kernel'],
    node: 'harmless',
    world: false,
    sync: false,
    why: 'The simulated world behind the same ports.',
  },
  network: {
    own: [],
    packages: ['kernel'],
    node: 'none',
    world: false,
    sync: false,
    why: 'What all peers need, over ports.',
  },
  overlay: {
    own: [],
    packages: ['kernel', 'network'],
    node: 'harmless',
    world: true,
    sync: false,
    why: 'libp2p behind one port; its libraries bring a world of their own, and nobody else imports them.',
  },
  api: {
    own: [],
    packages: ['*/contract'],
    node: 'none',
    world: false,
    sync: false,
    why: 'The contract gathers the contracts of all applications, and no code of theirs.',
  },
  client: {
    own: [],
    packages: ['kernel', 'api'],
    node: 'none',
    world: true,
    sync: false,
    why: 'The api over HTTP, in a browser as in Node.js.',
  },
  cli: {
    own: [],
    packages: ['kernel', 'api', 'client'],
    node: 'harmless',
    world: true,
    sync: false,
    why: 'Thin: flags in, calls on the api out.',
  },
  daemon: {
    own: [],
    packages: ['kernel', 'runtime', 'network', 'overlay', 'api', 'client', '*', '*/contract'],
    node: 'harmless',
    world: true,
    sync: false,
    why: 'The one place where the parts are put together.',
  },
  web: {
    own: [],
    packages: ['kernel', 'api', 'client'],
    node: 'none',
    world: true,
    sync: false,
    why: 'Thin: views in, calls on the api out; it runs in a browser.',
  },
  tequio: {
    own: [],
    packages: ['kernel', 'api', 'daemon', '*/contract'],
    node: 'harmless',
    world: true,
    sync: false,
    why: 'The library for programmers: a node in their process, with the names that they know.',
  },
};

/** bin/tequio.ts, where the command line and the node meet in one process. */
export const binRule: RoomRule = {
  own: [],
  packages: ['kernel', 'api', 'client', 'cli', 'daemon'],
  node: 'all',
  world: true,
  sync: false,
  why: 'The only file that knows both the command line and the node.',
};

/** tools/, bench/ and e2e/, which may use each other. */
export const workshopRule: RoomRule = {
  own: [],
  packages: ['kernel', 'runtime', 'overlay', 'api', '*'],
  node: 'all',
  world: true,
  sync: false,
  why: 'They run the program, or use the library, as its users do; the api is read to document it.',
};

/** Libraries that only tests use: other people's clients of other programs' APIs, and the one that makes up inputs. */
export const testLibraries: readonly string[] = [
  'fast-check',
  'interface-blockstore',
  'interface-blockstore-tests',
  '@libp2p/noise',
  '@libp2p/yamux',
  '@ctrl/qbittorrent',
  '@ctrl/transmission',
  'aria2',
  'kubo-rpc-client',
  'playwright-core',
];

/** Sockets, files, threads, processes and the database: only for runtime (and bin, tests, tools). */
export const systemModules: readonly string[] = [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'http',
  'http2',
  'https',
  'net',
  'sqlite',
  'tls',
  'worker_threads',
];

type Forbidden = { readonly pattern: RegExp; readonly what: string };

/** Only where a room has `world`, and in tests: everywhere else the world comes through ports. */
export const worldNames: readonly Forbidden[] = [
  { pattern: /\bDate\.now\b|\bnew\s+Date\b|\bDate\s*\(/g, what: 'a clock' },
  { pattern: /(?<![.\w])performance\s*\./g, what: 'a clock' },
  {
    pattern: /(?<![.\w#])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b(?!\s*\??\s*:)/g,
    what: 'a timer',
  },
  { pattern: /\bMath\.random\b|(?<![.\w#])crypto\s*\./g, what: 'randomness of its own' },
  { pattern: /(?<![.\w#])(?:process|globalThis)\s*[.[]/g, what: 'the process' },
  { pattern: /(?<![.\w#])fetch\s*\(/g, what: 'the network' },
];

/** Only where `node:` may be imported: other rooms work in any JavaScript. */
export const nodeNames: readonly Forbidden[] = [
  { pattern: /(?<![.\w#])(?:Buffer\s*[.[(]|require\s*\()/g, what: "Node's own" },
];

/** In rooms where nothing waits. The type `Promise<…>` may be named where kernel describes a port. */
export const asyncNames: readonly Forbidden[] = [
  { pattern: /(?<![.\w#])async\b(?=\s*(?:function|\(|\*|[\w#]+\s*[(=]))/g, what: 'async' },
  { pattern: /(?<![.\w#])await\s/g, what: 'await' },
  { pattern: /\bnew\s+Promise\b|(?<![.\w])Promise\s*\./g, what: 'a promise' },
];
export const promiseType: Forbidden = { pattern: /(?<![.\w])Promise\s*</g, what: 'a promise' };

/** Files of kernel that describe ports, and so may name the type `Promise`. */
export function describesPorts(path: string): boolean {
  return /^packages\/kernel\/src\/(?:[a-z-]+-)?ports?\.ts$/.test(path);
}

/** Tests, models, simulations and examples: they may import the simulator, the runtime and `node:` besides. */
export function isTestFile(path: string): boolean {
  return (
    /\.(?:test|fuzz|model|bench|fixture)\.ts$|^packages\/[^/]+\/src\/(?:.*\/)?testing\//.test(path) ||
    /^packages\/[^/]+\/(?:sim|compliance|vectors|examples)\//.test(path)
  );
}
