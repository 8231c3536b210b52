import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@tequio/kernel';
import fc from 'fast-check';
import { elementBytesMax, foldedPath, numberedPath, safeElement, safePath } from './file-name.ts';

test('elements: what stays, what goes, what is replaced', () => {
  const table: [string, string][] = [
    ['plain name.txt', 'plain name.txt'],
    ['.hidden', '.hidden'],
    ['foo... bar', 'foo... bar'],
    ['日本語 – ñ 😀', '日本語 – ñ 😀'],
    ['.', ''],
    ['..', ''],
    ['/', ''],
    ['\\', ''],
    ['/..', ''],
    ['.\0.', ''],
    ['...', '_'],
    [' ', '_'],
    ['/etc/passwd', 'etcpasswd'],
    ['..\\..\\x', '....x'],
    ['a:b', 'a_b'],
    ['C:', 'C_'],
    ['<>:"|?*', '_______'],
    ['a\u0001b\u007fc\u0085d', 'a_b_c_d'],
    ['gpj.\u202eexe', 'gpj.exe'],
    ['a\u2028b\ufffdc', 'a_b_c'],
    ['\ud800x', '_x'],
    ['name. . ', 'name'],
    ['con', '_con'],
    ['CON.txt', '_CON.txt'],
    ['Com1 .tar.gz', '_Com1 .tar.gz'],
    ['lpt\u00b9', '_lpt\u00b9'],
    ['con\u202e', '_con'],
    ['nul:', 'nul_'],
    ['console', 'console'],
    ['com10', 'com10'],
  ];
  assert.equal(safeElement('').text, '');
  for (const [was, is] of table) {
    const safe = safeElement(was);
    assert.equal(safe.text, is, JSON.stringify(was));
    assert.equal(safe.reasons.length > 0, was !== is, JSON.stringify(was));
  }
});

test('long elements are cut between characters, a short extension kept', () => {
  const long = safeElement(`${'x'.repeat(300)}.torrent`).text;
  assert.equal(long, `${'x'.repeat(232)}.torrent`);
  const wide = safeElement('ñ'.repeat(200)).text;
  assert.equal(wide, 'ñ'.repeat(120));
  const emoji = safeElement(`a${'😀'.repeat(100)}`).text;
  assert.equal(emoji, `a${'😀'.repeat(59)}`);
  assert.equal(encodeUtf8(safeElement(`a.${'x'.repeat(300)}`).text).length, elementBytesMax);
  assert.equal(safeElement('x'.repeat(240)).reasons.length, 0);
  assert.equal(safeElement(`${'x'.repeat(239)}.${'y'.repeat(30)}`).text, 'x'.repeat(239));
});

test('paths drop what means another folder, and are never empty', () => {
  assert.equal(safePath(['..', '..', 'bar']).text, 'bar');
  assert.equal(safePath(['a', '', '.', 'b']).text, 'a/b');
  assert.equal(safePath(['/', '.']).text, '_');
  assert.equal(safePath([]).text, '_');
  assert.deepEqual(safePath(['a', 'b c']).reasons, []);
});

test('numbers go before the extension of the last element', () => {
  assert.equal(numberedPath('a/b.txt', 2), 'a/b.2.txt');
  assert.equal(numberedPath('a.d/b', 2), 'a.d/b.2');
  assert.equal(numberedPath('a/.hidden', 2), 'a/.hidden.2');
});

test('folding finds what systems take for one name', () => {
  assert.equal(foldedPath('README'), foldedPath('readme'));
  assert.equal(foldedPath('e\u0301'), foldedPath('\u00c9'));
  assert.equal(foldedPath('stra\u00dfe'), foldedPath('STRASSE'));
  assert.notEqual(foldedPath('a'), foldedPath('b'));
});

test('whatever comes in, what comes out is safe, and safe things stay', () => {
  const nasty = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    ':',
    '\0',
    '\u202e',
    ' ',
    'con',
    'x',
    '.txt',
    '\ufffd',
    'ñ',
    '\ud800',
    '*',
  );
  const element = fc.oneof(
    fc.array(nasty, { maxLength: 6 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 300 }),
  );
  fc.assert(
    fc.property(fc.array(element, { maxLength: 5 }), (elements) => {
      const { text } = safePath(elements);
      for (const part of text.split('/')) {
        assert.ok(part !== '' && part !== '.' && part !== '..');
        assert.ok(encodeUtf8(part).length <= elementBytesMax);
        assert.match(part, /^[^\u0000-\u001f\u007f<>:"|?*\\\u202a-\u202e]*[^. ]$/u);
        assert.doesNotMatch(part, /^(con|nul|aux|prn)(\..*)?$/i);
      }
      assert.deepEqual(safePath(text.split('/')), { text, reasons: [] });
    }),
    { numRuns: 3000 },
  );
});
