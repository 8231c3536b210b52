import type { CreateOptions, ShownTorrent } from '@tequio/api';
import { type Command, Option } from 'commander';
import { addHelp } from '../command-help.ts';
import { missingError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { shownTorrentToJson } from '../json-output.ts';
import { addMutableOptions, type MutableFlags, readMutableKey } from '../mutable-flags.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { baseName } from '../path-text.ts';
import { printable } from '../printable.ts';
import { offlineSettings, type Session, withNode } from '../session.ts';
import { createWorkProgress } from '../work-progress.ts';

type CreateFlags = MutableFlags & {
  readonly output: string;
  readonly v1?: boolean;
  readonly v2?: boolean;
  readonly hybrid?: boolean;
  readonly pieceSize?: number;
  readonly tracker?: readonly (readonly string[])[];
  readonly webSeed?: readonly string[];
  readonly private?: boolean;
  readonly source?: string;
  readonly similar?: readonly string[];
  readonly collection?: readonly string[];
  readonly comment?: string;
};

/** `create PATH -o FILE`: makes a .torrent. */
export function defineCreate(command: Command, session: Session): void {
  const { help } = session.messages;
  const parsers = createOptionParsers(session.messages);
  command
    .argument('<path>', help.create.path)
    .requiredOption('-o, --output <file>', help.create.output)
    .addOption(new Option('--v1', help.create.v1).conflicts(['v2', 'hybrid']))
    .addOption(new Option('--v2', help.create.v2).conflicts(['v1', 'hybrid']))
    .option('--hybrid', help.create.hybrid)
    .option('--piece-size <size>', help.create.pieceSize, parsers.pieceSize)
    .option('--tracker <url>', help.create.tracker, parsers.trackers)
    .option('--web-seed <url>', help.create.webSeed, parsers.webSeeds)
    .option('--private', help.create.private)
    .option('--source <text>', help.create.source)
    .option('--similar <hash>', help.create.similar, parsers.infoHashes)
    .option('--collection <name>', help.create.collection, parsers.texts)
    .option('--comment <text>', help.create.comment);
  addMutableOptions(command, help.dht.mutable, ['private', 'v2'], session, parsers);
  addHelp(command, session, {
    summary: help.create.summary,
    notes: help.create.notes,
    examples: help.create.examples,
  });
  command.action(async (path: string, flags: CreateFlags) =>
    session.finish(await runCreate(path, flags, session)),
  );
}

async function runCreate(text: string, flags: CreateFlags, session: Session): Promise<ExitCode> {
  const { world, messages, output, interrupt } = session;
  const given = world.resolvePath(text);
  const file = world.resolvePath(flags.output);
  const { shown, key } = await withNode(session, offlineSettings(session), async (node) => {
    const path = await node.files.realPath(given);
    if (path === null) throw missingError(messages, given);
    const onProgress = await createWorkProgress(session, messages.create.hashing(printable(baseName(path))));
    const made = node.bittorrent.create(optionsOf(path, flags, session), onProgress, interrupt.signal);
    const torrent = await interrupt.race(made);
    await node.files.write(file, torrent);
    const shown: ShownTorrent = node.bittorrent.show({ torrent });
    return { shown, key: flags.mutable === true ? await readMutableKey(node, shown.name, flags) : null };
  });
  const mutable = key === null ? {} : { mutableLink: key.link, keyFile: key.path };
  output.json({ type: 'created', file, ...shownTorrentToJson(shown), ...mutable });
  output.result(messages.create.written(file));
  for (const hash of [shown.infoHashV1, shown.infoHashV2]) if (hash !== null) output.result(hash);
  output.result(shown.magnet);
  if (key !== null) {
    output.note(messages.dht.mutableLink);
    output.result(key.link);
    output.note(messages.dht.keyAt(key.path));
  }
  return exitCodes.done;
}

function optionsOf(path: string, flags: CreateFlags, session: Session): CreateOptions {
  return {
    path,
    version: flags.v1 === true ? 'v1' : flags.v2 === true ? 'v2' : 'hybrid',
    pieceBytes: flags.pieceSize ?? null,
    trackers: flags.tracker ?? [],
    webSeeds: flags.webSeed ?? [],
    private: flags.private === true,
    source: flags.source ?? null,
    similar: flags.similar ?? [],
    collections: flags.collection ?? [],
    comment: flags.comment ?? null,
    createdBy: `Tequio ${session.world.version}`,
    createdAt: null,
  };
}
