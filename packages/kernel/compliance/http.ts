/** What every pair of HttpClient and HttpServerPort must do. */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import type {
  HttpClient,
  HttpExchange,
  HttpHandler,
  HttpRequest,
  HttpServerPort,
  HttpServerRequest,
  HttpServerResponse,
  IpAddress,
} from '@tequio/kernel';
import { fromLatin1 } from '@tequio/kernel';

/** Two hosts that can reach each other (they may be one). Made anew for each test. */
export type HttpFixture = {
  readonly server: HttpServerPort;
  readonly client: HttpClient;
  readonly serverAddress: IpAddress;
  readonly clientAddress: IpAddress;
  until(condition: () => boolean): Promise<void>;
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
};

/** Writes down one exchange. */
export class HttpRecorder implements HttpHandler {
  head: { status: number; headers: Readonly<Record<string, string>>; remote: IpAddress } | null = null;
  readonly body: number[] = [];
  bodyBytes = 0;
  endCount = 0;
  error: { readonly code: string; readonly message: string } | null = null;
  exchange: HttpExchange | null = null;
  /** Called with each event, after it was written down. */
  hook: (event: 'head' | 'bytes' | 'end') => void = () => {};

  get ended(): boolean {
    return this.endCount > 0;
  }

  get text(): string {
    return String.fromCharCode(...this.body);
  }

  onHead(head: { status: number; headers: Readonly<Record<string, string>>; remote: IpAddress }): void {
    this.head = head;
    this.hook('head');
  }

  onBytes(bytes: Uint8Array): void {
    if (this.bodyBytes < 100_000) this.body.push(...bytes);
    this.bodyBytes += bytes.length;
    this.hook('bytes');
  }

  onEnd(error: { readonly code: string; readonly message: string } | null): void {
    this.endCount++;
    this.error = error;
    this.hook('end');
  }
}

type Served = {
  readonly fixture: HttpFixture;
  readonly requests: HttpServerRequest[];
  /** `http://address:port`. */
  readonly origin: string;
  readonly open: (path: string, more?: Partial<HttpRequest>) => HttpRecorder;
};

const page = (status: number, text: string, headers: Record<string, string> = {}): HttpServerResponse => ({
  status,
  headers,
  body: fromLatin1(text),
});

/** Registers the suite. */
export function testHttpPorts(name: string, make: () => Promise<HttpFixture>): void {
  const withServer = (
    title: string,
    answer: (request: HttpServerRequest) => HttpServerResponse,
    run: (served: Served) => Promise<void>,
  ): void => {
    test(`${name}: ${title}`, async () => {
      const fixture = await make();
      const requests: HttpServerRequest[] = [];
      const listener = await fixture.server.listen({ address: fixture.serverAddress, port: 0 }, (request) => {
        requests.push(request);
        return answer(request);
      });
      const host = fixture.serverAddress.includes(':') ? `[${fixture.serverAddress}]` : fixture.serverAddress;
      const origin = `http://${host}:${listener.local.port}`;
      const open = (path: string, more: Partial<HttpRequest> = {}): HttpRecorder => {
        const recorder = new HttpRecorder();
        const request = {
          method: 'GET',
          url: origin + path,
          timeoutMs: 5000,
          bytesMax: 1 << 20,
          ...more,
        } as const;
        recorder.exchange = fixture.client.open(request, recorder);
        equal(recorder.head, null, 'nothing is called from inside open');
        equal(recorder.endCount, 0);
        return recorder;
      };
      try {
        await run({ fixture, requests, origin, open });
      } finally {
        await listener.close();
        await fixture.close();
      }
    });
  };
  testExchange(withServer);
  testRefusals(withServer);
  testFlow(withServer);
}

type WithServer = (
  title: string,
  answer: (request: HttpServerRequest) => HttpServerResponse,
  run: (served: Served) => Promise<void>,
) => void;

