/** What only sockets that send and receive in batches can do wrong; what every UDP port must do: udp.test.ts. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Endpoint, IpAddress, UdpSocket } from '@tequio/kernel';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { datagramBatchLimits } from './datagram-batch.ts';
import { type Libc, tryLoadLibc } from './libc.ts';
import { canBatch, createBatchedUdp } from './udp-batched.ts';
import { udpLimits } from './udp-limits.ts';
import { createSingleUdp } from './udp-single.ts';

const libc = tryLoadLibc();
const four = { address: '127.0.0.1' as IpAddress, port: 0 };
const options = { skip: libc === null ? 'no foreign function interface on this machine' : false };

/** A datagram that tells its number and length, to the last byte. */
function numbered(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(number & 0xff);
  if (length >= 4) new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** Sends them all in one turn; waits for all and compares in order. */
async function expectInOrder(datagrams: readonly Uint8Array[], calls: Libc, address: string): Promise<void> {
  const udp = createBatchedUdp(calls);
  const place = { address: address as IpAddress, port: 0 };
  const got: Uint8Array[] = [];
  const receiver = await udp.bind(place, (bytes) => got.push(bytes.slice()));
  const sender = await udp.bind(place, () => {});
  for (const bytes of datagrams) sender.send(bytes, receiver.local);
  await untilReal(() => got.length >= datagrams.length);
  deepEqual(
    got.map((bytes) => bytes.length),
    datagrams.map((bytes) => bytes.length),
  );
  deepEqual(got, datagrams);
  await Promise.all([sender.close(), receiver.close()]);
}

/** The same functions, but `sendmmsg` answers as it is told until that is null. */
function withSend(send: (fd: number, count: number) => { sent: number; errno: number } | null): Libc {
  let errno = 0;
  return {
    ...libc!,
    sendmmsg: (fd, messages, count, flags) => {
      const made = send(fd, count);
      errno = made?.errno ?? 0;
      return made?.sent ?? libc!.sendmmsg(fd, messages, count, flags);
    },
    errno: () => (errno === 0 ? libc!.errno() : errno),
  };
}

for (const address of ['127.0.0.1', '::1']) {
  test(
    `equal, shorter, longer and empty datagrams to one place stay what they are, on ${address}`,
    options,
    async () => {
      // Runs of equal ones travel as one message; each change of length must begin another.
      const lengths = [
        ...Array<number>(150).fill(1200),
        700,
        700,
        0,
        0,
        1,
        1200,
        1201,
        1200,
        60_000,
        9000,
        9000,
        5,
      ];
      await expectInOrder(
        lengths.map((length, i) => numbered(i, length)),
        libc!,
        address,
      );
    },
  );
}

test(
  'a message that the system will not cut is sent in parts, and lost only if those are refused',
  options,
  async () => {
    for (const errno of [5, 22, 90]) {
      let isRefused = false;
      const calls = withSend(() => {
        if (isRefused) return null;
        isRefused = true;
        return { sent: -1, errno };
      });
      await expectInOrder(
        Array.from({ length: 20 }, (_, i) => numbered(i, i < 19 ? 1000 : 300)),
        calls,
        '127.0.0.1',
      );
    }
  },
);

test('what the system takes no more of waits, is sent when it does, and is bounded', options, async () => {
  let isBlocked = true;
  let sentCount = 0;
  const calls = withSend((_, count) => {
    if (isBlocked) return { sent: -1, errno: 11 };
    sentCount += count;
    return null;
  });
  const udp = createBatchedUdp(calls);
  const got = new Set<number>();
  const receiver = await createSingleUdp().bind(four, (bytes) => {
    got.add(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0));
  });
  const sender = await udp.bind(four, () => {});
  // Each of its own length, so that none joins another; more than the batch holds.
  const { sendCount, sendBytes } = datagramBatchLimits;
  for (let i = 0; i < sendCount * 3; i++) sender.send(numbered(i, 500 - i), receiver.local);
  isBlocked = false;
  await untilReal(() => got.size === sendCount * 3);

  isBlocked = true;
  sentCount = 0;
  const large = numbered(1_000_000, 60_000);
  for (let i = 0; i < 10_000; i++) sender.send(large, receiver.local);
  isBlocked = false;
  await untilReal(() => sentCount > 0);
  equal(sentCount, Math.floor(udpLimits.backlogBytes / 60_000) + Math.floor(sendBytes / 60_000));
  await Promise.all([sender.close(), receiver.close()]);
});

test(
  'what is longer than the network card’s packets leaves in fragments, unless it is to be whole',
  options,
  async () => {
    let isAllowed = false;
    const calls: Libc = {
      ...withSend((_, count) => (isAllowed || count === 0 ? null : { sent: -1, errno: 90 })),
      setsockopt: (fd, level, name, value, length) => {
        const done = libc!.setsockopt(fd, level, name, value, length);
        // IP_MTU_DISCOVER: one call allows it, the next does not.
        if (level === 0 && name === 10) isAllowed = isBound && !isAllowed;
        return done;
      },
    };
    let isBound = false;
    const udp = createBatchedUdp(calls);
    const got: number[] = [];
    const receiver = await udp.bind(four, (bytes) => got.push(bytes.length));
    const sender = await udp.bind(four, () => {});
    isBound = true;
    ok(sender.dontFragment);
    sender.send(new Uint8Array(3000), receiver.local, true);
    for (const length of [2000, 2000, 1999, 2001]) sender.send(new Uint8Array(length), receiver.local);
    await untilReal(() => got.length === 4);
    deepEqual(got, [2000, 2000, 1999, 2001]);
    await Promise.all([sender.close(), receiver.close()]);
  },
);

