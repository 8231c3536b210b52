import { concatBytes, copyBytes, type HttpClient, NodeError } from '@tequio/kernel';

const timeoutMs = 30_000;
const redirectCountMax = 5;

/** What is at an http(s) address. @throws NodeError `WEB_UNREACHABLE`, `WEB_TOO_LONG` */
export async function fetchBytes(address: string, bytesMax: number, http: HttpClient): Promise<Uint8Array> {
  let url = address;
  for (let hop = 0; hop <= redirectCountMax; hop++) {
    const { body, location } = await request(url, bytesMax, http);
    if (location === null) return body;
    url = URL.parse(location, url)?.href ?? '';
    if (!/^https?:\/\//i.test(url))
      throw unreachable(address, 'it redirects to something that is no web address');
  }
  throw unreachable(address, 'it redirects too often');
}

type Answer = { readonly body: Uint8Array; readonly location: string | null };

function request(url: string, bytesMax: number, http: HttpClient): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let location: string | null = null;
    const exchange = http.open(
      { method: 'GET', url, timeoutMs, bytesMax },
      {
        onHead: ({ status, headers }) => {
          if (status >= 300 && status < 400 && headers['location'] !== undefined)
            location = headers['location'];
          else if (status !== 200) {
            exchange.abort();
            reject(unreachable(url, `the server answers with status ${status}`));
          }
        },
        onBytes: (bytes) => void parts.push(copyBytes(bytes)),
        onEnd: (error) => {
          if (error === null) resolve({ body: concatBytes(parts), location });
          else if (error.code === 'HTTP_TOO_LONG')
            reject(
              new NodeError('WEB_TOO_LONG', `What is at ${url} is longer than ${bytesMax} bytes.`, {
                op: 'get',
              }),
            );
          else reject(unreachable(url, error.message));
        },
      },
    );
  });
}

function unreachable(url: string, reason: string): NodeError {
  return new NodeError('WEB_UNREACHABLE', `${url} could not be fetched: ${reason}`, {
    op: 'get',
    retry: true,
  });
}
