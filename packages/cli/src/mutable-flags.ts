import type { NodeApi } from '@tequio/api';
import { encodeUtf8 } from '@tequio/kernel';
import { type Command, Option } from 'commander';
import type { OptionParsers } from './option-parsers.ts';
import type { Session } from './session.ts';

/** Options of commands that make or publish torrents that change (BEP 46). */
export type MutableFlags = {
  readonly mutable?: boolean;
  readonly key?: string;
  readonly salt?: string;
};

/** @param what `--mutable` does here */
export function addMutableOptions(
  command: Command,
  what: string,
  conflicts: string[],
  session: Session,
  parsers: OptionParsers,
): void {
  const { dht: help } = session.messages.help;
  const options = [
    new Option('--mutable', what),
    new Option('--key <name>', help.keyName).implies({ mutable: true }),
    new Option('--salt <text>', help.mutableSalt).argParser(parsers.salt).implies({ mutable: true }),
  ];
  for (const option of options) command.addOption(option.conflicts(conflicts));
}

export type MutableKey = Awaited<ReturnType<NodeApi['mutable']['key']>> & { readonly salt: Uint8Array };

/** The key that the user means: by default the torrent has one of its own. */
export async function readMutableKey(
  node: NodeApi,
  torrentName: string,
  flags: MutableFlags,
): Promise<MutableKey> {
  const salt = encodeUtf8(flags.salt ?? '');
  return { ...(await node.mutable.key(flags.key ?? torrentName, salt)), salt };
}