function testExchange(withServer: WithServer): void {
  withServer(
    'status, headers, body and both endpoints come across',
    () => page(200, 'hello', { 'Content-Type': 'text/plain', 'x-test': 'a b' }),
    async ({ fixture, requests, open }) => {
      const got = open('/a%20b/%ff?info_hash=%01%FF&x=1+2', {
        headers: { 'User-Agent': 'test/1', range: 'bytes=0-9' },
      });
      await fixture.until(() => got.ended);
      equal(got.error, null);
      equal(got.head?.status, 200);
      equal(got.head?.headers['content-type'], 'text/plain');
      equal(got.head?.headers['x-test'], 'a b');
      equal(got.head?.headers['content-length'], '5');
      equal(got.head?.remote, fixture.serverAddress);
      equal(got.text, 'hello');
      equal(requests[0]?.method, 'GET');
      equal(requests[0]?.target, '/a%20b/%ff?info_hash=%01%FF&x=1+2', 'undecoded');
      equal(requests[0]?.headers['user-agent'], 'test/1');
      equal(requests[0]?.headers['range'], 'bytes=0-9');
      equal(requests[0]?.remote.address, fixture.clientAddress);
    },
  );

  withServer(
    'HEAD has a head and no body',
    () => page(200, 'hello'),
    async ({ fixture, requests, open }) => {
      const got = open('/', { method: 'HEAD' });
      await fixture.until(() => got.ended);
      deepEqual([got.error, got.head?.status, got.bodyBytes], [null, 200, 0]);
      equal(got.head?.headers['content-length'], '5');
      equal(requests[0]?.method, 'HEAD');
    },
  );

  withServer(
    'redirects and errors come as they are',
    ({ target }) =>
      target === '/r' ? page(302, '', { location: 'http://elsewhere.invalid/' }) : page(404, 'no'),
    async ({ fixture, open }) => {
      const [redirect, missing] = [open('/r'), open('/x')];
      await fixture.until(() => redirect.ended && missing.ended);
      deepEqual([redirect.error, redirect.head?.status], [null, 302]);
      equal(redirect.head?.headers['location'], 'http://elsewhere.invalid/');
      deepEqual([missing.error, missing.head?.status, missing.text], [null, 404, 'no']);
    },
  );

  withServer(
    'many requests at once are all answered',
    ({ target }) => page(200, target),
    async ({ fixture, open }) => {
      const all = Array.from({ length: 60 }, (_, i) => open(`/${i}`));
      await fixture.until(() => all.every((one) => one.ended));
      deepEqual(
        all.map((one) => one.text),
        all.map((_, i) => `/${i}`),
      );
    },
  );
}

function testRefusals(withServer: WithServer): void {
  withServer(
    'a longer body than allowed ends the exchange',
    () => page(200, 'x'.repeat(5000)),
    async ({ fixture, open }) => {
      const [long, exact] = [open('/', { bytesMax: 4999 }), open('/', { bytesMax: 5000 })];
      await fixture.until(() => long.ended && exact.ended);
      equal(long.error?.code, 'HTTP_TOO_LONG');
      ok(long.bodyBytes <= 4999);
      deepEqual([exact.error, exact.bodyBytes], [null, 5000]);
    },
  );

  withServer(
    'an address that is not allowed is never dialled, not even as a literal',
    () => page(200, ''),
    async ({ fixture, requests, open }) => {
      const asked: string[] = [];
      const refuse = (address: IpAddress): boolean => {
        asked.push(address);
        return false;
      };
      const got = open('/', { allowAddress: refuse });
      await fixture.until(() => got.ended);
      equal(got.error?.code, 'HTTP_ADDRESS_REFUSED');
      deepEqual(asked, [fixture.serverAddress]);
      const allowed = open('/', { allowAddress: () => true });
      await fixture.until(() => allowed.ended);
      equal(allowed.error, null);
      const refused = open('/', { allowAddress: () => false });
      await fixture.until(() => refused.ended);
      equal(refused.error?.code, 'HTTP_ADDRESS_REFUSED', 'nor through a connection that is open already');
      equal(requests.length, 1);
    },
  );

  withServer(
    'what is no http address, and a port where nobody listens, are said to be so',
    () => page(200, ''),
    async ({ fixture, open }) => {
      for (const url of ['ftp://127.0.0.1/', 'nonsense', 'http://', 'file:///etc/passwd']) {
        const got = open('', { url });
        await fixture.until(() => got.ended);
        equal(got.error?.code, 'HTTP_BAD_URL', url);
      }
      const free = await fixture.server.listen({ address: fixture.serverAddress, port: 0 }, () =>
        page(200, ''),
      );
      await rejects(
        fixture.server.listen({ address: fixture.serverAddress, port: free.local.port }, () => page(200, '')),
        { code: 'NET_LISTEN' },
      );
      await free.close();
      const host = fixture.serverAddress.includes(':') ? `[${fixture.serverAddress}]` : fixture.serverAddress;
      const got = open('', { url: `http://${host}:${free.local.port}/` });
      await fixture.until(() => got.ended);
      deepEqual(got.error, { code: 'HTTP_CONNECT', message: 'connection refused' });
      equal(got.endCount, 1);
    },
  );
}

function testFlow(withServer: WithServer): void {
  withServer(
    'abort is silent, before and after the head',
    () => page(200, 'x'.repeat(500_000)),
    async ({ fixture, open }) => {
      const early = open('/');
      early.exchange?.abort();
      const late = open('/');
      late.hook = () => late.exchange?.abort();
      await fixture.until(() => late.head !== null);
      await fixture.pass(50);
      deepEqual([early.head, early.endCount], [null, 0]);
      deepEqual([late.endCount, late.bodyBytes], [0, 0]);
    },
  );

  withServer(
    'pause holds the body back, resume gives all of it, and pauses are no silence',
    () => page(200, 'x'.repeat(1_000_000)),
    async ({ fixture, open }) => {
      // Long enough for a machine that is busy with other things.
      const got = open('/', { timeoutMs: 2000 });
      got.hook = (event) => {
        if (event === 'head') got.exchange?.pause();
      };
      await fixture.until(() => got.head !== null);
      await fixture.pass(2500);
      deepEqual([got.bodyBytes, got.endCount], [0, 0]);
      got.exchange?.resume();
      await fixture.until(() => got.ended);
      deepEqual([got.bodyBytes, got.error], [1_000_000, null]);
    },
  );
}
