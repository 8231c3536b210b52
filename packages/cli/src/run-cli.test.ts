import assert from 'node:assert/strict';
import { test } from 'node:test';
import './commands/get.ts';
import './commands/show.ts';
import { FakeWorld, run } from './testing/fake-world.ts';

test('help, of the program and of every command, costs nothing and ends well', async () => {
  for (const line of ['--help', 'help', '-h']) {
    const world = new FakeWorld();
    assert.equal(await run(world, line), 0);
    assert.match(world.out, /^Usage: tequio/);
    for (const name of ['get', 'seed', 'create', 'show', 'verify', 'tracker', 'dht', 'demo'])
      assert.match(world.out, new RegExp(`\\n  ${name} .*`));
    assert.equal(world.err, '');
    assert.equal(world.settings.length, 0);
  }
  for (const name of ['get', 'seed', 'create', 'show', 'verify', 'tracker', 'dht', 'demo']) {
    for (const line of [`${name} --help`, `help ${name}`]) {
      const world = new FakeWorld();
      assert.equal(await run(world, line), 0, line);
      assert.match(world.out, new RegExp(`^Usage: tequio ${name} `));
      assert.match(world.out, new RegExp(`Examples:\n  tequio ${name}`));
      assert.match(world.out, /Global options:/);
    }
  }
});

test('all options of the issue are in the help', async () => {
  const options: Record<string, string> = {
    get: '--to --seed --peer --port --bind --select --sequential --limit-down --limit-up --timeout',
    seed: '--from',
    create: '--output --v1 --v2 --hybrid --piece-size --tracker --web-seed --private --source --comment',
    tracker: '--http --udp --bind --allow',
    show: '--data --json --quiet',
  };
  for (const [name, names] of Object.entries(options)) {
    const world = new FakeWorld();
    await run(world, `${name} --help`);
    for (const option of names.split(' ')) assert.ok(world.out.includes(option), `${name} ${option}`);
  }
});

test('version', async () => {
  const world = new FakeWorld();
  assert.equal(await run(world, '--version'), 0);
  assert.equal(world.out, '1.2.3\n');
});

const mistakes: readonly (readonly [string, RegExp])[] = [
  ['fetch', /There is no command “fetch”/],
  ['sed', /Did you mean “seed”\?/],
  ['debian.torrent', /`tequio get debian.torrent`/],
  ['get', /“SOURCE” is missing.*`tequio get --help`/],
  ['get a --too b', /no option “--too” here.*“--to”/],
  ['get a --to', /needs a value/],
  ['get a --port 70000', /“70000” is no port/],
  ['get a --port x', /“x” is no port/],
  ['get a --peer host', /“host” is no peer/],
  ['get a --peer host:0', /is no peer/],
  ['get a --peer ::1:80', /is no peer/],
  ['get a --limit-up fast', /“fast” is no rate/],
  ['get a --timeout -1', /“-1” is no time/],
  ['get a --timeout 0', /“0” is no time/],
  ['get a --bind 1.2.3', /“1.2.3” is no IP address/],
  ['create a', /option “-o, --output <file>” is needed/],
  ['create a -o b --v1 --v2', /“--v1” and “--v2” cannot be given together/],
  ['create a -o b --v1 --hybrid', /cannot be given together/],
  [`create a -o b --salt ${'x'.repeat(65)}`, /at most 64 bytes/],
  ['create a -o b --private --mutable', /cannot be given together/],
  ['create a -o b --private --salt s', /cannot be given together/],
  ['create a -o b --piece-size 20K', /“20K” is no piece size/],
  ['create a -o b --piece-size 8K', /is no piece size/],
  ['create a -o b --tracker ftp://x', /is no tracker/],
  ['create a -o b --web-seed udp://x:1', /is no web seed/],
  ['show a b', /more arguments/],
  ['verify magnet:?xt=urn:btih:x /a', /holds no piece hashes/],
];
for (const [line, sentence] of mistakes) {
  test(`usage: ${line}`, async () => {
    const world = new FakeWorld();
    assert.equal(await run(world, line), 2);
    assert.match(world.err, sentence);
    assert.match(world.err, /^tequio: /);
    assert.equal(world.out, '');
    const forPrograms = new FakeWorld();
    assert.equal(await run(forPrograms, `${line} --json`), 2);
    assert.deepEqual(
      forPrograms.json.map((value) => (value['error'] as { code: string }).code),
      ['CLI_USAGE'],
    );
  });
}

test('Spanish, by the environment', async () => {
  const world = new FakeWorld({ env: { LANG: 'es_MX.UTF-8' } });
  assert.equal(await run(world, '--help'), 0);
  assert.match(world.out, /^Uso: tequio[\s\S]*Opciones:[\s\S]*Órdenes:/);
  const mistaken = new FakeWorld({ env: { LC_ALL: 'es', LANG: 'en_US' } });
  assert.equal(await run(mistaken, 'traer'), 2);
  assert.match(mistaken.err, /No existe la orden «traer»/);
});

test('npm start: the program is called as the user called it', async () => {
  const world = new FakeWorld({ env: { npm_lifecycle_event: 'start' } });
  await run(world, 'get --help');
  assert.match(world.out, /npm start -- get debian\.torrent/);
});

test('an unexpected error is a mistake of ours, with a code of its own', async () => {
  const world = new FakeWorld();
  world.startNode = () => Promise.reject(new TypeError('x is not a function'));
  assert.equal(await run(world, 'show a'), 70);
  assert.match(world.err, /mistake in Tequio.*x is not a function/);
});

test('help fits the terminal', async () => {
  for (const name of ['', 'get', 'seed', 'create', 'show', 'verify', 'tracker', 'dht', 'demo']) {
    const world = new FakeWorld({ terminalColumns: 72 });
    await run(world, `${name} --help`.trim());
    // Lines of examples are to be copied, so they are never broken.
    const lines = world.out.split('\n').filter((line) => !/^ {2}(?: {4})?\S/.test(line));
    for (const line of lines) assert.ok(line.length <= 72, line);
  }
});
