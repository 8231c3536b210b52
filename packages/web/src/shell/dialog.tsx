import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { say } from '../words/words.ts';
import { closeDialog } from './dialogs.ts';
import { Icon } from './icon.tsx';

type Props = {
  readonly title: string;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
};

/** A modal dialog: the browser keeps the focus inside and gives it back; Esc closes. The first field has the focus. */
export function Dialog({ title, isWide = false, children }: Props): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => element.current?.showModal(), []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes it, as in every dialog
    <dialog
      ref={element}
      class={isWide ? 'wide-dialog' : ''}
      aria-labelledby={titleId}
      onClose={closeDialog}
      onClick={closeOutside}
    >
      <div class="dialog-body">
        <h2 id={titleId} class="plain-text dialog-title">
          {title}
        </h2>
        {children}
        <button
          type="button"
          class="button quiet icon dialog-close"
          aria-label={say('act.close')}
          onClick={closeDialog}
        >
          <Icon name="close" />
        </button>
      </div>
    </dialog>
  );
}

function closeOutside(event: MouseEvent): void {
  if (event.target === event.currentTarget) closeDialog();
}
