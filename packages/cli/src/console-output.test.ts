import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConsoleOutput } from './console-output.ts';
import { LiveView } from './live-view.ts';
import { FakeWorld } from './testing/fake-world.ts';

test('live view: draws over itself, clears for others, gives the cursor back', () => {
  let written = '';
  const view = new LiveView({ write: (text) => void (written += text) });
  view.draw(['a', 'b']);
  assert.equal(written, '\x1b[?25la\x1b[K\nb\x1b[K\n\x1b[J');
  written = '';
  view.draw(['c']);
  assert.equal(written, '\x1b[2A\rc\x1b[K\n\x1b[J');
  written = '';
  view.end();
  view.end();
  assert.equal(written, '\x1b[1A\r\x1b[J\x1b[?25h');
});

test('colours: on a terminal of standard error only, unless the environment says otherwise', () => {
  const options = { json: false, quiet: false };
  const hasColors = (terminalColumns: number | undefined, env: Record<string, string>): boolean =>
    new ConsoleOutput(
      new FakeWorld(terminalColumns === undefined ? { env } : { terminalColumns, env }),
      options,
    ).colors.isColorSupported;
  assert.equal(hasColors(80, {}), true);
  assert.equal(hasColors(undefined, {}), false);
  assert.equal(hasColors(80, { NO_COLOR: '1' }), false);
  assert.equal(hasColors(80, { NO_COLOR: '' }), true);
  assert.equal(hasColors(80, { TERM: 'dumb' }), false);
  assert.equal(hasColors(undefined, { FORCE_COLOR: '1' }), true);
  assert.equal(hasColors(80, { NO_COLOR: '1', FORCE_COLOR: '1' }), false);
});
