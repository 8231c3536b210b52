import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitfield } from '@tequio/kernel';
import fc from 'fast-check';
import pc from 'picocolors';
import { ConsoleOutput } from './console-output.ts';
import { DemoMember, DemoSwarm } from './demo-swarm.ts';
import { renderSwarm } from './demo-view.ts';
import { encodeJsonLine } from './json-output.ts';
import { languageOf } from './language.ts';
import { LiveView } from './live-view.ts';
import { en } from './messages/en.ts';
import { es } from './messages/es.ts';
import { baseName, joinPath, parentFolder } from './path-text.ts';
import { renderPieceMap } from './piece-map.ts';
import { printable } from './printable.ts';
import { isSourceAddress } from './source-text.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { fitText, spreadText, widthOf } from './text-width.ts';

test('language: the first of LC_ALL, LC_MESSAGES, LANG that is set', () => {
  assert.equal(languageOf({}), 'en');
  assert.equal(languageOf({ LANG: 'es_ES.UTF-8' }), 'es');
  assert.equal(languageOf({ LANG: 'es' }), 'es');
  assert.equal(languageOf({ LANG: 'est_EE' }), 'en');
  assert.equal(languageOf({ LC_ALL: '', LC_MESSAGES: 'es_MX', LANG: 'en_US' }), 'es');
  assert.equal(languageOf({ LC_ALL: 'C', LANG: 'es_MX' }), 'en');
});

/** Every leaf of a table of messages, by its path; functions are called with their own names as values. */
function leavesOf(table: object, path = ''): Map<string, string> {
  const leaves = new Map<string, string>();
  for (const [key, value] of Object.entries(table)) {
    const at = `${path}.${key}`;
    if (typeof value === 'function') leaves.set(at, String(value(2, 3, 4, 5, 6)));
    else if (typeof value === 'string') leaves.set(at, value);
    else for (const [inner, text] of leavesOf(value, at)) leaves.set(inner, text);
  }
  return leaves;
}

test('both languages are complete, and the Spanish one is Spanish', () => {
  const [english, spanish] = [leavesOf(pathsAsText(en)), leavesOf(pathsAsText(es))];
  assert.deepEqual([...spanish.keys()], [...english.keys()]);
  assert.ok(english.size > 150);
  const same = [...english].filter(([key, text]) => text === spanish.get(key)).map(([key]) => key);
  // Numbers, signs, commands and words that are the same in both.
  const allowed =
    /^\.(errors\.line|progress\.(up|down|plain)|seed\.(torrent|line)|show\.(hashV1|hashV2|bytes)|verify\.file|tracker\.(http|udp)|help\.\w+\.examples|demo\.nextLines)/;
  assert.deepEqual(
    same.filter((key) => !allowed.test(key)),
    [],
  );
  for (const [key, text] of [...english, ...spanish]) {
    assert.ok(text.trim() !== '', key);
    assert.ok(!/undefined|NaN|\[object/.test(text), `${key}: ${text}`);
  }
});

/** `padEnd` of states and the like needs text. */
function pathsAsText(table: typeof en): object {
  return {
    ...table,
    seed: { ...table.seed, line: () => table.seed.line('a', 'b') },
    verify: { ...table.verify, file: () => table.verify.file('a', 'b', 'c') },
  };
}

test('printable text has no control and no invisible turning characters', () => {
  assert.equal(printable('a\x1b[31mb\u202ec\u0085d\n'), 'a\ufffd[31mb\ufffdc\ufffdd\ufffd');
  assert.equal(printable('Ünï ☃ 日本 👩‍🚀'), 'Ünï ☃ 日本 👩‍🚀');
});

test('widths: wide and combining characters', () => {
  assert.equal(widthOf('日本'), 4);
  assert.equal(fitText('日本語の名前', 7), '日本語…');
  assert.equal(fitText('abcdef', 4), 'abc…');
  assert.equal(fitText('abc', 0), '');
  assert.equal(spreadText('name', '5 %', 12), 'name     5 %');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, columns) => {
      assert.ok(widthOf(fitText(text, columns)) <= columns);
    }),
  );
});

