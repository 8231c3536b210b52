import { NodeError } from '@tequio/kernel';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { InterruptedError } from './interrupt.ts';
import type { Messages } from './messages/en.ts';

/** The command line itself is wrong. */
export class UsageError extends NodeError {
  constructor(sentence: string) {
    super('CLI_USAGE', sentence);
  }
}

/** A file or folder that the user named is not there. */
export function missingError(messages: Messages, path: string): NodeError {
  return new NodeError('FILE_MISSING', messages.errors.missing(path), { op: 'read' });
}

export type DescribedError = { readonly code: string; readonly message: string; readonly exitCode: ExitCode };

/** What an error means to the user and to the shell. Anything that is not a NodeError is a mistake of ours. */
export function describeError(error: unknown, messages: Messages): DescribedError {
  if (error instanceof InterruptedError)
    return { code: error.code, message: error.message, exitCode: exitCodes.interrupted };
  const code = codeOf(error);
  const told = error instanceof Error ? error.message : String(error);
  // Where in a request it stands is nothing to who has typed a command.
  const text = code === 'HTTP_INPUT' ? told.replace(/^(?:body|query|path)\./, '') : told;
  const exitCode = code === null ? exitCodes.bug : exitCodeOf(code);
  if (code === null || exitCode === exitCodes.bug) {
    return { code: code ?? 'CLI_BUG', message: messages.errors.bug(text), exitCode: exitCodes.bug };
  }
  return { code, message: messages.ofCode(code, text), exitCode };
}

/** Of our own errors, and of the system's where a port let one through; null for all others. */
function codeOf(error: unknown): string | null {
  if (error instanceof NodeError) return error.code;
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  return /^E[A-Z]+$/.test(error.code) ? error.code : null;
}

/** In order: the first that matches decides. */
const exitCodeRules: readonly (readonly [RegExp, ExitCode])[] = [
  [/^CLI_(?:USAGE|NOTHING_SELECTED)$/, exitCodes.usage],
  [/^(?:FILE|SOURCE|TORRENT|CATEGORY|FOLDER|KEY|USER)_MISSING$|^ENOENT$/, exitCodes.inputMissing],
  [/^(?:USER_|SETTINGS_|PASSWORD_|LIST_QUERY$|CONFIG_|HTTP_(?:INPUT|NO_PASSWORD|ADDRESS)$)/, exitCodes.usage],
  [/^(?:FILE|SOURCE)_TOO_LONG$/, exitCodes.badData],
  [/^(?:NET_|HTTP_|DHT_|SOURCE_UNREACHABLE$|CLI_UNREACHABLE$|CLI_NO_DAEMON$)/, exitCodes.unreachable],
  [/^E(?:ADDR|CONN|HOST|NET|TIMEDOUT|NOTFOUND|AI_)/, exitCodes.unreachable],
  [
    /^(?:IPFS_IN_USE$|IPFS_STORE_FULL$|FILE_|DISK_|DATABASE_|BITTORRENT_(?:DISK|FILE)_|DATA_|E[A-Z])/,
    exitCodes.fileError,
  ],
  [/^IPFS_(?:BLOCK_MISSING|NO_LINK|PIN_NONE)$/, exitCodes.inputMissing],
  [/^(?:BITTORRENT_|IPFS_|SOURCE_|FILTER_|CLI_BAD_)/, exitCodes.badData],
];

function exitCodeOf(code: string): ExitCode {
  return exitCodeRules.find(([pattern]) => pattern.test(code))?.[1] ?? exitCodes.bug;
}
