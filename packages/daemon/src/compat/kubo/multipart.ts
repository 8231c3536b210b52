/**
 * `multipart/form-data` (RFC 7578) as it comes in, part by part, in bounded memory: a part may be larger than memory.
 * Source of the syntax: RFC 2046, section 5.1.1. Kubo's clients put a folder's paths and times into the parts' headers
 * and names, so both are given whole.
 */
import { decodeUtf8Lossy, NodeError } from '@tequio/kernel';

export const multipartLimits = {
  boundaryCharacters: 200,
  /** Of one part. */
  headBytes: 16 * 1024,
} as const;

export type MultipartPart = {
  /** Of the field; the empty text when it has none. */
  readonly name: string;
  /** As it was sent, nothing decoded; null: the field is no file. */
  readonly fileName: string | null;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Once, and before the next part is asked for: what is not taken by then is thrown away. */
  readonly body: AsyncIterable<Uint8Array>;
};

/** @throws NodeError `HTTP_MULTIPART` when the header names no boundary */
export function boundaryOf(contentType: string): string {
  const match = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? '';
  if (boundary === '' || boundary.length > multipartLimits.boundaryCharacters)
    throw broken('The content-type must be multipart/form-data, with a boundary.');
  return boundary;
}

/** @throws NodeError `HTTP_MULTIPART`, from the iterators; and what `source` throws */
export async function* readMultipart(
  source: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<MultipartPart> {
  const window = new Window(source);
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  try {
    // The first delimiter may stand at the very beginning, where no line ends before it.
    window.prepend(Buffer.from('\r\n'));
    await drain(until(window, delimiter));
    while (await hasNext(window)) {
      const headers = await readHead(window);
      const body = until(window, delimiter);
      yield { ...nameOf(headers['content-disposition'] ?? ''), headers, body };
      await drain(body);
    }
  } finally {
    await window.close();
  }
}

/** Bytes that came and were not taken yet: never more than a piece of the source and a delimiter. */
class Window {
  readonly #source: AsyncIterator<Uint8Array>;
  bytes: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  prepend(bytes: Buffer): void {
    this.bytes = Buffer.concat([bytes, this.bytes]);
  }

  take(count: number): Buffer {
    const taken = this.bytes.subarray(0, count);
    this.bytes = this.bytes.subarray(count);
    return taken;
  }

  /** @throws NodeError `HTTP_MULTIPART` when nothing more comes */
  async more(): Promise<void> {
    const next = await this.#source.next();
    if (next.done === true) throw broken('The last part of the request is not complete.');
    const { buffer, byteOffset, length } = next.value;
    const piece = Buffer.from(buffer, byteOffset, length);
    this.bytes = this.bytes.length === 0 ? piece : Buffer.concat([this.bytes, piece]);
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** What stands before `delimiter`, which is taken too. A second use yields what the first has left. */
function until(window: Window, delimiter: Buffer): AsyncIterable<Uint8Array> {
  let isOver = false;
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    while (!isOver) {
      const at = window.bytes.indexOf(delimiter);
      const count = at >= 0 ? at : window.bytes.length - (delimiter.length - 1);
      const piece = count > 0 ? window.take(count) : null;
      if (at >= 0) {
        window.take(delimiter.length);
        isOver = true;
      }
      if (piece !== null) yield piece;
      if (!isOver) await window.more();
    }
  };
  return { [Symbol.asyncIterator]: pieces };
}

/** After a delimiter: `--` ends it all; spaces and a line's end begin a part. */
async function hasNext(window: Window): Promise<boolean> {
  while (window.bytes.length < 2) await window.more();
  if (window.bytes.subarray(0, 2).toString('latin1') === '--') return false;
  const line = await readLine(window);
  if (line.trim() !== '') throw broken('A delimiter is followed by something that does not belong there.');
  return true;
}

async function readHead(window: Window): Promise<Readonly<Record<string, string>>> {
  const headers: Record<string, string> = {};
  for (let bytes = 0; ; ) {
    const line = await readLine(window);
    if (line === '') return headers;
    bytes += line.length;
    if (bytes > multipartLimits.headBytes) throw broken('The headers of a part are too long.');
    const colon = line.indexOf(':');
    if (colon <= 0) throw broken('A part has a header without a name.');
    headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
}

async function readLine(window: Window): Promise<string> {
  for (;;) {
    const at = window.bytes.indexOf('\r\n');
    if (at >= 0) {
      const line = decodeUtf8Lossy(window.take(at));
      window.take(2);
      return line;
    }
    if (window.bytes.length > multipartLimits.headBytes) throw broken('The headers of a part are too long.');
    await window.more();
  }
}

function nameOf(disposition: string): Pick<MultipartPart, 'name' | 'fileName'> {
  return { name: parameterOf(disposition, 'name') ?? '', fileName: parameterOf(disposition, 'filename') };
}

function parameterOf(disposition: string, name: string): string | null {
  const pattern = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, 'i');
  const match = pattern.exec(disposition);
  return match?.[1]?.replace(/\\(["\\])/g, '$1') ?? match?.[2] ?? null;
}

async function drain(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of pieces);
}

function broken(sentence: string): NodeError {
  return new NodeError('HTTP_MULTIPART', sentence, { op: 'read' });
}
