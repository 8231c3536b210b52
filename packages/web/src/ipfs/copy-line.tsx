import type { JSX } from 'preact';
import { attempt, tell } from '../notice.ts';
import { say } from '../words/words.ts';

/** A text that is there to be handed on. */
export function CopyLine({ label, text }: { readonly label: string; readonly text: string }): JSX.Element {
  const copy = (): Promise<boolean> =>
    attempt(async () => {
      await navigator.clipboard.writeText(text);
      tell(say('act.copied'));
    });
  return (
    <div class="copy-line">
      <label class="field">
        <span>{label}</span>
        <input class="input" readOnly value={text} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <button type="button" class="button" aria-label={`${say('ipfs.copy')}: ${label}`} onClick={copy}>
        {say('ipfs.copy')}
      </button>
    </div>
  );
}