test('an error of a socket is read away, and what comes after it is heard', options, async () => {
  let ready: (status: number, events: { readable: boolean; writable: boolean }) => void = () => {};
  let startCount = 0;
  const calls: Libc = {
    ...libc!,
    watch: (_, told) => {
      ready = told;
      return { start: () => void startCount++, close: () => {} };
    },
  };
  const got: number[] = [];
  const receiver = await createBatchedUdp(calls).bind(four, (bytes) => got.push(bytes.length));
  const sender = await createBatchedUdp(libc!).bind(four, () => {});
  sender.send(new Uint8Array(7), receiver.local);
  await untilReal(() => {
    ready(-9, { readable: false, writable: false });
    return got.length === 1;
  });
  ok(startCount > 0);
  await Promise.all([sender.close(), receiver.close()]);
});

test('a socket that is closed from inside a datagram hears no more of its batch', options, async () => {
  const udp = createBatchedUdp(libc!);
  let count = 0;
  const receiver: UdpSocket = await udp.bind(four, () => {
    count++;
    void receiver.close();
  });
  const other = await udp.bind(four, () => void heard.push('other'));
  const heard: string[] = [];
  const sender = await udp.bind(four, () => {});
  for (let i = 0; i < 40; i++) sender.send(numbered(i, 10 + i), receiver.local);
  sender.send(numbered(1, 10), other.local);
  await untilReal(() => heard.length === 1);
  equal(count, 1);
  await Promise.all([sender.close(), other.close()]);
});

test(
  'what is thrown while a datagram is handled is thrown as of any callback, and all goes on',
  options,
  () => {
    const program = `
    import { createBatchedUdp } from ${JSON.stringify(new URL('./udp-batched.ts', import.meta.url).href)};
    import { tryLoadLibc } from ${JSON.stringify(new URL('./libc.ts', import.meta.url).href)};
    const udp = createBatchedUdp(tryLoadLibc());
    const at = { address: '127.0.0.1', port: 0 };
    let count = 0;
    process.on('uncaughtException', (error) => {
      console.log(error.message);
      globalThis.gc();
      if (count < 3) sender.send(new Uint8Array(3), socket.local);
      else Promise.all([socket.close(), sender.close()]).then(() => console.log('closed'));
    });
    const socket = await udp.bind(at, () => { throw new Error('thrown ' + ++count); });
    const sender = await udp.bind(at, () => {});
    sender.send(new Uint8Array(3), socket.local);`;
    const args = [
      '--expose-gc',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      program,
    ];
    const said = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
    equal(said, 'thrown 1\nthrown 2\nthrown 3\nclosed\n');
  },
);

test('many sockets come and go beside traffic, and no descriptor is used by two', options, async () => {
  const udp = createBatchedUdp(libc!);
  const echo = await udp.bind(four, (bytes, from) => echo.send(bytes.slice(), from));
  for (let round = 0; round < 30; round++) {
    const answers: number[] = [];
    const sockets = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        udp.bind(four, (bytes) => {
          equal(bytes[0], i);
          answers.push(i);
        }),
      ),
    );
    sockets.forEach((socket, i) => {
      for (let n = 0; n < 4; n++) socket.send(new Uint8Array(20 + n).fill(i), echo.local);
    });
    await untilReal(() => answers.length === 32);
    // Closed with answers still on their way.
    for (const socket of sockets) socket.send(new Uint8Array(20), echo.local);
    await Promise.all(sockets.map((socket) => socket.close()));
  }
  await echo.close();
});

test('senders are told apart, also when more are heard than are remembered', options, async () => {
  const udp = createBatchedUdp(libc!);
  const heard = new Map<number, Endpoint>();
  const receiver = await udp.bind(four, (bytes, from) => {
    heard.set(new DataView(bytes.slice().buffer).getUint32(0), from);
  });
  const places = Array.from({ length: 60 }, (_, i) => `127.0.${i >> 4}.${(i & 15) + 1}` as IpAddress);
  const sockets = await Promise.all(
    places.map((address) => createSingleUdp().bind({ address, port: 0 }, () => {})),
  );
  for (let round = 0; round < 3; round++) {
    heard.clear();
    for (const [i, socket] of sockets.entries()) socket.send(numbered(i, 10), receiver.local);
    await untilReal(() => heard.size === sockets.length);
    for (const [i, socket] of sockets.entries()) deepEqual(heard.get(i), socket.local);
  }
  await Promise.all([receiver, ...sockets].map((socket) => socket.close()));
});

test('without the calls there are no batches', options, () => {
  ok(canBatch(libc!));
  equal(canBatch({ ...libc!, recvmmsg: () => -1 }), false);
  equal(canBatch({ ...libc!, socket: () => -1 }), false);
});
