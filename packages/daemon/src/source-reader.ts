/** What a user calls a torrent, fetched: a file, an http(s) address, a magnet link or a bare info-hash. */
import type { TorrentSource } from '@tequio/api';
import { concatBytes, copyBytes, type FilesPort, type HttpClient, NodeError } from '@tequio/kernel';

export const sourceLimits = {
  /** The largest torrent files in use have some 10 MiB. */
  torrentBytesMax: 64 << 20,
  redirectCountMax: 5,
  timeoutMs: 30_000,
} as const;

/** @throws NodeError as `NodeApi.readSource` says */
export async function readSource(
  text: string,
  ports: { files: FilesPort; http: HttpClient },
): Promise<TorrentSource> {
  if (/^magnet:/i.test(text) || /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text)) return { magnet: text };
  if (/^https?:\/\//i.test(text)) return { torrent: await download(text, ports.http) };
  return { torrent: await ports.files.readFile(text, sourceLimits.torrentBytesMax) };
}

async function download(address: string, http: HttpClient): Promise<Uint8Array> {
  let url = address;
  for (let hop = 0; hop <= sourceLimits.redirectCountMax; hop++) {
    const answer = await request(url, http);
    if (answer.location === null) return answer.body;
    url = new URL(answer.location, url).href;
    if (!/^https?:\/\//i.test(url))
      throw unreachable(address, 'it redirects to something that is no web address');
  }
  throw unreachable(address, 'it redirects too often');
}

function request(url: string, http: HttpClient): Promise<{ body: Uint8Array; location: string | null }> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let location: string | null = null;
    const exchange = http.open(
      { method: 'GET', url, timeoutMs: sourceLimits.timeoutMs, bytesMax: sourceLimits.torrentBytesMax },
      {
        onHead: ({ status, headers }) => {
          if (status >= 300 && status < 400 && headers['location'] !== undefined)
            location = headers['location'];
          else if (status === 404 || status === 410) {
            exchange.abort();
            reject(
              new NodeError('SOURCE_MISSING', `The server says that there is nothing at ${url}.`, {
                op: 'get',
              }),
            );
          } else if (status !== 200) {
            exchange.abort();
            reject(unreachable(url, `the server answers with status ${status}`));
          }
        },
        onBytes: (bytes) => void parts.push(copyBytes(bytes)),
        onEnd: (error) => {
          if (error === null) resolve({ body: concatBytes(parts), location });
          else if (error.code === 'HTTP_TOO_LONG')
            reject(new NodeError('SOURCE_TOO_LONG', `What is at ${url} is too long for a torrent file.`));
          else reject(unreachable(url, error.message));
        },
      },
    );
  });
}

function unreachable(url: string, reason: string): NodeError {
  return new NodeError('SOURCE_UNREACHABLE', `${url} could not be fetched: ${reason}`, {
    op: 'get',
    retry: true,
  });
}
