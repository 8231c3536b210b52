import type { VerifyReport } from '@tequio/api';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { findContent } from '../content-place.ts';
import { missingError, UsageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { offlineSettings, type Session, withNode } from '../session.ts';
import { readTorrentInput } from '../torrent-input.ts';
import { createWorkProgress } from '../work-progress.ts';

/** `verify TORRENT PATH`: reads all content and says, file by file, what is not as the torrent says. */
export function defineVerify(command: Command, session: Session): void {
  const { help } = session.messages;
  command.argument('<torrent>', help.verify.torrent).argument('<path>', help.verify.path);
  addHelp(command, session, {
    summary: help.verify.summary,
    notes: help.verify.notes,
    examples: help.verify.examples,
  });
  command.action(async (torrent: string, path: string) =>
    session.finish(await runVerify(torrent, path, session)),
  );
}

async function runVerify(text: string, pathText: string, session: Session): Promise<ExitCode> {
  const { world, messages, interrupt, output } = session;
  const path = world.resolvePath(pathText);
  const report = await withNode(session, offlineSettings(session), async (node) => {
    const source = await readTorrentInput(session, node, text);
    if (!('torrent' in source)) throw new UsageError(messages.usage.noMagnetHere);
    const shown = node.bittorrent.show(source);
    if ((await node.files.kind(path)) === null) throw missingError(messages, path);
    const found = await findContent(node, shown, path);
    const content = (await node.files.realPath(found)) ?? found;
    const onProgress = await createWorkProgress(session, messages.verify.checking(printable(shown.name)));
    return interrupt.race(node.bittorrent.verify(source.torrent, content, onProgress, interrupt.signal));
  });
  output.json({ type: 'verified', ...report });
  printReport(report, session);
  if (report.ok) return exitCodes.done;
  return report.files.some((file) => file.state === 'unreadable') ? exitCodes.fileError : exitCodes.badData;
}

function printReport(report: VerifyReport, session: Session): void {
  const { output, messages } = session;
  const say = messages.verify;
  if (report.ok) {
    output.result(say.allGood(report.files.length, report.pieceCount));
    return;
  }
  for (const file of report.files) {
    if (file.state === 'good') continue;
    const detail = file.badPieces.length === 0 ? '' : say.badPieces(file.badPieces.length);
    output.result(say.file(say.states[file.state], printable(file.path), detail));
  }
  output.result(say.notGood(report.goodPieceCount, report.pieceCount));
}
