import { signal } from '@preact/signals';
import { openDialog } from './dialogs.ts';

/** Where what is dropped, pasted or added goes while a screen with a place of its own is open. */
export type DropTarget = {
  /** What it says while something is held over the page. */
  readonly word: string;
  take(data: DataTransfer): void;
  /** The button at the top, and the key A. */
  choose(): void;
};

/** Null: a torrent is added. */
export const dropTarget = signal<DropTarget | null>(null);

export function addSomething(): void {
  if (dropTarget.value === null) openDialog('add');
  else dropTarget.value.choose();
}
