import type { LogLevel, LogLine } from '@tequio/api';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { UsageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { Pause, type Session, withDaemon } from '../session.ts';

type LogFlags = { readonly lines: number; readonly level: LogLevel; readonly follow?: boolean };

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const tickMs = 3_600_000;

/** `log`: lines of the running node's log. */
export function defineLog(command: Command, session: Session): void {
  const { log: help } = session.messages.help;
  const say = session.messages.daemon;
  command
    .option(
      '-n, --lines <count>',
      help.lines,
      (text) => {
        const count = Number(text);
        if (!Number.isInteger(count) || count < 1 || count > 5000) throw new UsageError(say.badCount(text));
        return count;
      },
      100,
    )
    .option(
      '--level <level>',
      help.level,
      (text) => {
        const level = levels.find((known) => known === text);
        if (level === undefined) throw new UsageError(say.badLevel(text));
        return level;
      },
      'info' as LogLevel,
    )
    .option('-f, --follow', help.follow);
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  command.action(async (flags: LogFlags) => session.finish(await runLog(flags, session)));
}

async function runLog({ lines, level, follow }: LogFlags, session: Session): Promise<ExitCode> {
  return withDaemon(session, async (node) => {
    let lastSeq = 0;
    const tell = (line: LogLine): void => {
      if (line.seq <= lastSeq || levels.indexOf(line.level) < levels.indexOf(level)) return;
      lastSeq = line.seq;
      session.output.json({ type: 'log', ...line });
      session.output.result(textOf(line));
    };
    const waiting: LogLine[] = [];
    let hear = (line: LogLine): void => void waiting.push(line);
    const end = follow === true ? node.log.subscribe((line) => hear(line)) : () => {};
    try {
      for (const line of await node.log.lines({ level, limit: lines })) tell(line);
      if (follow !== true) return exitCodes.done;
      for (const line of waiting) tell(line);
      hear = tell;
      const pause = new Pause(session);
      while (!session.interrupt.isSet) await pause.wait(tickMs);
      return exitCodes.interrupted;
    } finally {
      end();
    }
  });
}

function textOf({ atMs, level, name, fields }: LogLine): string {
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return printable([new Date(atMs).toISOString(), level.padEnd(5), name, ...rest].join(' '));
}
