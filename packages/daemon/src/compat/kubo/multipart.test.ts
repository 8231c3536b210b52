import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { boundaryOf, readMultipart } from './multipart.ts';

const boundary = '----limit';

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!;
    yield bytes.slice(at, at + size);
    at += size;
  }
}

type Read = { name: string; fileName: string | null; type: string | undefined; body: Buffer };

async function readAll(bytes: Uint8Array, sizes: readonly number[] = []): Promise<Read[]> {
  const parts: Read[] = [];
  for await (const part of readMultipart(inPieces(bytes, sizes), boundary)) {
    const pieces: Uint8Array[] = [];
    for await (const piece of part.body) pieces.push(piece.slice());
    const { name, fileName, headers } = part;
    parts.push({ name, fileName, type: headers['content-type'], body: Buffer.concat(pieces) });
  }
  return parts;
}

function encode(bodies: readonly Uint8Array[]): Buffer {
  const parts = bodies.flatMap((body, i) => [
    Buffer.from(
      `${i === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Disposition: form-data; name="f${i}"\r\n\r\n`,
    ),
    body,
  ]);
  return Buffer.concat([...parts, Buffer.from(`\r\n--${boundary}--\r\n`)]);
}

test('parts, their names and headers, in pieces of every size', async () => {
  const text = [
    `--${boundary}`,
    'Content-Disposition: form-data; name="file?mode=0644&mtime=5"; filename="a%2Fb \\"c\\".txt"',
    'Content-Type: application/octet-stream',
    '',
    'one\r\n--not the limit\r\n',
    `--${boundary}  `,
    'content-disposition: form-data; name=dir; filename=folder',
    'content-type: application/x-directory',
    '',
    '',
    `--${boundary}`,
    '',
    'no name',
    `--${boundary}--`,
    'what comes after does not matter',
  ].join('\r\n');
  for (const size of [1, 2, 3, 7, 50, 10_000]) {
    const parts = await readAll(Buffer.from(text), [size]);
    deepEqual(
      parts.map(({ body, ...rest }) => ({ ...rest, body: body.toString() })),
      [
        {
          name: 'file?mode=0644&mtime=5',
          fileName: 'a%2Fb "c".txt',
          type: 'application/octet-stream',
          body: 'one\r\n--not the limit\r\n',
        },
        { name: 'dir', fileName: 'folder', type: 'application/x-directory', body: '' },
        { name: '', fileName: null, type: undefined, body: 'no name' },
      ],
    );
  }
});

test('what was put in comes out, however it is cut', async () => {
  const byte = fc.constantFrom(...Buffer.from(`\r\n-${boundary}x`));
  const body = fc.array(byte, { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes));
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 4 }), sizes, async (bodies, cuts) => {
      fc.pre(
        bodies.every(
          (bytes) => !`\r\n${Buffer.from(bytes).toString('latin1')}`.includes(`\r\n--${boundary}`),
        ),
      );
      const parts = await readAll(encode(bodies), cuts);
      deepEqual(
        parts.map(({ body: found }) => found.toString('hex')),
        bodies.map((bytes) => Buffer.from(bytes).toString('hex')),
      );
    }),
  );
});

test('a part that nobody reads is passed over', async () => {
  const names: string[] = [];
  const bodies = [Buffer.alloc(100_000, 'x'), Buffer.from('two')];
  for await (const { name } of readMultipart(inPieces(encode(bodies), [999]), boundary)) names.push(name);
  deepEqual(names, ['f0', 'f1']);
});

test('whoever stops in the middle gives the source back', async () => {
  let isGivenBack = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* inPieces(encode([Buffer.alloc(100_000)]), [1000]);
    } finally {
      isGivenBack = true;
    }
  }
  for await (const _ of readMultipart(source(), boundary)) break;
  ok(isGivenBack);
});

test('what is cut off, too long or no multipart at all is refused', async () => {
  const whole = encode([Buffer.from('body')]);
  for (let length = 0; length < whole.length - 4; length++)
    await rejects(readAll(whole.subarray(0, length)), { code: 'HTTP_MULTIPART' }, `${length} bytes`);
  const head = (text: string): Buffer => Buffer.from(`--${boundary}\r\n${text}\r\n\r\nx\r\n--${boundary}--`);
  await rejects(readAll(head('no colon')), { code: 'HTTP_MULTIPART' });
  await rejects(readAll(head(`a: ${'x'.repeat(20_000)}`), [100]), { code: 'HTTP_MULTIPART' });
  await rejects(readAll(head('a: b\r\n'.repeat(5000))), { code: 'HTTP_MULTIPART' });
  await rejects(readAll(Buffer.from(`--${boundary}x\r\n\r\n--${boundary}--`)), { code: 'HTTP_MULTIPART' });
  throws(() => boundaryOf('application/json'), { code: 'HTTP_MULTIPART' });
  throws(() => boundaryOf('multipart/form-data'), { code: 'HTTP_MULTIPART' });
  throws(() => boundaryOf(`multipart/form-data; boundary=${'x'.repeat(300)}`), { code: 'HTTP_MULTIPART' });
  equal(boundaryOf('multipart/form-data; charset=utf-8; boundary="a b"'), 'a b');
  equal(boundaryOf('Multipart/Form-Data; boundary=--x'), '--x');
});
