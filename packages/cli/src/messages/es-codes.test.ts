import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentenceInSpanish } from './es-codes.ts';

test('sentences of the node are said in Spanish, with their paths, figures and reasons', () => {
  for (const [code, text, expected] of [
    [
      'BITTORRENT_DISK_FULL',
      'There is no space left for "/a/b 7.iso". Free some space: x.',
      /espacio para «\/a\/b 7\.iso»/,
    ],
    [
      'BITTORRENT_BAD_BLOCK',
      'The peer sent wrong bytes in block 3 of piece 12.',
      /bloque 3 de la pieza 12\./,
    ],
    [
      'BITTORRENT_TRACKER_UNREACHABLE',
      'The tracker cannot be reached: connection refused',
      /: conexión rechazada\.$/,
    ],
    [
      'NET_LISTEN',
      'Cannot listen on TCP port 80: another program uses it.',
      /puerto 80: lo usa otro programa\./,
    ],
    ['FILE_MISSING', '"/a/b" does not exist.', /^«\/a\/b» no existe\.$/],
    [
      'FILE_TOO_LONG',
      '"/f2" is longer than the 100 bytes that are allowed.',
      /«\/f2» es más largo que los 100 bytes/,
    ],
  ] as const)
    assert.match(sentenceInSpanish(code, text), expected);
});

test('what is not known here, or said in Spanish already, stays as it is', () => {
  assert.equal(sentenceInSpanish('SOMETHING_NEW', 'Something new.'), 'Something new.');
  assert.equal(sentenceInSpanish('FILE_MISSING', 'No está aquí.'), 'No está aquí.');
  assert.equal(sentenceInSpanish('FILE_MISSING', 'No hay nada en «x».'), 'No hay nada en «x».');
});
