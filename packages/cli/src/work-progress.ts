import type { Progress } from '@tequio/api';
import { RateMeter } from '@tequio/kernel';
import type { Session } from './session.ts';
import { formatBytes, percentOf } from './size-text.ts';

const drawEveryMs = 100;
const lineEveryMs = 5000;
const jsonEveryMs = 1000;

/**
 * Shows work of known size as it goes: a bar on a terminal, a line now and then elsewhere, `progress` lines with
 * `--json`. Returns what takes the progress; `endLive` of the output ends it.
 */
export async function createWorkProgress(
  session: Session,
  label: string,
): Promise<(progress: Progress) => void> {
  const { output, messages, world } = session;
  const renderWork = output.isLive ? (await import('./progress-bar.ts')).renderWork : null;
  const meter = new RateMeter(2000);
  const startMs = world.nowMs();
  const everyMs = output.isJson ? jsonEveryMs : output.isLive ? drawEveryMs : lineEveryMs;
  let dueMs = output.isLive ? startMs : startMs + everyMs;
  return ({ doneBytes, totalBytes }) => {
    const nowMs = world.nowMs();
    meter.add(doneBytes - meter.totalBytes, nowMs);
    if (nowMs < dueMs) return;
    dueMs = nowMs + everyMs;
    if (output.isJson) output.json({ type: 'progress', doneBytes, totalBytes });
    else if (renderWork === null) {
      const size = messages.progress.of(formatBytes(doneBytes), formatBytes(totalBytes));
      output.note(messages.progress.plain(label, `${percentOf(doneBytes, totalBytes)} %, ${size}`));
    } else {
      const bytesPerSecond = meter.bytesPerSecond(nowMs);
      const { columns, colors } = output;
      output.draw(
        renderWork({ label, doneBytes, totalBytes, bytesPerSecond }, { columns, colors, messages }),
      );
    }
  };
}
