/**
 * What a pair of datagrams costs: answers of 350 bytes to questions of 90, 64 on their way, asked by another process.
 * `node packages/runtime/src/udp.bench.ts [single|batched]`
 */
import { fork } from 'node:child_process';
import { argv, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Endpoint, IpAddress, UdpPort } from '@tequio/kernel';
import { tryLoadLibc } from './libc.ts';
import { createBatchedUdp } from './udp-batched.ts';
import { createSingleUdp } from './udp-single.ts';

const address = '127.0.0.1' as IpAddress;
const underWayCount = 64;
const warmMs = 1500;
const measureMs = 3000;

function portOf(kind: string): UdpPort {
  const libc = tryLoadLibc();
  if (kind !== 'batched') return createSingleUdp();
  if (libc === null) throw new Error('there is no batched UDP on this machine');
  return createBatchedUdp(libc);
}

async function answer(kind: string): Promise<void> {
  let count = 0;
  const reply = new Uint8Array(350);
  const socket = await portOf(kind).bind({ address, port: 0 }, (_, from) => {
    count++;
    socket.send(reply.slice(), from);
  });
  const child = fork(fileURLToPath(import.meta.url), ['ask', String(socket.local.port)]);
  await sleep(warmMs);
  const [before, countBefore] = [process.cpuUsage(), count];
  await sleep(measureMs);
  const { user, system } = process.cpuUsage(before);
  const done = count - countBefore;
  const us = [user + system, user, system].map((all) => (all / done).toFixed(2));
  stdout.write(
    `${kind}: ${Math.round((done * 1e6) / (user + system))} echoes a processor second, ${us[0]} us each ` +
      `(${us[1]} program, ${us[2]} system); ${Math.round((done * 1000) / measureMs)} a second\n`,
  );
  child.kill();
  await socket.close();
}

/** From a port for each question: what has one sender may travel in one piece, and answers to many may not. */
async function ask(port: number): Promise<void> {
  const to: Endpoint = { address, port };
  const udp = portOf(tryLoadLibc() === null ? 'single' : 'batched');
  for (let i = 0; i < underWayCount; i++) {
    let heard = 0;
    const socket = await udp.bind({ address, port: 0 }, () => {
      heard++;
      socket.send(new Uint8Array(90), to);
    });
    let seen = -1;
    // The first one, and again when one was lost.
    setInterval(() => {
      if (seen === heard) socket.send(new Uint8Array(90), to);
      seen = heard;
    }, 100);
  }
}

if (argv[2] === 'ask') await ask(Number(argv[3]));
else for (const kind of argv.length > 2 ? argv.slice(2) : ['single', 'batched']) await answer(kind);