test('paths of both kinds of systems', () => {
  assert.deepEqual(['/a/b', '/a', '/'].map(parentFolder), ['/a', '/', '/']);
  assert.deepEqual(['/a/b', '/a', '/', '/x/y\\z'].map(baseName), ['b', 'a', '', 'y\\z']);
  assert.equal(parentFolder('C:\\Users\\ana'), 'C:\\Users');
  assert.equal(parentFolder('C:\\Users'), 'C:\\');
  assert.equal(baseName('C:\\Users\\ana'), 'ana');
  assert.equal(joinPath('/', 'a'), '/a');
  assert.equal(joinPath('/a', 'b'), '/a/b');
  assert.equal(joinPath('C:\\a', 'b'), 'C:\\a\\b');
});

test('what is a source by itself, and what a path', () => {
  for (const text of ['magnet:?xt=urn:btih:x', 'HTTP://a/b', 'https://a', 'a'.repeat(40), 'F'.repeat(64)])
    assert.ok(isSourceAddress(text), text);
  for (const text of ['a.torrent', './magnet:?', 'a'.repeat(41), 'g'.repeat(40), 'ftp://a'])
    assert.ok(!isSourceAddress(text), text);
});

test('piece map: a full block only for full cells', () => {
  const field = new Bitfield(8);
  for (const piece of [0, 1, 2, 6]) field.set(piece);
  assert.equal(renderPieceMap(field.bytes, 8, 8), '███···█·');
  assert.equal(renderPieceMap(field.bytes, 8, 4), '█▒·▒');
  assert.equal(renderPieceMap(field.bytes, 8, 1), '▒');
  assert.equal(renderPieceMap(field.bytes, 8, 16), '██████······██··');
  assert.equal(renderPieceMap(Bitfield.full(8).bytes, 8, 3), '███');
  assert.equal(renderPieceMap(new Uint8Array(0), 8, 3), '···');
  assert.equal(renderPieceMap(new Uint8Array(0), 0, 3), '···');
  const almost = Bitfield.full(1000);
  almost.clear(999);
  assert.equal(renderPieceMap(almost.bytes, 1000, 2), '█▓');
});

test('JSON lines: one line each, whatever is in them', () => {
  const line = encodeJsonLine({ name: 'a\nb\u2028c\u0085d' });
  assert.equal(line, '{"name":"a\\nb\\u2028c\\u0085d"}\n');
  assert.deepEqual(JSON.parse(line), { name: 'a\nb\u2028c\u0085d' });
});

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

test('demo: lines of a child that are not what they should be change nothing', () => {
  const member = new DemoMember('peer 1', false, 4);
  for (const line of ['', 'hello', 'null', '[]', '{"type":"bittorrent.piece.verified","piece":99}'])
    member.handleLine(line, 0);
  member.handleLine('{"type":"progress","pieces":"!!","peers":[null,3],"downloadedBytes":"x"}', 0);
  assert.equal(member.pieces.setCount, 0);
  assert.equal(member.downloadedBytes, 0);
});

test('demo: the picture at two widths', () => {
  const swarm = new DemoSwarm('seed', ['peer 1', 'peer 2'], 30);
  swarm.seed.handleLine('{"type":"seeding"}', 0);
  swarm.seed.handleLine('{"type":"progress","uploadedBytes":300000}', 0);
  for (let piece = 0; piece < 30; piece += 2)
    swarm.downloaders[0]!.handleLine(`{"type":"bittorrent.piece.verified","piece":${piece}}`, 0);
  const style = { colors: pc.createColors(false), messages: en };
  assert.deepEqual(renderSwarm(swarm, { columns: 80, ...style }), [
    `seed    ${'█'.repeat(41)}  sent 293 KiB`,
    `peer 1  ${renderPieceMap(swarm.downloaders[0]!.pieces.bytes, 30, 41)}   50 %  seed ~0 B, others ~0 B`,
    `peer 2  ${'·'.repeat(41)}    0 %  seed ~0 B, others ~0 B`,
  ]);
  for (const line of renderSwarm(swarm, { columns: 40, ...style })) assert.ok(widthOf(line) <= 40);
});
