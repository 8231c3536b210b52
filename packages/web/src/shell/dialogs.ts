import { signal } from '@preact/signals';
import type { FileSnapshot } from '@tequio/api';
import type { JSX } from 'preact';

export type DialogName = 'add' | 'palette' | 'pause' | 'keys' | 'remove' | 'play' | 'guide' | 'part';

/** The dialog that is open; one at a time. */
export const dialog = signal<DialogName | null>(null);
/** What a dialog is about: ids of torrents, a file of the only one, or a source to add. */
export const dialogAbout = signal<{
  readonly ids?: readonly string[];
  readonly file?: FileSnapshot;
  readonly source?: string | Uint8Array;
  /** The dialog itself, of a part of the page that brings its own. */
  readonly part?: () => JSX.Element;
}>({});

export function openDialog(name: DialogName, about: typeof dialogAbout.value = {}): void {
  dialogAbout.value = about;
  dialog.value = name;
}

/** A dialog of a part of the page that is loaded late. */
export function openPartDialog(part: () => JSX.Element): void {
  openDialog('part', { part });
}

export function closeDialog(): void {
  dialog.value = null;
}
