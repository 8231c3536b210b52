/** `--address-filter` of the program itself: whoever is on the list is neither dialled nor let in. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeContent } from '../lab/content.ts';
import { cleanEnvironment, Running } from '../lab/running.ts';
import { programArguments, runTequio } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';

const here = ['--bind', '127.0.0.1', '--port', '0', '--no-dht', '--no-port-mapping'];

test('a filtered peer is not dialled, and does not get in; others are; bad lines are named', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tequio-filter-'));
  const at = (...parts: string[]): string => join(root, ...parts);
  const start = (...args: string[]): Running =>
    new Running(execPath, [...programArguments, ...args, '--json', '--data', mkdtempSync(at('data-'))], {
      env: cleanEnvironment(root),
    });
  const running: Running[] = [];
  const seed = async (...more: string[]): Promise<number> => {
    const seeder = start('seed', at('content'), ...here, ...more);
    running.push(seeder);
    return until('it seeds', 15_000, () => {
      const line = seeder.stdout
        .split('\n')
        .find((text) => text.includes('"seeding"') && text.includes('"port"'));
      return line === undefined ? null : (JSON.parse(line) as { port: number }).port;
    });
  };
  try {
    makeContent(at('content'), [{ path: 'a.bin', bytes: 200_000 }], 1);
    assert.equal((await runTequio(['create', at('content'), '-o', at('t.torrent')], root)).code, 0);
    const list =
      'Somebody:127.0.0.0-127.255.255.255\nnonsense\n001.002.003.004 - 001.002.003.009 , 000 , other\n';
    writeFileSync(at('loopback.p2p.gz'), gzipSync(list));
    writeFileSync(at('others.txt'), '192.0.2.0/24\n2001:db8::/32\n');
    const get = (port: number, to: string, list: string): Promise<{ code: number | null }> =>
      start(
        'get',
        at('t.torrent'),
        '--to',
        at(to),
        '--peer',
        `127.0.0.1:${port}`,
        '--timeout',
        '3',
        '--address-filter',
        at(list),
        ...here,
      ).wait(30_000);
    const open = await seed();
    assert.equal((await get(open, 'a', 'loopback.p2p.gz')).code, 69, 'not dialled');
    assert.equal((await get(open, 'b', 'others.txt')).code, 0);
    // Else local discovery would find it.
    await running[0]!.stop('SIGINT');
    const closed = await seed('--address-filter', at('loopback.p2p.gz'));
    const told = JSON.parse(running[1]!.stdout.split('\n')[0]!) as Record<string, unknown>;
    assert.deepEqual([told['type'], told['rangeCount'], told['badLineCount']], ['address-filter', 2, 1]);
    assert.deepEqual((told['badLines'] as { line: number }[])[0]?.line, 2);
    assert.equal((await get(closed, 'c', 'others.txt')).code, 69, 'not let in');
  } finally {
    for (const one of running) await one.stop('SIGINT');
    rmSync(root, { recursive: true, force: true });
  }
});
