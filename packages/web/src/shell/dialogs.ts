import { signal } from '@preact/signals';

export type DialogName = 'add' | 'palette' | 'pause' | 'keys' | 'remove';

/** The dialog that is open; one at a time. */
export const dialog = signal<DialogName | null>(null);
/** What a dialog is about: ids of torrents, or a source to add. */
export const dialogAbout = signal<{
  readonly ids?: readonly string[];
  readonly source?: string | Uint8Array;
}>({});

export function openDialog(name: DialogName, about: typeof dialogAbout.value = {}): void {
  dialogAbout.value = about;
  dialog.value = name;
}

export function closeDialog(): void {
  dialog.value = null;
}
