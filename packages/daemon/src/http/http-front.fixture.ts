import { type IncomingHttpHeaders, type IncomingMessage, request as nodeRequest } from 'node:http';
import type { TestContext } from 'node:test';
import type { FilesPort, LogFields } from '@tequio/kernel';
import { createClock, createEntropy, createWebServer } from '@tequio/runtime';
import type { CompatRoute } from './compat-route.ts';
import { createHttpFront } from './http-front.ts';
import { FakeManagement, rootToken } from './testing/fake-management.ts';

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: unknown;
};

export type AskOptions = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
  /** With the node's token; by default so. */
  readonly known?: boolean;
};

export type Started = {
  readonly node: FakeManagement;
  readonly port: number;
  readonly contentPort: number;
  readonly url: string;
  readonly logged: { readonly name: string; readonly fields: LogFields }[];
  readonly written: Map<string, Uint8Array>;
  ask(path: string, options?: AskOptions): Promise<Answer>;
  open(path: string, options?: AskOptions): Promise<IncomingMessage>;
  close(): Promise<void>;
};

/** A front on a free port of this machine, before a node that the test writes. */
export async function startFront(
  t: Pick<TestContext, 'after'>,
  options: {
    readonly prepare?: (node: FakeManagement) => void;
    readonly routes?: readonly CompatRoute[];
    readonly pageFiles?: Readonly<Record<string, string>>;
  } = {},
): Promise<Started> {
  const node = new FakeManagement();
  options.prepare?.(node);
  const logged: Started['logged'] = [];
  const note = (name: string, fields: LogFields = {}): void => void logged.push({ name, fields });
  const written = new Map<string, Uint8Array>();
  const front = createHttpFront({
    webServer: createWebServer(),
    files: memoryFiles(written, options.pageFiles ?? {}),
    entropy: createEntropy(),
    clock: createClock(),
    log: { debug: () => {}, info: note, warn: note, error: note },
    pageFolder: '/page',
    routes: () => options.routes ?? [],
  });
  const { url } = await front.start(node.node, { dataFolder: '/data', version: '1.2.3' });
  t.after(() => front.close());
  const port = Number(new URL(url).port);
  const started = logged.find(({ name }) => name === 'http.started');
  const contentPort = Number(started?.fields['contentPort']);
  const open = (path: string, ask: AskOptions = {}): Promise<IncomingMessage> => send(port, path, ask);
  return {
    node,
    port,
    contentPort,
    url,
    logged,
    written,
    open,
    ask: async (path, ask) => readAnswer(await open(path, ask)),
    close: () => front.close(),
  };
}

/** @param path or a whole address */
export function send(port: number, path: string, options: AskOptions = {}): Promise<IncomingMessage> {
  const { method = 'GET', json, known = true } = options;
  const body = json === undefined ? options.body : JSON.stringify(json);
  const url = new URL(path, `http://127.0.0.1:${port}`);
  return new Promise((resolve, reject) => {
    const request = nodeRequest(
      {
        host: '127.0.0.1',
        port: url.port,
        method,
        path: /^https?:/.test(path) ? url.pathname + url.search : path,
        headers: {
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(known ? { authorization: `Bearer ${rootToken}` } : {}),
          ...options.headers,
        },
        agent: false,
      },
      resolve,
    );
    request.on('error', reject);
    request.end(body);
  });
}

export async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  let text = '';
  incoming.setEncoding('latin1');
  for await (const part of incoming) text += part;
  const isJson = /json/.test(incoming.headers['content-type'] ?? '');
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(Buffer.from(text, 'latin1').toString()) : null,
  };
}

function memoryFiles(written: Map<string, Uint8Array>, page: Readonly<Record<string, string>>): FilesPort {
  const contents = new Map(
    Object.entries(page).map(([path, text]) => [`/page/${path}`, new TextEncoder().encode(text)]),
  );
  return {
    readFile: async (path) => contents.get(path) ?? written.get(path) ?? new Uint8Array(),
    writeFile: async (path, bytes) => void written.set(path, bytes),
    kind: async (path) => {
      if (path === '/page') return contents.size > 0 ? 'folder' : null;
      return written.has(path) ? 'file' : null;
    },
    realPath: async (path) => path,
    walk: async () => ({
      files: [...contents].map(([path, { length }]) => ({
        path: path.slice('/page/'.length),
        bytes: length,
        modifiedMs: 0,
        executable: false,
      })),
      leftOut: [],
    }),
    makeFolder: async () => {},
  };
}
