import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, IpAddress, StreamConnection, StreamHandler } from '@tequio/kernel';
import { VirtualClock } from '@tequio/simulator';
import type { Transport } from '../contract.ts';
import { PeerTransports, transportLimits } from './peer-transports.ts';

const to: Endpoint = { address: '20.0.0.9' as IpAddress, port: 6881 };

/** One dial of either port, which ends as the test wants. */
class FakeConnection implements StreamConnection {
  readonly remote = to;
  readonly local: Endpoint = { address: '20.0.0.1' as IpAddress, port: 1 };
  readonly queuedBytes = 0;
  readonly written: number[] = [];
  readonly calls: string[] = [];
  readonly #handler: StreamHandler;
  readonly #clock: VirtualClock;
  #isGone = false;

  constructor(clock: VirtualClock, handler: StreamHandler) {
    this.#clock = clock;
    this.#handler = handler;
  }

  open(): void {
    this.#handler.onOpen?.();
  }

  receive(byte: number): void {
    this.#handler.onBytes(Uint8Array.of(byte));
  }

  fail(error: string | null): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#handler.onClose(error);
  }

  write(parts: readonly Uint8Array[], sent?: () => void): void {
    for (const part of parts) this.written.push(...part);
    sent?.();
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  end(): void {
    this.calls.push('end');
  }

  destroy(): void {
    this.calls.push('destroy');
    this.#clock.setTimer(0, () => this.fail(null));
  }
}

function setUp(allowed: Transport) {
  const clock = new VirtualClock();
  const dials: { readonly transport: 'tcp' | 'utp'; readonly connection: FakeConnection }[] = [];
  const portOf = (transport: 'tcp' | 'utp') => ({
    dial: (_to: Endpoint, _options: unknown, handler: StreamHandler) => {
      const connection = new FakeConnection(clock, handler);
      dials.push({ transport, connection });
      return connection;
    },
  });
  const transports = new PeerTransports(allowed, { clock, tcp: portOf('tcp'), utp: portOf('utp') });
  const events: string[] = [];
  const dial = (transport?: 'tcp' | 'utp') =>
    transports.dial(
      to,
      { timeoutMs: 10_000, from: null, ...(transport === undefined ? {} : { transport }) },
      {
        onOpen: () => events.push('open'),
        onBytes: (bytes) => events.push(`bytes ${bytes[0]}`),
        onClose: (error) => events.push(`close ${error}`),
      },
    );
  const pass = (ms: number): void => {
    const endMs = clock.nowMs() + ms;
    while ((clock.nextMs() ?? Number.POSITIVE_INFINITY) <= endMs) clock.fireNext();
    clock.advanceTo(endMs);
  };
  const kinds = (): string => dials.map(({ transport }) => transport).join();
  return { clock, dials, events, dial, pass, kinds };
}

test('what the user has chosen is the only way; what the caller wants counts where both are allowed', () => {
  for (const [allowed, wanted, way] of [
    ['tcp', undefined, 'tcp'],
    ['utp', undefined, 'utp'],
    ['tcp', 'utp', 'tcp'],
    ['utp', 'tcp', 'utp'],
    ['both', 'utp', 'utp'],
    ['both', 'tcp', 'tcp'],
  ] as const) {
    const { dial, pass, kinds } = setUp(allowed);
    dial(wanted);
    pass(20_000);
    equal(kinds(), way);
  }
});

test('TCP that opens in time is alone', () => {
  const { dials, events, dial, pass, kinds } = setUp('both');
  const connection = dial();
  pass(transportLimits.headStartMs - 1);
  dials[0]!.connection.open();
  dials[0]!.connection.receive(7);
  pass(5000);
  connection.write([Uint8Array.of(1, 2)]);
  deepEqual(dials[0]!.connection.written, [1, 2]);
  dials[0]!.connection.fail('reset by the other side');
  deepEqual([kinds(), events], ['tcp', ['open', 'bytes 7', 'close reset by the other side']]);
});

test('uTP joins after a second, and the first to open drops the other', () => {
  for (const winner of [0, 1]) {
    const { dials, events, dial, pass, kinds } = setUp('both');
    const connection = dial();
    let sentCount = 0;
    connection.write([Uint8Array.of(5)], () => sentCount++);
    pass(transportLimits.headStartMs);
    equal(kinds(), 'tcp,utp');
    dials[winner]!.connection.open();
    pass(10);
    deepEqual(dials[1 - winner]!.connection.calls, ['destroy']);
    dials[winner]!.connection.receive(3);
    deepEqual(dials[winner]!.connection.written, [5], 'what was written before');
    equal(sentCount, 1);
    deepEqual(events, ['open', 'bytes 3']);
  }
});

test('a refusal brings the other at once; two failures are one, with the first reason', () => {
  const { dials, events, dial, pass, kinds } = setUp('both');
  dial();
  pass(20);
  dials[0]!.connection.fail('connection refused');
  equal(kinds(), 'tcp,utp');
  deepEqual(events, []);
  pass(9000);
  dials[1]!.connection.fail('timed out');
  pass(20_000);
  deepEqual([kinds(), events], ['tcp,utp', ['close connection refused']]);
});

test('what worked last begins next time', () => {
  const { dials, dial, pass, kinds } = setUp('both');
  dial();
  dials[0]!.connection.fail('connection refused');
  dials[1]!.connection.open();
  dials[1]!.connection.fail(null);
  dial();
  equal(kinds(), 'tcp,utp,utp');
  pass(transportLimits.headStartMs);
  equal(kinds(), 'tcp,utp,utp,tcp');
  dials[3]!.connection.open();
  dial();
  equal(kinds(), 'tcp,utp,utp,tcp,tcp');
});

test('destroyed before it opened: nothing opens, nothing new is dialled, it closes once', () => {
  for (const afterMs of [10, transportLimits.headStartMs + 10]) {
    const { dials, events, dial, pass } = setUp('both');
    const connection = dial();
    pass(afterMs);
    const count = dials.length;
    connection.destroy();
    deepEqual(events, [], 'never from inside the call');
    dials[0]!.connection.open();
    pass(20_000);
    deepEqual([events, dials.length], [['close null'], count]);
  }
});

test('end and pause before it opened are done when it has', () => {
  const { dials, events, dial } = setUp('both');
  const connection = dial();
  connection.write([Uint8Array.of(1)]);
  connection.pause();
  connection.end();
  connection.write([Uint8Array.of(2)]);
  dials[0]!.connection.open();
  deepEqual(dials[0]!.connection.written, [1]);
  deepEqual(dials[0]!.connection.calls, ['pause', 'end']);
  deepEqual(events, []);
});
