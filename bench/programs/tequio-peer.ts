/**
 * The library behind JSON lines, for what the command line has no words for: thousands of torrents, hundreds of peers,
 * deadlines of pieces. One request a line on standard input, one answer a line on standard output, as
 * e2e/lab/json-lines.ts speaks them. Run with --expose-gc.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BittorrentOptions, type BittorrentService, createBittorrent } from '@tequio/bittorrent';
import type { Database, IpAddress } from '@tequio/kernel';
import { createRuntimePorts, type RuntimePorts, readBootId } from '@tequio/runtime';

type Request = { readonly id: number; readonly op: string } & Readonly<Record<string, unknown>>;

const everyMs = 5;

let service: BittorrentService;
let database: Database;
let ports: RuntimePorts;

const operations: Readonly<Record<string, (request: Request) => Promise<Record<string, unknown>>>> = {
  /** `dataFolder` exists; `options` are the library's. */
  listen: async ({ address, port, dataFolder, options }) => {
    ports = createRuntimePorts();
    database = ports.database.open(join(String(dataFolder), 'tequio.sqlite'));
    const fixed = { dataFolder: String(dataFolder), bootId: readBootId(), bind: address as IpAddress };
    service = createBittorrent(
      {
        ...fixed,
        port: Number(port),
        pex: false,
        transport: 'tcp',
        encryption: 'off',
        ...(options as Partial<BittorrentOptions>),
      },
      { ports, database },
    );
    await service.start();
    return {};
  },
  /** Adds these torrents, whose content is in `folder`; answers when all are complete there. */
  seed: async ({ torrentFiles, folder }) => {
    const startMs = performance.now();
    const added = (torrentFiles as string[]).map((file) =>
      service.add({ torrent: readFileSync(file) }, { folder: String(folder), seed: true }),
    );
    for (const id of await Promise.all(added)) await untilSeeding(id);
    return { seconds: (performance.now() - startMs) / 1000 };
  },
  /** Brings back all torrents of an earlier run; answers when so many seed. */
  restore: async ({ count }) => {
    const startMs = performance.now();
    await service.restore();
    while (service.rows().filter(({ state }) => state === 'seeding').length < Number(count))
      await sleep(everyMs);
    return { seconds: (performance.now() - startMs) / 1000 };
  },
  /** Starts a download of nothing yet: what is read is asked for by `seek`. */
  open: async ({ torrentFile, folder, peers }) => {
    const torrent = { torrent: readFileSync(String(torrentFile)) };
    await service.add(torrent, { folder: String(folder), peers: peers as string[], sequential: true });
    return {};
  },
  /** A player wants this piece now. Answers when it is verified. */
  seek: async ({ piece }) => {
    const { id } = service.torrents()[0]!;
    const startMs = performance.now();
    const verified = new Promise<void>((resolve) => {
      const end = service.subscribe((event) => {
        if (event.type !== 'bittorrent.piece.verified' || event.piece !== piece) return;
        end();
        resolve();
      });
    });
    await service.setPieceDeadline(id, Number(piece), 0);
    await verified;
    return { seconds: (performance.now() - startMs) / 1000 };
  },
  status: async () => {
    const [torrent] = service.torrents();
    return { peerCount: torrent?.peerCount ?? 0, havePieceCount: torrent?.havePieceCount ?? 0 };
  },
  /** So that memory is what is needed. */
  settle: async () => {
    globalThis.gc?.();
    await sleep(200);
    globalThis.gc?.();
    return {};
  },
  quit: async () => {
    await service.close();
    database.close();
    await ports.close();
    return {};
  },
};

async function untilSeeding(id: string): Promise<void> {
  for (;;) {
    const state = service.torrent(id)?.state;
    if (state === 'seeding') return;
    if (state === 'error') throw new Error(service.torrent(id)?.error ?? 'an error');
    await sleep(everyMs);
  }
}

for await (const line of createInterface({ input: stdin })) {
  const request = JSON.parse(line) as Request;
  const answer = (more: Record<string, unknown>): void =>
    void stdout.write(`${JSON.stringify({ id: request.id, ...more })}\n`);
  try {
    answer({ ok: true, ...(await operations[request.op]!(request)) });
  } catch (error) {
    answer({ ok: false, error: String(error) });
  }
}
