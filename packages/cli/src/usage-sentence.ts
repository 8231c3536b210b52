import type { CommanderError } from 'commander';
import type { Messages } from './messages/en.ts';
import { isSourceAddress } from './source-text.ts';

/**
 * A plain sentence, in the user's language, for what commander found wrong. Commander tells what in its message
 * alone, with names in quotes: option and argument names of ours, and what the user typed.
 */
export function usageSentence(error: CommanderError, messages: Messages, programName: string): string {
  const say = messages.usage;
  const names = [...error.message.matchAll(/'([^']*)'/g)].map((match) => match[1] ?? '');
  const name = names[0] ?? '';
  const suggestion = /\(Did you mean (?:one of )?([^?,]+)/.exec(error.message)?.[1];
  const meant = suggestion === undefined ? '' : ` ${say.didYouMean(suggestion)}`;
  switch (error.code) {
    case 'commander.help':
      return say.noCommand(programName);
    case 'commander.unknownCommand':
      return say.unknownCommand(name) + (meant || sourceHint(name, messages, programName));
    case 'commander.unknownOption':
      return say.unknownOption(name) + meant;
    case 'commander.missingArgument':
      return say.missingArgument(name.toUpperCase());
    case 'commander.missingMandatoryOptionValue':
      return say.missingOption(name);
    case 'commander.optionMissingArgument':
      return say.missingOptionValue(name);
    case 'commander.excessArguments':
      return say.tooManyArguments;
    case 'commander.conflictingOption':
      return say.conflict(name, names[1] ?? '');
    default:
      return error.message.replace(/^error: /, '');
  }
}

/** For `tequio debian.torrent`, which plainly wants `get`. */
function sourceHint(text: string, messages: Messages, programName: string): string {
  if (!isSourceAddress(text) && !text.endsWith('.torrent')) return '';
  return ` ${messages.usage.looksLikeSource(programName, /^[\w@%+=:,./~-]+$/.test(text) ? text : `"${text}"`)}`;
}
