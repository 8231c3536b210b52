import type { IpfsFileEntry, IpfsNodeApi } from '@tequio/api';
import type { HttpCalls } from './http-calls.ts';

/** IPFS of a node that is elsewhere. */
export function remoteIpfs(calls: HttpCalls): IpfsNodeApi {
  const done = async (answer: Promise<unknown>): Promise<void> => void (await answer);
  return {
    state: () => calls.call('ipfs.state'),
    files: (path, options = {}) => calls.call('ipfs.files', { query: { path, ...options } }),
    entry: (path) => calls.call('ipfs.entry', { query: { path } }),
    addFile: async (path, content) => {
      const bytes = toStream(content);
      const answer = await calls.send('ipfs.addFile', { query: { path }, bytes }, { endless: true });
      return (await answer.json()) as IpfsFileEntry;
    },
    makeFolder: (path) => done(calls.call('ipfs.makeFolder', { body: { path } })),
    moveFile: (from, to) => done(calls.call('ipfs.moveFile', { body: { from, to } })),
    removeFiles: (paths) => done(calls.call('ipfs.removeFiles', { body: { paths: [...paths] } })),
    importFile: (source, path) => calls.call('ipfs.importFile', { body: { source, path } }),
    readFile: (path, { from = 0, to, signal } = {}) =>
      readContent(calls, path, `bytes=${from}-${to === undefined ? '' : to - 1}`, signal),
    readArchive: (path, _, signal) => readContent(calls, path, null, signal),
    pins: (options = {}) => calls.call('ipfs.pins', { query: options }),
    pin: async (path, name) =>
      (await calls.call('ipfs.pin', { body: { path, ...(name === undefined ? {} : { name }) } })).cid,
    unpin: (cid) => done(calls.call('ipfs.unpin', { body: { cid } })),
    block: (path) => calls.call('ipfs.block', { query: { path } }),
    peers: () => calls.call('ipfs.peers'),
    connect: async (address) => (await calls.call('ipfs.connect', { body: { address } })).peer,
    collect: () => calls.call('ipfs.collect'),
  };
}

/** The link that the node gives is on another origin, and good for one file. */
async function* readContent(
  calls: HttpCalls,
  path: string,
  range: string | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (range === 'bytes=0--1') return;
  const answer = await calls.send(
    'ipfs.content',
    { query: { path } },
    {
      endless: true,
      ...(range === null ? {} : { headers: { range } }),
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const reader = answer.body!.getReader();
  for (let got = await reader.read(); !got.done; got = await reader.read()) yield got.value;
}

function toStream(content: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const parts = content[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const next = await parts.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await parts.return?.();
    },
  });
}
