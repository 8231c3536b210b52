import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { settingsOf } from '../node-flags.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { Pause, type Session, withNodeBeside } from '../session.ts';

type ServeFlags = {
  readonly port?: number;
  readonly bind?: string;
  readonly dhtBootstrap?: readonly string[];
  readonly limitUp?: number | null;
};

/** How often it says how it is. */
const lineEveryMs = 60_000;
const jsonEveryMs = 5000;

/** `dht serve`: a node of the DHT and nothing else, for a network whose first node it is. */
export function defineDhtServe(command: Command, session: Session): void {
  const { dht: help, get: own } = session.messages.help;
  const parsers = createOptionParsers(session.messages);
  const examples = help.examples.filter(([line]) => line.startsWith('dht serve'));
  addHelp(command.command('serve').summary(help.serve), session, { summary: help.serve, examples })
    .option('--dht-bootstrap <host:port>', own.dhtBootstrap, parsers.peers)
    .option('--port <port>', own.port, parsers.port)
    .option('--bind <address|interface>', own.bind, parsers.bind)
    .option('--limit-up <rate>', help.serveLimit, parsers.rate)
    .action(async (flags: ServeFlags) => session.finish(await serve(flags, session)));
}

async function serve(flags: ServeFlags, session: Session): Promise<ExitCode> {
  const { output, messages, interrupt } = session;
  const { limitUp, ...rest } = flags;
  const settings = settingsOf(rest, session);
  const dht = {
    // The first node of a network has nobody to ask.
    bootstrap: flags.dhtBootstrap ?? [],
    ...(limitUp == null ? {} : { replyBytesPerSecond: limitUp }),
  };
  const own = { ...settings, portMapping: false, lsd: false, dht };
  await withNodeBeside(session, own, async (node) => {
    const { bittorrent } = node;
    output.json({ type: 'serving', port: bittorrent.port });
    output.note(messages.dht.serving(bittorrent.port));
    const pause = new Pause(session);
    while (!interrupt.isSet) {
      await pause.wait(output.isJson ? jsonEveryMs : lineEveryMs);
      const status = bittorrent.dht?.status() ?? null;
      if (status === null) continue;
      const nodeCount = status.families.reduce((sum, family) => sum + family.contactCount, 0);
      output.json({ type: 'status', nodeCount, answeredCount: status.answeredCount });
      output.note(messages.dht.served(nodeCount, status.answeredCount));
    }
  });
  return exitCodes.interrupted;
}
