/** From the start of a program to its first request on the wire. What is measured: bench/README.md. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { HintTracker } from '../../e2e/lab/hint-tracker.ts';
import type { Host } from '../../e2e/lab/lab.ts';
import { versionOf } from '../../e2e/lab/programs.ts';
import type { Running } from '../../e2e/lab/running.ts';
import { programArguments } from '../../e2e/lab/tequio.ts';
import { type Content, makeContent, mebibyte } from '../content.ts';
import { ownVersion, tequioOptions } from '../downloaders.ts';
import { dropFileCache } from '../machine.ts';
import { usageOf } from '../processes.ts';
import { type Bench, type Case, type Contender, ours, type RowRunner, type Values } from '../row.ts';

const wish = { bytes: 16 * mebibyte, pieceBytes: 256 * 1024 };
const handshakeBytes = 68;
const messageRequest = 6;
const timeoutMs = 30_000;

type Program = {
  readonly program: string;
  readonly version: string | null;
  readonly start: (host: Host, torrentFile: string, folder: string) => Running;
};

const programs: readonly Program[] = [
  {
    program: ours,
    version: ownVersion(),
    start: (host, torrentFile, folder) => {
      const data = join(host.folder, 'data');
      const args = ['get', torrentFile, '--to', folder, '--data', data, '--no-dht', '--json'];
      return host.run(execPath, [...programArguments, ...args, ...tequioOptions]);
    },
  },
  {
    program: 'aria2',
    version: versionOf('aria2'),
    start: (host, torrentFile, folder) => {
      const off = ['--enable-dht=false', '--enable-dht6=false', '--enable-peer-exchange=false'];
      const plain = ['--bt-require-crypto=false', '--bt-min-crypto-level=plain', '--file-allocation=none'];
      return host.run('aria2c', ['--no-conf', ...off, ...plain, `--dir=${folder}`, torrentFile]);
    },
  },
  {
    program: 'transmission-cli',
    version: versionOf('Transmission'),
    start: (host, torrentFile, folder) => {
      const config = join(host.folder, 'config');
      mkdirSync(config);
      const off = { 'dht-enabled': false, 'lpd-enabled': false, 'pex-enabled': false, 'utp-enabled': false };
      const settings = { ...off, 'port-forwarding-enabled': false, encryption: 0, preallocation: 0 };
      writeFileSync(join(config, 'settings.json'), JSON.stringify(settings));
      return host.run('transmission-cli', ['--config-dir', config, '-w', folder, torrentFile]);
    },
  },
];

export const start: RowRunner = {
  plan: async (bench) => {
    const seeder = await FirstRequest.listen(bench.lab.address);
    const tracker = await HintTracker.listen(bench.lab.address, [seeder.endpoint]);
    const content = await makeContent(bench.lab.folder, 'source', { ...wish, trackers: [tracker.url] });
    const caseOf = (name: string, before: () => void): Case => ({
      name,
      open: async () => ({
        contenders: programs.map(
          (one): Contender => ({
            program: one.program,
            version: one.version,
            measure: async () => {
              before();
              return measure(bench, one, seeder, content);
            },
          }),
        ),
      }),
    });
    return { setting: wish, cases: [caseOf('warm cache', () => {}), caseOf('cold cache', dropFileCache)] };
  },
};

async function measure(
  { lab }: Bench,
  program: Program,
  seeder: FirstRequest,
  { torrentFile, infoHash }: Content,
): Promise<Values> {
  const host = lab.addHost(program.program.toLowerCase());
  const folder = join(host.folder, 'got');
  mkdirSync(folder);
  const asked = seeder.next(Buffer.from(infoHash, 'hex'), wish.bytes / wish.pieceBytes);
  const startMs = performance.now();
  const running = program.start(host, torrentFile, folder);
  try {
    const ended = running.exited.then(() => Promise.reject(new Error(`it ended: ${running.describe()}`)));
    const late = AbortSignal.timeout(timeoutMs);
    const tooLate = new Promise<never>((_, reject) => {
      late.addEventListener('abort', () => reject(new Error(`no request: ${running.describe()}`)));
    });
    const { dialledMs, askedMs } = await Promise.race([asked, ended, tooLate]);
    const { cpuSeconds } = usageOf(host.processIds());
    return { dial: (dialledMs - startMs) / 1000, seconds: (askedMs - startMs) / 1000, cpu: cpuSeconds };
  } finally {
    await running.stop('SIGKILL');
    lab.removeHost(host);
    rmSync(host.folder, { recursive: true, force: true });
  }
}

type Times = { readonly dialledMs: number; readonly askedMs: number };

/**
 * A seeder that has everything, knows no encryption, and notes when it is first dialled and first asked for a block
 * (`performance.now`).
 */
class FirstRequest {
  readonly endpoint: string;
  #infoHash = Buffer.alloc(20);
  #pieceCount = 0;
  #asked: (times: Times) => void = () => {};
  #dialledMs = 0;

  private constructor(server: Server, address: string) {
    this.endpoint = `${address}:${(server.address() as { readonly port: number }).port}`;
    server.on('connection', (socket: Socket) => this.#serve(socket));
    server.unref();
  }

  static async listen(address: string): Promise<FirstRequest> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    return new FirstRequest(server, address);
  }

  /** Of whoever comes next. */
  next(infoHash: Buffer, pieceCount: number): Promise<Times> {
    this.#dialledMs = 0;
    this.#infoHash = infoHash as Buffer<ArrayBuffer>;
    this.#pieceCount = pieceCount;
    return new Promise((resolve) => (this.#asked = resolve));
  }

  #serve(socket: Socket): void {
    let received = Buffer.alloc(0);
    let hasGreeted = false;
    if (this.#dialledMs === 0) this.#dialledMs = performance.now();
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      // An encrypted handshake: the program must come again without.
      if (!hasGreeted && received[0] !== 0x13) return void socket.destroy();
      if (!hasGreeted && received.length >= handshakeBytes) {
        hasGreeted = true;
        received = received.subarray(handshakeBytes);
        socket.write(this.#greeting());
      }
      while (hasGreeted && received.length >= 5) {
        const size = 4 + received.readUInt32BE(0);
        if (received.length < size) return;
        if (size > 4 && received[4] === messageRequest) {
          this.#asked({ dialledMs: this.#dialledMs, askedMs: performance.now() });
        }
        received = received.subarray(size);
      }
    });
  }

  /** Handshake, all pieces, unchoke. */
  #greeting(): Buffer {
    const field = Buffer.alloc(Math.ceil(this.#pieceCount / 8), 0xff);
    const spare = field.length * 8 - this.#pieceCount;
    field[field.length - 1] = (0xff << spare) & 0xff;
    const head = Buffer.from([0, 0, 0, 1 + field.length, 5]);
    const shake = Buffer.concat([
      Buffer.from('\x13BitTorrent protocol\0\0\0\0\0\0\0\0', 'latin1'),
      this.#infoHash,
      Buffer.from('-XL0001-first request'.slice(0, 20)),
    ]);
    return Buffer.concat([shake, head, field, Buffer.from([0, 0, 0, 1, 1])]);
  }
}
