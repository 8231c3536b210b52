/** Whether the first steps are to be shown, and what they begin with. */
import type { Settings } from '@tequio/api';
import { node, untilReached } from '../node.ts';
import { dialog, openDialog } from '../shell/dialogs.ts';

const storageKey = 'tequio.guided';

/** To those who may change settings, on a node that nobody has set up and that has nothing to do. */
export async function offerGuide(): Promise<void> {
  if (localStorage.getItem(storageKey) !== null) return;
  const ask = () => Promise.all([node.settings.origins(), node.status.status()]);
  const found = await untilReached(ask).catch(() => null);
  if (found === null) return;
  const [origins, { totals }] = found;
  if (Object.values(origins).includes('file') || totals.torrentCount > 0) return;
  if (dialog.value === null) openDialog('guide');
}

/** In this browser; elsewhere it is offered until something was set. */
export function markGuided(): void {
  localStorage.setItem(storageKey, 'yes');
}

export type GuideStart = {
  readonly folder: string;
  readonly settings: Settings;
  /** Those that a flag or a variable fixes. */
  readonly isFixed: (key: string) => boolean;
};

export async function readGuideStart(): Promise<GuideStart> {
  const [settings, origins, { downloadFolder }] = await Promise.all([
    node.settings.get(),
    node.settings.origins(),
    node.status.status(),
  ]);
  return {
    folder: downloadFolder,
    settings,
    isFixed: (key) => ['environment', 'flag'].includes(origins[key] ?? ''),
  };
}
