import type { NodeSettings, RunningDaemon, SettingsPatch } from '@tequio/api';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { createOptionParsers } from '../option-parsers.ts';
import type { Session } from '../session.ts';

type RunFlags = {
  readonly http?: string | false;
  readonly config?: string;
  readonly download?: string;
  readonly port?: number;
  readonly bind?: string;
  readonly limitDown?: number | null;
  readonly limitUp?: number | null;
  readonly encryption?: NodeSettings['encryption'];
  readonly transport?: 'tcp' | 'utp' | 'both';
  readonly proxy?: string;
  readonly addressFilter?: string;
  readonly dht?: boolean;
  readonly pex?: boolean;
  readonly lsd?: boolean;
  readonly portMapping?: boolean;
};

/** `run`: the node with management, page and API, until Ctrl-C. */
export function defineRun(command: Command, session: Session): void {
  const { run: help, get: options } = session.messages.help;
  const parsers = createOptionParsers(session.messages);
  command
    .option('--http <address:port>', help.http)
    .option('--no-http', help.noHttp)
    .option('--config <file>', help.config)
    .option('--download <folder>', help.download)
    .option('--port <port>', options.port, parsers.port)
    .option('--bind <address|interface>', options.bind, parsers.bind)
    .option('--address-filter <file>', options.addressFilter)
    .option('--limit-down <rate>', options.limitDown, parsers.rate)
    .option('--limit-up <rate>', options.limitUp, parsers.rate)
    .option('--encryption <policy>', options.encryption, parsers.encryption)
    .option('--transport <kind>', options.transport, parsers.transport)
    .option('--proxy <url>', options.proxy, parsers.proxy)
    .option('--no-port-mapping', options.noPortMapping)
    .option('--no-dht', options.noDht)
    .option('--no-pex', options.noPex)
    .option('--no-lsd', options.noLsd);
  addHelp(command, session, { summary: help.summary, notes: help.notes, examples: help.examples });
  command.action(async (flags: RunFlags) => {
    // What was not said must not hide what the config file says, so a default of the parser is no flag.
    const said = Object.fromEntries(
      Object.entries(flags).filter(([name]) => command.getOptionValueSource(name) === 'cli'),
    ) as RunFlags;
    session.finish(await runNode(said, session));
  });
}

async function runNode(flags: RunFlags, session: Session): Promise<ExitCode> {
  const { world, output, messages, interrupt } = session;
  const start = world.startDaemon({
    dataFolder: session.dataFolder,
    configPath: flags.config === undefined ? null : world.resolvePath(flags.config),
    flags: settingsOf(flags, session),
    onTrouble: (line) => output.note(messages.run.trouble(line)),
  });
  const daemon = await interrupt.race(start).catch(async (error: unknown) => {
    // Stopped while it starts: what has started by then is closed as well.
    if (interrupt.isSet) await start.then((late) => late.close()).catch(() => undefined);
    throw error;
  });
  try {
    await tell(daemon, session);
    const stop = new Promise<void>((resolve) => {
      if (interrupt.isSet) resolve();
      else interrupt.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([stop, daemon.ended]);
  } finally {
    await daemon.close();
  }
  output.note(messages.run.stopped);
  output.json({ type: 'stopped' });
  return interrupt.isSet ? exitCodes.interrupted : exitCodes.done;
}

async function tell(daemon: RunningDaemon, { output, messages }: Session): Promise<void> {
  const { torrentCount } = daemon.bittorrent.totals();
  const { url, dataFolder, bittorrent } = daemon;
  output.json({ type: 'started', url, dataFolder, port: bittorrent.port, torrentCount });
  if (url === null) output.note(messages.run.noHttp);
  else {
    output.result(messages.run.page(url));
    output.note(messages.run.once);
  }
  output.note(messages.run.running(torrentCount));
}

function settingsOf(flags: RunFlags, { world }: Session): SettingsPatch {
  const { port, bind, limitDown, limitUp, encryption, transport, dht, pex, lsd, portMapping } = flags;
  const { http, download, proxy, addressFilter } = flags;
  const sections = {
    bittorrent: given({ port, bind, limitDown, limitUp, encryption, transport, dht, pex, lsd, portMapping }),
    folders: given({ download: download === undefined ? undefined : world.resolvePath(download) }),
    http: given(http === false ? { enabled: false } : { address: http }),
    proxy: given({ url: proxy }),
    addressFilter: given({
      source: addressFilter === undefined ? undefined : sourceOf(addressFilter, world),
    }),
  };
  return Object.fromEntries(
    Object.entries(sections).filter(([, section]) => Object.keys(section).length > 0),
  );
}

function sourceOf(text: string, world: Session['world']): string {
  return /^https?:\/\//i.test(text) ? text : world.resolvePath(text);
}

function given(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
