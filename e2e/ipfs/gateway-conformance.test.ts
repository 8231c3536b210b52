/**
 * The gateway against gateway-conformance, the suite of the specifications' own authors (as a program on PATH; it needs
 * Go to run). Every test of every stable specification passes, but for those that are listed here with their reason.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { GatewayWorld } from './gateway-world.ts';

/** Beginnings of names of tests that need not pass, and why. */
const exceptions: Readonly<Record<string, string>> = {
  TestProxyGatewaySubdomains: 'the web server is no proxy: a request line that names another host is refused',
  TestProxyTunnelGatewaySubdomains: 'the same; CONNECT is refused too',
};

type Line = { readonly Action: string; readonly Test?: string };

test('all stable specifications of the HTTP gateway', { timeout: 280_000 }, async (t) => {
  const program = 'gateway-conformance';
  if (spawnSync(program, ['--version']).status !== 0)
    return t.skip(
      `${program} is not installed: no registry has it, so it is not among the peers that must be here`,
    );
  const folder = mkdtempSync(join(tmpdir(), 'tequio-gateway-'));
  const world = new GatewayWorld();
  try {
    const fixtures = join(folder, 'fixtures');
    const extracted = spawnSync(program, ['extract-fixtures', '--merged', '--directory', fixtures]);
    assert.equal(extracted.status, 0, extracted.stderr.toString());
    await world.load(fixtures);
    const port = await world.start();
    const report = join(folder, 'report.json');
    await run(program, [
      'test',
      `--gateway-url=http://127.0.0.1:${port}`,
      `--subdomain-url=http://localhost:${port}`,
      `--json-output=${report}`,
    ]);
    const { passed, failed } = readReport(report);
    const unexpected = failed.filter(
      (name) => !Object.keys(exceptions).some((prefix) => name.startsWith(prefix)),
    );
    t.diagnostic(`${passed} passed, ${failed.length} failed, of them ${unexpected.length} unexpected`);
    assert.deepEqual(unexpected, []);
    assert.ok(passed > 500, `${passed} tests passed`);
  } finally {
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Until it has ended; its status says only whether all passed. */
function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
}

/** Of `go test -json`, the tests without tests below them. */
function readReport(path: string): { readonly passed: number; readonly failed: readonly string[] } {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
    .filter(
      ({ Test: name, Action: action }) => name !== undefined && (action === 'pass' || action === 'fail'),
    );
  const names = lines.map((line) => line.Test!);
  const parents = new Set(
    names.flatMap((name) => (name.includes('/') ? [name.slice(0, name.lastIndexOf('/'))] : [])),
  );
  const leaves = lines.filter((line) => !parents.has(line.Test!));
  return {
    passed: leaves.filter(({ Action: action }) => action === 'pass').length,
    failed: leaves.filter(({ Action: action }) => action === 'fail').map((line) => line.Test!),
  };
}
