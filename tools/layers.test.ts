import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkLayers, type PackageFile } from './layers.ts';

const packages = new Map<string, PackageFile>(
  ['kernel', 'runtime', 'simulator', 'network', 'bittorrent', 'api', 'daemon', 'cli'].map((name) => [
    name,
    {
      exports: name === 'bittorrent' ? ['.', './contract'] : ['.', './compliance/*'],
      dependencies: name === 'cli' ? ['commander'] : [],
    },
  ]),
);

/** Messages for one file, or several. */
function problems(files: Record<string, string>): string[] {
  return checkLayers(new Map(Object.entries(files)), packages).map(
    ({ path, line, message }) => `${path}:${line} ${message}`,
  );
}

function assertRefused(path: string, text: string, expected: RegExp): void {
  const found = problems({ [path]: text });
  assert.equal(found.length, 1, `${path}: ${text}: ${found.join('; ') || 'nothing found'}`);
  assert.match(found[0]!, expected);
}

const core = 'packages/bittorrent/src/core/x.ts';
const wire = 'packages/bittorrent/src/wire/x.ts';
const shell = 'packages/bittorrent/src/shell/x.ts';

test('what the arrows allow passes', () => {
  assert.deepEqual(
    problems({
      'packages/kernel/src/ports.ts': 'export interface P { go(): Promise<void> }',
      [wire]: "import { toHex } from '@tequio/kernel';\nimport { limits } from '../limits.ts';",
      [core]: "import './y.ts';\nimport '../wire/x.ts';\nimport type { A } from '../contract.ts';",
      [shell]: "import '../core/x.ts';\nimport '@tequio/network';\nexport async function f() { await g(); }",
      'packages/bittorrent/src/index.ts': "export * from './shell/x.ts';",
      'packages/bittorrent/src/core/x.test.ts':
        "import 'node:test';\nimport '@tequio/simulator';\nimport './x.model.ts';\nimport 'fast-check';\nDate.now();",
      'packages/bittorrent/sim/swarm.test.ts': "import '@tequio/simulator';\nimport '../src/index.ts';",
      'packages/runtime/src/x.ts': "import 'node:net';\nsetTimeout(f, Date.now());",
      'packages/api/src/x.ts': "export type * from '@tequio/bittorrent/contract';",
      'packages/cli/src/x.ts': "import '@tequio/api';\nimport 'commander';\nimport 'node:path';",
      'packages/daemon/src/x.ts':
        "import '@tequio/runtime';\nimport '@tequio/bittorrent';\nimport 'node:os';",
      'bench/x.ts': "import '../e2e/lab/lab.ts';\nimport 'node:fs';\nDate.now();",
      'bin/tequio.ts': "import '@tequio/cli';\nimport '@tequio/daemon';\nimport 'node:fs';",
    }),
    [],
  );
});

describe('imports against the arrows', () => {
  const refused: [string, string, RegExp][] = [
    [wire, "import '@tequio/network';", /wire does not import network/],
    [wire, "import '../core/y.ts';", /wire does not import core/],
    [core, "import '../shell/y.ts';", /core does not import shell/],
    [core, "import '@tequio/network';", /core does not import network/],
    [core, "import '@tequio/runtime';", /core does not import runtime/],
    [shell, "import '@tequio/runtime';", /shell does not import runtime/],
    [shell, "import '../index.ts';", /shell does not import service/],
    ['packages/bittorrent/src/contract.ts', "import './core/x.ts';", /contract does not import core/],
    ['packages/kernel/src/x.ts', "import '@tequio/network';", /kernel does not import network/],
    ['packages/network/src/x.ts', "import '@tequio/bittorrent';", /network does not import bittorrent/],
    ['packages/api/src/x.ts', "import '@tequio/bittorrent';", /api does not import bittorrent/],
    ['packages/cli/src/x.ts', "import '@tequio/daemon';", /cli does not import daemon/],
    ['packages/cli/src/x.ts', "import '@tequio/bittorrent/contract';", /cli does not import bittorrent/],
    ['packages/daemon/src/x.ts', "import '@tequio/cli';", /daemon does not import cli/],
    ['packages/daemon/src/x.ts', "import '@tequio/simulator';", /daemon does not import simulator/],
    ['packages/runtime/src/x.ts', "import '@tequio/simulator';", /runtime does not import simulator/],
    [core, "import '@tequio/bittorrent';", /does not import itself by name/],
    [shell, "import '@tequio/network/src/dial.ts';", /no such export/],
    [shell, "import '../../../network/src/dial.ts';", /by its name, not by a path/],
    [shell, "import '@tequio/kernel/compliance/tcp';", /only tests import compliance/],
    [core, "import './x.model.ts';", /sources do not import tests/],
    [core, "import '../../sim/swarm.ts';", /sources do not import tests/],
    [core, "import 'lodash';", /not a dependency of packages\/bittorrent/],
    ['packages/bittorrent/src/core/x.test.ts', "import '@tequio/daemon';", /core does not import daemon/],
    ['e2e/x.test.ts', "import '@tequio/network';", /tools, bench and e2e does not import network/],
    ['bench/x.ts', "import '../packages/kernel/src/bytes.ts';", /by its name, not by a path/],
    ['packages/other/src/x.ts', '', /is in no room/],
    ['packages/bittorrent/src/extra/x.ts', '', /is in no room/],
  ];
  for (const [path, text, expected] of refused)
    test(`${path}: ${text || 'its place'}`, () => assertRefused(path, text, expected));
});

