/**
 * Request line and headers of HTTP/1.0 and 1.1 (RFC 9112), strictly: what other servers might read in another way is
 * no request. Cost: linear in the length, whatever is in it.
 */

export type HttpRequestHead = {
  readonly method: string;
  /** As it stood: path and query, undecoded. */
  readonly target: string;
  /** By name in lower case; what came several times is joined with commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the connection is good for another request after this one. */
  readonly keepsAlive: boolean;
  readonly hasBody: boolean;
  /** HTTP/1.1 without the `Host` that it must have: it gets an answer that says so (RFC 9112, section 3.2). */
  readonly lacksHost: boolean;
};

const requestLine = /^([A-Z]{1,32}) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.([01])$/;
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const notInValue = /[^\t\x20-\x7e\x80-\xff]/;
const digits = /^\d{1,15}$/;
const space = 0x20;
const tab = 0x09;

/** @param text bytes as Latin-1, up to the empty line and without it @returns null: this is no HTTP */
export function parseRequestHead(text: string): HttpRequestHead | null {
  const lineEnd = text.indexOf('\r\n');
  const line = requestLine.exec(lineEnd < 0 ? text : text.slice(0, lineEnd));
  if (line === null) return null;
  const headers = lineEnd < 0 ? {} : parseHeaders(text, lineEnd + 2);
  if (headers === null) return null;
  const length = headers['content-length'];
  if (length !== undefined && !digits.test(length)) return null;
  const isOld = line[3] === '0';
  const wishes = (headers['connection'] ?? '').toLowerCase();
  return {
    method: line[1]!,
    target: line[2]!,
    headers,
    keepsAlive: isOld ? wishes === 'keep-alive' : !wishes.split(',').some((wish) => wish.trim() === 'close'),
    hasBody: headers['transfer-encoding'] !== undefined || Number(length ?? 0) > 0,
    lacksHost: !isOld && headers['host'] === undefined,
  };
}

function parseHeaders(text: string, from: number): Record<string, string> | null {
  // Without a prototype: a header may be called like one of its members.
  const headers = Object.create(null) as Record<string, string>;
  for (let at = from; at < text.length; ) {
    const found = text.indexOf('\r\n', at);
    const end = found < 0 ? text.length : found;
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon >= end) return null;
    const name = text.slice(at, colon);
    if (!headerName.test(name)) return null;
    const value = trimmed(text, colon + 1, end);
    if (notInValue.test(value)) return null;
    const key = name.toLowerCase();
    const earlier = headers[key];
    headers[key] = earlier === undefined ? value : `${earlier}, ${value}`;
    at = end + 2;
  }
  return headers;
}

/** Without the spaces and tabs around it. */
function trimmed(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}
