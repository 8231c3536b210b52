import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CpuProfile, drawFlame, frameOf } from './flame.ts';

const at = (functionName: string, url = '') => ({ functionName, url });

/** main calls read twice (two nodes), read calls parse; the rest of the time nothing is done. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: at('(root)'), children: [2, 5] },
    { id: 2, callFrame: at('main', 'file:///x/main.ts'), children: [3, 4] },
    { id: 3, callFrame: at('read', 'node:fs'), children: [6] },
    { id: 4, callFrame: at('read', 'node:fs') },
    { id: 5, callFrame: at('(idle)') },
    { id: 6, callFrame: at('parse', 'file:///x/parse.ts') },
  ],
  samples: [2, 3, 4, 5, 6, 6],
  timeDeltas: [1000, 2000, 3000, 50_000, 4000, 5000],
};

test('time is told to the callers, idle time to nobody, and equal calls are one', () => {
  const thread = frameOf(profile, 'main thread');
  assert.equal(thread.ms, 15);
  const [main] = thread.below;
  assert.deepEqual([main!.name, main!.ms, main!.kind], ['main main.ts', 15, 'ours']);
  const [read] = main!.below;
  assert.deepEqual([read!.name, read!.ms, read!.kind], ['read node:fs', 14, 'node']);
  assert.deepEqual(read!.below[0], { name: 'parse parse.ts', kind: 'ours', ms: 9, below: [] });
  assert.equal(main!.below.length, 1);
});

test('modules that load modules are one frame', () => {
  const loading = 'node:internal/modules/esm/loader';
  const nodes = [
    { id: 1, callFrame: at('(root)'), children: [2] },
    { id: 2, callFrame: at('import', loading), children: [3] },
    { id: 3, callFrame: at('link', loading), children: [4] },
    { id: 4, callFrame: at('', 'file:///x/late.ts') },
  ];
  const { below } = frameOf({ nodes, samples: [2, 3, 4], timeDeltas: [1000, 1000, 1000] }, 'main thread');
  const late = { name: '(anonymous) late.ts', kind: 'ours', ms: 1, below: [] };
  assert.deepEqual(below, [{ name: 'loading modules', kind: 'node', ms: 3, below: [late] }]);
});

test('a frame is as wide as its share, and below its caller', () => {
  const svg = drawFlame('A <test>', [frameOf(profile, 'one'), frameOf(profile, 'two')]);
  assert.ok(svg.includes('<title>A &lt;test></title>'));
  assert.ok(svg.includes('<title>read node:fs: 14 ms, 46.7 %</title>'));
  assert.match(svg, /<rect x="600\.0" y="34" width="599\.5"/);
  assert.doesNotMatch(svg, /NaN|undefined/);
});
