import type { JSX } from 'preact';
import { formatBytes } from '../words/format.ts';
import { say } from '../words/words.ts';
import { cancelUploads, uploading } from './uploads.ts';

/** How far what is being added is; nothing when nothing is. */
export function UploadBar(): JSX.Element | null {
  const state = uploading.value;
  if (state === null) return null;
  const { fileCount, doneCount, bytes, sentBytes } = state;
  const share = bytes === 0 ? 0 : Math.min(1, sentBytes / bytes);
  return (
    <div class="row upload" role="status">
      <progress max="1" value={share} aria-label={say('ipfs.adding', { at: doneCount, n: fileCount })} />
      <span>
        {say('ipfs.adding', { at: doneCount, n: fileCount })} · {formatBytes(sentBytes)} /{' '}
        {formatBytes(bytes)}
      </span>
      <button type="button" class="button" onClick={cancelUploads}>
        {say('act.cancel')}
      </button>
    </div>
  );
}
