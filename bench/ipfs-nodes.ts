/** IPFS nodes on loopback, asked over kubo's RPC: Tequio and kubo. Fair settings: bench/README.md. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabDaemon } from '../e2e/lab/daemon.ts';
import { freePort } from '../e2e/lab/free-port.ts';
import { Kubo, whyNoKubo } from '../e2e/lab/kubo.ts';
import type { Running } from '../e2e/lab/running.ts';
import { programArguments } from '../e2e/lab/tequio.ts';
import { HopelessError } from '../e2e/lab/until.ts';
import { ownVersion } from './downloaders.ts';
import { ours } from './row.ts';
import type { Command } from './time-command.ts';

/** Both make the CIDs of this profile (IPIP-499). */
export const cidProfile = 'unixfs-v1-2025';
const startTimeoutMs = 60_000;
const askEveryMs = 2;

/** A repository of one program, and a node on it while one is wanted. Nothing is downloaded or said to anybody else. */
export type IpfsNode = {
  /** Adds a file or folder, and says the root's CID. The node does not run. */
  readonly addCommand: (path: string, ...more: string[]) => Command;
  /** Seconds from the start of its process until it answers `id`. */
  readonly start: () => Promise<number>;
  /** One call; who calls has to read what is answered. @throws Error when it is none that says yes */
  readonly call: (
    verb: string,
    args: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ) => Promise<Response>;
  /** With the peer's id at the end. */
  readonly address: () => Promise<string>;
  readonly gatewayUrl: string;
  readonly processId: () => number;
  readonly stop: () => Promise<void>;
};

export type IpfsProgram = {
  readonly program: string;
  readonly version: string | null;
  readonly open: (folder: string) => Promise<IpfsNode>;
};

export const kuboName = 'kubo';

export function ipfsPrograms(): readonly IpfsProgram[] {
  return [
    { program: ours, version: ownVersion(), open: openTequio },
    { program: kuboName, version: kuboVersion(), open: openKubo },
  ];
}

let knownKubo: string | null = null;

/** Null: it is not here. */
export function kuboVersion(): string | null {
  if (whyNoKubo() !== null) return null;
  knownKubo ??= Kubo.version();
  return knownKubo;
}

async function openTequio(folder: string): Promise<IpfsNode> {
  const [data, port, gatewayPort] = [join(folder, 'tequio'), await freePort(), await freePort()];
  mkdirSync(data, { recursive: true });
  writeFileSync(
    join(data, 'config.toml'),
    `version = 1
[ipfs]
gateway = "127.0.0.1:${gatewayPort}"
[overlay]
enabled = true
port = 0
webRtc = false
localDiscovery = false
bootstrap = []
`,
  );
  const daemon = new LabDaemon(data, ['--http', `127.0.0.1:${port}`]);
  const apiUrl = `http://127.0.0.1:${port}`;
  const call = caller(apiUrl, () => ({ authorization: `Bearer ${daemon.token}` }));
  return {
    addCommand: (path, ...more) => [
      execPath,
      ...programArguments,
      ...['ipfs', 'add', '--quieter', '--recursive', '--data', data, ...more, path],
    ],
    start: async () => {
      const startMs = performance.now();
      const running = daemon.spawn();
      await untilAnswers(running, async () => {
        // Lies in the data folder from the first start on.
        daemon.readToken();
        return await call('id', {});
      });
      return (performance.now() - startMs) / 1000;
    },
    call,
    address: () => firstAddress(call),
    gatewayUrl: `http://127.0.0.1:${gatewayPort}`,
    processId: () => daemon.running.child.pid!,
    stop: () => daemon.stop(),
  };
}

type KuboWish = {
  /** Besides that of CIDs. */
  readonly profiles?: readonly string[];
  /** By name, as JSON. */
  readonly settings?: Readonly<Record<string, string>>;
};

export async function openKubo(folder: string, wish: KuboWish = {}): Promise<IpfsNode> {
  const kubo = new Kubo(folder, null, [cidProfile, ...(wish.profiles ?? [])]);
  // Else it tells nobody on loopback who it is.
  const settings = { 'Routing.LoopbackAddressesOnLanDHT': 'true', ...wish.settings };
  for (const [name, json] of Object.entries(settings)) kubo.run('config', '--json', name, json);
  const [port, gatewayPort] = [await freePort(), await freePort()];
  kubo.run('config', 'Addresses.API', `/ip4/127.0.0.1/tcp/${port}`);
  kubo.run('config', 'Addresses.Gateway', `/ip4/127.0.0.1/tcp/${gatewayPort}`);
  const call = caller(`http://127.0.0.1:${port}`, () => ({}));
  return {
    addCommand: (path, ...more) =>
      kubo.commandOf('add', '--offline', '--quieter', '--recursive', ...more, path) as [string, ...string[]],
    start: async () => {
      const startMs = performance.now();
      await untilAnswers(kubo.spawnDaemon(), () => call('id', {}));
      return (performance.now() - startMs) / 1000;
    },
    call,
    address: () => firstAddress(call),
    gatewayUrl: `http://127.0.0.1:${gatewayPort}`,
    processId: () => kubo.pid!,
    stop: () => kubo.stop(),
  };
}

function caller(apiUrl: string, headers: () => Readonly<Record<string, string>>): IpfsNode['call'] {
  return async (verb, args, signal) => {
    const url = `${apiUrl}/api/v0/${verb}?${new URLSearchParams(args)}`;
    const answer = await fetch(url, { method: 'POST', headers: headers(), signal: signal ?? null });
    if (answer.ok) return answer;
    throw new Error(`${verb}: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
  };
}

/** Asked again as soon as it was not there. @throws Error when it has ended, or takes too long */
async function untilAnswers(running: Running, ask: () => Promise<Response>): Promise<void> {
  const endMs = performance.now() + startTimeoutMs;
  for (;;) {
    running.assertRunning();
    try {
      const answer = await ask();
      await answer.arrayBuffer();
      return;
    } catch (error) {
      if (performance.now() > endMs) throw new HopelessError(`no answer: ${String(error)}`);
      await sleep(askEveryMs);
    }
  }
}

async function firstAddress(call: IpfsNode['call']): Promise<string> {
  const { Addresses } = (await (await call('id', {})).json()) as { readonly Addresses: readonly string[] };
  const address = Addresses.find((one) => /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//.test(one));
  if (address === undefined) throw new Error(`it listens nowhere on TCP: ${Addresses.join(' ')}`);
  return address;
}

/** What a gateway answers first: kubo's listens a moment after its RPC answers. @throws Error when it never does */
export async function fetchFirst(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const endMs = performance.now() + startTimeoutMs;
  for (;;) {
    try {
      const answer = await fetch(url, { headers });
      if (!answer.ok) throw new HopelessError(`${url}: ${answer.status}`);
      return new Uint8Array(await answer.arrayBuffer());
    } catch (error) {
      if (error instanceof HopelessError || performance.now() > endMs) throw error;
      await sleep(askEveryMs);
    }
  }
}
