/** The examples, run as their readers run them: as processes that exchange a folder over loopback. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer, text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

function run(t: TestContext, name: string, args: readonly string[]): ChildProcess {
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => void child.kill('SIGKILL'));
  return child;
}

/** A folder of two files, shared by `share.ts`; the link and the peer that it printed. */
async function share(
  t: TestContext,
): Promise<{ folder: string; magnet: string; peer: string; film: Buffer }> {
  const folder = await mkdtemp(join(tmpdir(), 'tequio-library-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const film = createHash('shake256', { outputLength: 1_300_007 }).update('film').digest();
  await mkdir(join(folder, 'shared'));
  await writeFile(join(folder, 'shared/film.bin'), film);
  await writeFile(join(folder, 'shared/read me.txt'), 'Saludos');
  const child = run(t, 'share', [join(folder, 'shared'), join(folder, 'state')]);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const magnet = String((await lines.next()).value);
  const port = String((await lines.next()).value).slice('port '.length);
  return { folder, magnet, peer: `127.0.0.1:${port}`, film };
}

test('download.ts fetches what share.ts offers', { timeout: 30_000 }, async (t) => {
  const { folder, magnet, peer, film } = await share(t);
  const child = run(t, 'download', [magnet, join(folder, 'copy'), peer]);
  const [said, [code]] = await Promise.all([text(child.stdout!), once(child, 'exit')]);
  assert.equal(code, 0);
  assert.match(said, /shared\/film\.bin: 1300007 bytes/);
  assert.deepEqual(await readFile(join(folder, 'copy/shared/film.bin')), film);
  assert.equal(await readFile(join(folder, 'copy/shared/read me.txt'), 'utf8'), 'Saludos');
});

test('stream.ts writes the largest file out while it comes', { timeout: 30_000 }, async (t) => {
  const { folder, magnet, peer, film } = await share(t);
  const child = run(t, 'stream', [magnet, join(folder, 'copy'), peer]);
  const [bytes, [code]] = await Promise.all([buffer(child.stdout!), once(child, 'exit')]);
  assert.equal(code, 0);
  assert.ok(bytes.equals(film));
});
