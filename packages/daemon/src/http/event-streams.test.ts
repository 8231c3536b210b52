import { deepEqual, equal, ok } from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { type Started, startFront } from './http-front.fixture.ts';
import { httpLimits } from './http-limits.ts';
import { idOf } from './testing/fake-management.ts';

type Message = { readonly event: string; readonly id: string; readonly data: Record<string, unknown> };

class Listening {
  readonly incoming: IncomingMessage;
  readonly messages: Message[] = [];
  text = '';
  isEnded = false;

  constructor(incoming: IncomingMessage, t: TestContext) {
    this.incoming = incoming;
    incoming.setEncoding('utf8');
    incoming.on('data', (part: string) => {
      this.text += part;
      for (let at = this.text.indexOf('\n\n'); at >= 0; at = this.text.indexOf('\n\n')) {
        const fields = Object.fromEntries(
          this.text
            .slice(0, at)
            .split('\n')
            .map((line) => [line.split(':')[0], line.slice(line.indexOf(':') + 2)]),
        );
        this.text = this.text.slice(at + 2);
        if (fields['data'] !== undefined)
          this.messages.push({ ...fields, data: JSON.parse(fields['data']) } as never);
      }
    });
    incoming.on('error', () => {});
    incoming.on('close', () => {
      this.isEnded = true;
    });
    t.after(() => incoming.destroy());
  }

  get last(): Message {
    return this.messages.at(-1)!;
  }

  /** What a client shows that has applied all messages of the view. */
  get view(): Record<string, unknown>[] {
    let order: string[] = [];
    let rows = new Map<string, Record<string, unknown>>();
    for (const { data, event } of this.messages) {
      if (event !== 'torrents') continue;
      if (data['reset'] === true) {
        order = [];
        rows = new Map();
      }
      const was = order;
      const encoded = data['order'] as (string | number)[] | undefined;
      if (encoded !== undefined)
        order = encoded.map((item) => (typeof item === 'number' ? was[item]! : item));
      for (const row of (data['changed'] ?? []) as Record<string, unknown>[])
        rows.set(row['id'] as string, { ...rows.get(row['id'] as string), ...row });
    }
    return order.map((id) => rows.get(id)!);
  }
}

async function listen(t: TestContext, { open }: Started, query: string, lastId = ''): Promise<Listening> {
  const headers = lastId === '' ? {} : { 'last-event-id': lastId };
  const incoming = await open(`/api/v1/events?intervalMs=250&${query}`, { headers });
  equal(incoming.statusCode, 200);
  return new Listening(incoming, t);
}

test('events are told as they happen, and after a cut those that were missed', async (t) => {
  const front = await startFront(t);
  const first = await listen(t, front, 'channels=events');
  await untilReal(() => front.node.listenerCount > 1);
  front.node.emit({ type: 'node.resumed' });
  await untilReal(() => first.messages.length === 1);
  equal(first.last.event, 'event');
  deepEqual(first.last.data, { seq: 1, atMs: 1000, event: { type: 'node.resumed' } });
  first.incoming.destroy();
  await untilReal(() => front.node.listenerCount === 1);
  front.node.emit({ type: 'node.paused', untilMs: 1 });
  front.node.emit({ type: 'node.paused', untilMs: 2 });
  const second = await listen(t, front, 'channels=events', first.last.id);
  await untilReal(() => second.messages.length === 2);
  deepEqual(
    second.messages.map(({ data }) => data['seq']),
    [2, 3],
  );
  // Of a run that is over, numbers mean nothing.
  const third = await listen(t, front, 'channels=events', 'feedbeef.2.1.0');
  await untilReal(() => third.messages.length === 1);
  equal(third.last.event, 'lost');
});

