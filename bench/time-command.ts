/** Whole commands, from start to end. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../e2e/lab/lab.ts';

export type Command = readonly [program: string, ...args: string[]];

export type Timed = {
  readonly seconds: number;
  /** The shell's account of its child, which has ended by then. */
  readonly cpuSeconds: number;
  readonly stdout: string;
};

/** @throws Error with the command's own words when it fails, or has not ended after `timeoutMs` */
export async function timeCommand(host: Host, command: Command, timeoutMs: number): Promise<Timed> {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" >output 2>errors';
  const running = host.run('bash', ['-c', script, 'bash', ...command]);
  const { code } = await running.wait(timeoutMs);
  const textOf = (name: string): string => readFileSync(join(host.folder, name), 'utf8');
  if (code !== 0) throw new Error(`${command.join(' ')}: ${textOf('errors')}`);
  const [seconds = 0, user = 0, system = 0] = running.stderr.trim().split(' ').map(Number);
  return { seconds, cpuSeconds: user + system, stdout: textOf('output') };
}
