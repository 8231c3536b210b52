import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { commandNames } from '../command-table.ts';
import { systemdUnit } from '../systemd-unit.ts';
import { FakeWorld, run } from '../testing/fake-world.ts';

async function outputOf(line: string, env: Record<string, string> = {}): Promise<string> {
  const world = new FakeWorld({ env });
  assert.equal(await run(world, line), 0, world.err);
  return world.out;
}

/** What bash would offer for the last of these words. */
function completed(script: string, ...words: string[]): string[] {
  const call = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _tequio`;
  const shell = spawnSync('bash', ['-c', `${script}\n${call}\necho "\${COMPREPLY[@]}"`], {
    encoding: 'utf8',
  });
  assert.equal(shell.stderr, '');
  return shell.stdout.trim().split(' ');
}

test('bash completes commands, subcommands and options', async () => {
  const script = await outputOf('completions bash');
  assert.deepEqual(completed(script, 'tequio', 'verif'), ['verify']);
  assert.deepEqual(completed(script, 'tequio', '--data', '/x', 'ge'), ['get']);
  assert.deepEqual(completed(script, 'tequio', 'get', '--sel'), ['--select']);
  assert.deepEqual(completed(script, 'tequio', 'nat', 'st'), ['status']);
  assert.deepEqual(completed(script, 'tequio', 'run', '--no-h'), ['--no-http']);
});

test('every shell has every command, and none that is unknown is guessed', async () => {
  for (const shell of ['zsh', 'fish', 'powershell']) {
    const script = await outputOf(`completions ${shell}`);
    for (const name of commandNames) assert.match(script, new RegExp(`\\b${name}\\b`), `${shell}: ${name}`);
  }
  assert.equal(await run(new FakeWorld(), 'completions tcsh'), 2);
});

test('the manual page has every command and option, and no line that roff takes for something else', async () => {
  const page = await outputOf('man');
  for (const name of commandNames) assert.match(page, new RegExp(`^\\.SS "tequio ${name}`, 'm'));
  assert.match(page, /\\fB\\-\\-limit\\-down <rate>\\fR/);
  for (const line of page.split('\n'))
    if (line.startsWith('.')) assert.match(line, /^\.(?:TH|SH|SS|TP|B)\b/, line);
});

test('the unit confines the node to its folders, and is printed without writing anything', async () => {
  const text = await outputOf('service install --print --download /srv/content', { HOME: '/home/ana' });
  assert.match(
    text,
    /^ExecStart=\/usr\/bin\/node \/project\/bin\/tequio\.ts run --data \S+ --download \/srv\/content$/m,
  );
  for (const line of [
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ReadWritePaths=/srv/content',
    'UMask=0077',
  ])
    assert.ok(text.includes(`\n${line}\n`), line);
  // With these a user's systemd does not start it.
  assert.doesNotMatch(
    text,
    /CapabilityBoundingSet|PrivateDevices|ProtectClock|ProtectKernel(?:Modules|Logs)/,
  );
  const odd = systemdUnit({ command: ['/a b/node', '--x=50%', '$HOME'], folders: ['/d "q"'] });
  assert.match(odd, /^ExecStart="\/a b\/node" --x=50%% \$\$HOME$/m);
  assert.match(odd, /^ReadWritePaths="\/d \\"q\\""$/m);
});
