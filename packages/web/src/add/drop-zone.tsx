import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { dialog, openDialog } from '../shell/dialogs.ts';
import { dropTarget } from '../shell/drop-target.ts';
import { say } from '../words/words.ts';

/** What is dropped or pasted on the page, wherever, is something to add: a torrent, or what the screen is for. */
export function DropZone({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    addEventListener('paste', handlePaste);
    return () => removeEventListener('paste', handlePaste);
  }, []);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void addFrom(event.dataTransfer);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: there is a button for the same
    <div
      class={`drop-zone ${isOver ? 'over' : ''}`}
      data-word={dropTarget.value?.word ?? say('add.title')}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => event.relatedTarget === null && setOver(false)}
      onDrop={drop}
    >
      {children}
    </div>
  );
}

function handlePaste(event: ClipboardEvent): void {
  const isField = (event.target as HTMLElement).matches('input, textarea');
  if (!isField && dialog.value === null) void addFrom(event.clipboardData);
}

async function addFrom(data: DataTransfer | null): Promise<void> {
  if (data !== null && dropTarget.value !== null) return dropTarget.value.take(data);
  const [file] = data?.files ?? [];
  const text = data?.getData('text/uri-list') || data?.getData('text/plain') || '';
  if (file !== undefined) openDialog('add', { source: new Uint8Array(await file.arrayBuffer()) });
  else if (text.trim() !== '') openDialog('add', { source: text.trim() });
}