describe('names of the world', () => {
  const inCore: [string, RegExp][] = [
    ["import 'node:crypto';", /no node: import/],
    ['const t = Date.now();', /a clock/],
    ['const t = new Date();', /a clock/],
    ['const t = performance.now();', /a clock/],
    ['setTimeout(f, 1);', /a timer/],
    ['setInterval(f, 1);', /a timer/],
    ['queueMicrotask(f);', /a timer/],
    ['const r = Math.random();', /randomness/],
    ['crypto.getRandomValues(b);', /randomness/],
    ['process.exit(1);', /the process/],
    ['const b = Buffer.alloc(1);', /Node's own/],
    ["fetch('x');", /the network/],
    ['export async function f() {}', /async/],
    ['const f = async () => 1;', /async/],
    ['await f();', /await/],
    ['const p = new Promise(f);', /a promise/],
    ['const p = Promise.resolve();', /a promise/],
    ['function f(): Promise<void> {}', /a promise/],
  ];
  for (const [text, expected] of inCore) test(`core: ${text}`, () => assertRefused(core, text, expected));
  for (const path of [shell, 'packages/network/src/x.ts'])
    for (const text of [
      "import 'node:net';",
      'Date.now();',
      'setTimeout(f, 1);',
      'Math.random();',
      'process.cwd();',
    ])
      test(`${path}: ${text}`, () => assertRefused(path, text, /./));
  for (const name of ['net', 'dgram', 'fs/promises', 'worker_threads', 'sqlite', 'http'])
    test(`daemon: node:${name}`, () =>
      assertRefused('packages/daemon/src/x.ts', `import 'node:${name}';`, /only runtime/));

  test('the simulator hashes with Node, and has no clock', () => {
    const path = 'packages/simulator/src/x.ts';
    assert.deepEqual(problems({ [path]: "import 'node:crypto';\nBuffer.alloc(1);" }), []);
    assertRefused(path, 'Date.now();', /a clock/);
    assertRefused(path, "import 'node:net';", /only runtime/);
  });

  test('words in comments and strings, members and types of the same name are no violation', () => {
    const text =
      "// Date.now()\nconst s = 'setTimeout(';\ntimer.setTimeout(1);\nx.fetch(y);\nthis.#process.go();";
    assert.deepEqual(problems({ [core]: text }), []);
  });

  test('a port description may name the type Promise, and make none', () => {
    assertRefused('packages/kernel/src/ports.ts', 'const p = Promise.all([]);', /a promise/);
    assertRefused('packages/kernel/src/bytes.ts', 'type P = Promise<void>;', /a promise/);
  });
});

describe('cycles', () => {
  test('between files, once', () => {
    const found = problems({
      'packages/kernel/src/a.ts': "import './b.ts';",
      'packages/kernel/src/b.ts': "import './c.ts';",
      'packages/kernel/src/c.ts': "import type { A } from './a.ts';",
    });
    assert.equal(found.length, 1);
    assert.match(found[0]!, /cycle of files: .*a\.ts -> .*b\.ts -> .*c\.ts -> .*a\.ts/);
  });

  test('between packages', () => {
    const found = problems({
      'packages/network/src/a.ts': "import '@tequio/kernel';",
      'packages/kernel/src/a.ts': "import '@tequio/network';",
    });
    assert.ok(found.some((line) => /cycle of packages: network -> kernel -> network/.test(line)));
  });
});
