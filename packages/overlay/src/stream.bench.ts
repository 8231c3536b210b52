/**
 * `node packages/overlay/src/stream.bench.ts`: one stream between two processes on loopback, and what each end's
 * processor time is.
 */
import { fork } from 'node:child_process';
import process, { argv, cpuUsage, stdout } from 'node:process';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { startOverlay } from './testing/start-overlays.ts';

const protocol = '/bench/stream/1.0.0';
const mebibyte = 2 ** 20;
const totalBytes = 512 * mebibyte;
const timeoutMs = 30_000;
const cpuSeconds = (since: NodeJS.CpuUsage): number => {
  const { user, system } = cpuUsage(since);
  return (user + system) / 1e6;
};

async function receive(): Promise<void> {
  const { node, close } = await startOverlay();
  const child = fork(import.meta.filename, [node.addresses[0]!]);
  let received = 0;
  let [startMs, before] = [0, cpuUsage()];
  node.handle(protocol, () => {
    [startMs, before] = [performance.now(), cpuUsage()];
    return { onBytes: (bytes) => (received += bytes.length), onClose() {} };
  });
  const sender = new Promise((resolve) => child.once('message', resolve));
  await untilReal(() => received === totalBytes);
  const seconds = (performance.now() - startMs) / 1000;
  const perGib = (1024 * mebibyte) / totalBytes;
  const ownCpu = cpuSeconds(before) * perGib;
  const rate = totalBytes / mebibyte / seconds;
  stdout.write(
    `${rate.toFixed(0)} MiB/s, processor seconds for 1 GiB: ${ownCpu.toFixed(2)} and ${((await sender) as number).toFixed(2)} of the sender\n`,
  );
  child.kill();
  await close();
}

async function sendAll(address: string): Promise<void> {
  const { node } = await startOverlay();
  const peer = await node.connect(address, { timeoutMs });
  const chunk = new Uint8Array(mebibyte);
  let sent = 0;
  const before = cpuUsage();
  const fill = (): void => {
    while (sent < totalBytes) {
      sent += chunk.length;
      if (!stream.write(chunk)) return;
    }
    process.send?.(cpuSeconds(before) * ((1024 * mebibyte) / totalBytes));
  };
  const stream = node.dial(
    peer,
    [protocol],
    { timeoutMs },
    { onOpen: fill, onDrain: fill, onBytes() {}, onClose() {} },
  );
}

if (argv[2] === undefined) await receive();
else await sendAll(argv[2]);
