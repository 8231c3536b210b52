import { signal } from '@preact/signals';
import { say } from './words/words.ts';

export type Notice = { readonly id: number; readonly text: string; readonly isBad: boolean };

/** What the page tells its user in passing, the latest last; screen readers say it aloud. */
export const notices = signal<readonly Notice[]>([]);

const shownMs = 6000;
let nextId = 1;

export function tell(text: string, isBad = false): void {
  const notice = { id: nextId++, text, isBad };
  notices.value = [...notices.value.slice(-3), notice];
  setTimeout(() => dismiss(notice.id), isBad ? 3 * shownMs : shownMs);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Does something that can fail, and says so when it does. @returns whether it went well */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    tell(`${say('error.title')}: ${(error as Error).message}`, true);
    return false;
  }
}