test('a view is told whole once, then what differs, and looks as the list does', async (t) => {
  const front = await startFront(t);
  const { node } = front;
  for (let index = 0; index < 5; index++) node.put(idOf(index), { uploadedBytes: index });
  const query = 'channels=torrents&sort=uploadedBytes&descending=true&limit=3&fields=uploadedBytes,name';
  const stream = await listen(t, front, query);
  const shown = () => stream.view.map((row) => [row['id'], row['uploadedBytes']]);
  await untilReal(() => stream.messages.length === 1);
  deepEqual(shown(), [
    [idOf(4), 4],
    [idOf(3), 3],
    [idOf(2), 2],
  ]);
  equal(stream.last.data['totalCount'], 5);

  node.put(idOf(3), { uploadedBytes: 3.5 });
  await untilReal(() => stream.messages.length === 2);
  const { version: _, ...rest } = stream.last.data;
  deepEqual(rest, { changed: [{ id: idOf(3), uploadedBytes: 3.5 }] });

  node.put(idOf(0), { uploadedBytes: 10 });
  node.drop(idOf(4));
  await untilReal(() => shown()[0]?.[1] === 10);
  deepEqual(shown(), [
    [idOf(0), 10],
    [idOf(3), 3.5],
    [idOf(2), 2],
  ]);
  deepEqual(stream.last.data['order'], [idOf(0), 1, 2]);
  equal(stream.last.data['totalCount'], 4);

  // What is not asked for is not told.
  const { length } = stream.messages;
  node.put(idOf(3), { downRate: 5 });
  await untilReal(() => node.changesCount > 8);
  equal(stream.messages.length, length);

  // Cut and taken up again: nothing is told twice.
  const id = stream.last.id;
  stream.incoming.destroy();
  await untilReal(() => stream.isEnded);
  await new Promise((resolve) => setTimeout(resolve, 300));
  node.put(idOf(2), { name: 'new' });
  const resumed = await listen(t, front, query, id);
  await untilReal(() => resumed.messages.length === 1);
  deepEqual(resumed.last.data['changed'], [{ id: idOf(2), name: 'new' }]);
  equal(resumed.last.data['reset'], undefined);
});

test('a step that got lost on the way is not missed: the view begins anew', async (t) => {
  const front = await startFront(t);
  front.node.put(idOf(1));
  const query = 'channels=torrents';
  const stream = await listen(t, front, query);
  await untilReal(() => stream.messages.length === 1);
  const [first] = stream.messages;
  front.node.put(idOf(1), { upRate: 5 });
  await untilReal(() => stream.messages.length === 2);
  stream.incoming.destroy();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const resumed = await listen(t, front, query, first!.id);
  await untilReal(() => resumed.messages.length === 1);
  equal(resumed.last.data['reset'], true);
  equal(resumed.view[0]!['upRate'], 5);
});

test('the log is for administrators; status is told by parts', async (t) => {
  const front = await startFront(t, {
    prepare: (node) => void node.keys.set('reader', { user: 'ana', scope: 'read' }),
  });
  const refused = await front.ask('/api/v1/events?channels=log', {
    headers: { authorization: 'Bearer reader' },
  });
  equal(refused.status, 403);
  const stream = await listen(t, front, 'channels=log,status&level=warn');
  await untilReal(() => stream.messages.some(({ event }) => event === 'status'));
  equal(stream.messages[0]!.data['port'], 27272);
  front.node.say({ seq: 1, atMs: 1, level: 'info', name: 'low', fields: {} });
  front.node.say({ seq: 2, atMs: 1, level: 'error', name: 'high', fields: {} });
  await untilReal(() => stream.messages.some(({ event }) => event === 'log'));
  deepEqual(
    stream.messages.filter(({ event }) => event === 'log').map(({ data }) => data['name']),
    ['high'],
  );
});

test('at the end streams are told so', async (t) => {
  const front = await startFront(t);
  const stream = await listen(t, front, 'channels=events');
  await untilReal(() => front.node.listenerCount > 1);
  await front.close();
  await untilReal(() => stream.isEnded);
  equal(stream.last.event, 'closing');
});

test('a thousand streams cost a bounded memory, one more is refused, and all share one question', async (t) => {
  const front = await startFront(t);
  for (let index = 0; index < 200; index++) front.node.put(idOf(index));
  const before = process.memoryUsage().heapUsed;
  const streams: Listening[] = [];
  while (streams.length < httpLimits.eventStreamCount) {
    const opened = await Promise.all(
      Array.from({ length: 50 }, () =>
        front.open('/api/v1/events?channels=torrents,events&limit=100&fields=name'),
      ),
    );
    for (const incoming of opened) streams.push(new Listening(incoming, t));
  }
  await untilReal(() => streams.every(({ messages }) => messages.length > 0));
  const refused = await front.ask('/api/v1/events');
  equal(refused.status, 503);
  equal(refused.headers['retry-after'], '10');
  ok(front.logged.some(({ name, fields }) => name === 'http.refused' && fields['code'] === 'HTTP_BUSY'));
  // Both ends are in this process, client and server.
  const each = (process.memoryUsage().heapUsed - before) / streams.length;
  ok(each < 150_000, `${Math.round(each / 1000)} kB a stream`);
  if (process.env['TEQUIO_FIGURES'] !== undefined)
    process.stdout.write(`${Math.round(each)} bytes a stream\n`);
  const listedBefore = front.node.listCount;
  front.node.put(idOf(1), { name: 'changed' });
  await untilReal(() =>
    streams.every(({ messages }) => messages.some(({ data }) => JSON.stringify(data).includes('changed'))),
  );
  ok(front.node.listCount - listedBefore < 100, `${front.node.listCount - listedBefore} times listed`);
  for (const { incoming } of streams) incoming.destroy();
  await untilReal(() => front.node.listenerCount === 1);
});
