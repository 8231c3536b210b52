/** What a command that only downloads must not wait for. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { execPath } from 'node:process';
import { test } from 'node:test';

/** Prints the URL of every module that an import leads to. */
const listing = `
  import { registerHooks } from 'node:module';
  const urls = [];
  registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
  await import(process.argv[1]);
  console.log(urls.join('\\n'));`;

test('a node without the daemon around it loads neither the HTTP API nor what describes and configures it', () => {
  const entry = new URL('./compose.ts', import.meta.url).href;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', listing, entry];
  const child = spawnSync(execPath, args, { encoding: 'utf8', timeout: 30_000 });
  assert.equal(child.status, 0, child.stderr);
  const urls = child.stdout.trim().split('\n');
  assert.ok(urls.includes(entry), 'the listing works');
  const unwanted = /node_modules\/(zod|ws|saxes|smol-toml)\/|daemon\/src\/(http|compat|rss|config)\//;
  assert.deepEqual(
    urls.filter((url) => unwanted.test(url)),
    [],
  );
  const outside = urls.filter((url) => /packages\/(ipfs|overlay|cli|client|web)\//.test(url));
  assert.deepEqual(outside, []);
  assert.ok(urls.length < 300, `${urls.length} modules`);
});
