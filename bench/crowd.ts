/** Downloaders in C that cost next to nothing, each with an address of its own: native/leeches.c. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Host, Lab } from '../e2e/lab/lab.ts';
import type { Running } from '../e2e/lab/running.ts';
import { until } from '../e2e/lab/until.ts';
import { type Content, contentFile, contentName } from './content.ts';

const network = '10.99.0.0/16';
const timeoutMs = 600_000;

export type CrowdWish = {
  readonly content: Content;
  readonly pieceBytes: number;
  readonly connections: number;
  readonly active: number;
  /** That each active one downloads. */
  readonly bytes: number;
};

export type CrowdFigures = {
  readonly seconds: number;
  /** Until the first had all of its part. */
  readonly firstSeconds: number;
  readonly bytes: number;
  readonly chokes: number;
};

/** A host that has so many addresses more, which `other` finds. */
export function addCrowdHost(lab: Lab, other: Host, count: number): Host {
  const host = lab.addHost('crowd');
  const lines = Array.from({ length: count }, (_, i) => `address add ${addressOf(i)}/32 dev lo\n`).join('');
  ip(['-n', host.namespace, '-batch', '-'], lines);
  ip(['-n', other.namespace, 'route', 'replace', network, 'via', host.address]);
  return host;
}

/** The crowd's i-th address. */
export function addressOf(index: number): string {
  return `10.99.${(index + 1) >> 8}.${(index + 1) & 255}`;
}

export class Crowd {
  readonly #lines: Record<string, unknown>[] = [];
  readonly #running: Running;

  constructor(program: string, host: Host, seeder: string, wish: CrowdWish) {
    const { content, pieceBytes, connections, active, bytes } = wish;
    const [address, port] = seeder.split(':') as [string, string];
    const file = join(content.folder, contentName, contentFile);
    const numbers = [pieceBytes, connections, active].map(String);
    this.#running = host.run(
      program,
      [address, port, content.infoHash, file, ...numbers, addressOf(0), String(bytes)],
      { onLine: (line) => this.#lines.push(JSON.parse(line) as Record<string, unknown>) },
    );
  }

  async connected(): Promise<void> {
    await this.#said('connected');
  }

  /** Lets the active ones download. */
  async download(): Promise<CrowdFigures> {
    this.#running.child.stdin!.write('go\n');
    return (await this.#said('done')) as CrowdFigures;
  }

  async stop(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }

  #said(type: string): Promise<Record<string, unknown>> {
    return until(
      `the crowd is ${type}`,
      timeoutMs,
      () => {
        const line = this.#lines.find((one) => one['type'] === type);
        if (line === undefined) this.#running.assertRunning();
        return line;
      },
      10,
    );
  }
}

function ip(args: readonly string[], input = ''): void {
  const run = spawnSync('ip', args, { input, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`ip ${args.join(' ')}: ${run.stderr}`);
}
