import type { NodeApi, NodeSettings } from '@tequio/api';
import { attachNode, createClient, type NodeClient } from '@tequio/client';
import { NodeError } from '@tequio/kernel';
import type { Command } from 'commander';
import type { CliWorld } from './cli-world.ts';
import type { ConsoleOutput } from './console-output.ts';
import type { ExitCode } from './exit-code.ts';
import type { Interrupt } from './interrupt.ts';
import type { Messages } from './messages/en.ts';

/** All commands, for those that speak of the others. */
export type CommandTable = {
  /** In the order of the help. */
  readonly names: readonly string[];
  load(name: string): Promise<(command: Command, session: Session) => void>;
  summaryOf(name: string, messages: Messages): string;
};

/** One call of the program: what every command is given. */
export type Session = {
  readonly world: CliWorld;
  readonly messages: Messages;
  readonly commands: CommandTable;
  readonly output: ConsoleOutput;
  readonly interrupt: Interrupt;
  /** Absolute; null: the system's usual place. */
  readonly dataFolder: string | null;
  /** How the user calls the program: `tequio`, or `npm start --`. */
  readonly programName: string;
  /** As the user typed it. */
  readonly argv: readonly string[];
  /** Said once, by the command's action. */
  finish(code: ExitCode): void;
};

/** Settings of a node that only reads, writes and hashes. */
export function offlineSettings(session: Session): NodeSettings {
  return {
    dataFolder: session.dataFolder,
    offline: true,
    port: null,
    bind: null,
    portMapping: false,
    limitDown: null,
    limitUp: null,
    encryption: 'allow',
    transport: 'both',
  };
}

/** Starts a node, works with it and closes it, whatever happens. */
export async function withNode<Value>(
  session: Session,
  settings: NodeSettings,
  work: (node: NodeApi) => Promise<Value>,
): Promise<Value> {
  const node = await session.interrupt.race(session.world.startNode(settings));
  tellAddressFilter(node, session);
  try {
    return await work(node);
  } finally {
    session.output.endLive();
    await node.close();
  }
}

/**
 * As `withNode`; but where a node is running with the same data, which is its alone, this one has a folder of its own
 * until it ends.
 */
export async function withNodeBeside<Value>(
  session: Session,
  settings: NodeSettings,
  work: (node: NodeApi) => Promise<Value>,
): Promise<Value> {
  const daemon = await findDaemon(session);
  if (daemon === null) return withNode(session, settings, work);
  const { world } = session;
  const dataFolder = await world.makeTemporaryFolder();
  try {
    return await withNode(session, { ...settings, dataFolder }, work);
  } finally {
    await world.removeTemporaryFolder(dataFolder);
  }
}

/**
 * As `withNode`; but where a node is running with the same data, torrents are given to that one, and stay with it.
 * Options of the connection are then the running node's.
 */
export async function withTorrentNode<Value>(
  session: Session,
  settings: NodeSettings,
  work: (node: NodeApi) => Promise<Value>,
): Promise<Value> {
  const daemon = await findDaemon(session);
  if (daemon === null) return withNode(session, settings, work);
  session.output.note(session.messages.daemon.attached(daemon.url));
  return withNode(session, offlineSettings(session), async (local) => {
    const node = await attachNode(local, daemon.client);
    try {
      return await work(node);
    } finally {
      await node.close();
    }
  });
}

/** Works with the node that is running. @throws NodeError `CLI_NO_DAEMON` */
export async function withDaemon<Value>(
  session: Session,
  work: (node: NodeClient) => Promise<Value>,
): Promise<Value> {
  const daemon = await findDaemon(session);
  if (daemon === null)
    throw new NodeError('CLI_NO_DAEMON', session.messages.daemon.none(`${session.programName} run`));
  return session.interrupt.race(work(daemon.client));
}

/** Null: none runs with this data, or it does not answer any more. */
export async function findDaemon(
  session: Session,
): Promise<{ client: NodeClient; url: string; token: string } | null> {
  const found = await session.world.findDaemon(session.dataFolder);
  if (found === null) return null;
  const client = createClient(found);
  try {
    await session.interrupt.race(client.status.status());
    return { client, ...found };
  } catch (error) {
    if (error instanceof NodeError && error.code === 'HTTP_UNREACHABLE') return null;
    throw error;
  }
}

function tellAddressFilter({ addressFilter }: NodeApi, { output, messages }: Session): void {
  if (addressFilter === null) return;
  const { rangeCount, badLineCount, badLines } = addressFilter;
  output.json({ type: 'address-filter', rangeCount, badLineCount, badLines });
  output.note(messages.addressFilter(rangeCount, badLineCount, badLines[0]?.line ?? 0));
}

/** A pause that an event, or the user's wish to stop, ends early. One at a time. */
export class Pause {
  readonly #session: Session;
  #end: (() => void) | null = null;
  #isWoken = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Ends the pause, or makes the next one end at once. */
  wake(): void {
    this.#isWoken = true;
    this.#end?.();
  }

  async wait(delayMs: number): Promise<void> {
    const { world, interrupt } = this.#session;
    if (!this.#isWoken && !interrupt.isSet) {
      await new Promise<void>((resolve) => {
        const timer = world.setTimer(delayMs, resolve);
        const end = (): void => {
          timer.cancel();
          resolve();
        };
        interrupt.signal.addEventListener('abort', end, { once: true });
        this.#end = () => {
          interrupt.signal.removeEventListener('abort', end);
          end();
        };
      });
      this.#end?.();
      this.#end = null;
    }
    this.#isWoken = false;
  }
}

/** The command as the user could type it again. */
export function commandLineOf(session: Session): string {
  return [session.programName, ...session.argv.map(quoted)].join(' ');
}

function quoted(argument: string): string {
  if (/^[\w@%+=:,./~-]+$/.test(argument)) return argument;
  return /["$`!]/.test(argument) ? `'${argument.replaceAll("'", `'\\''`)}'` : `"${argument}"`;
}
