import type { IpfsNodeState } from '@tequio/api';
import type { JSX } from 'preact';
import { node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { say } from '../words/words.ts';

/** Saves, and says when it holds. */
export async function join(settings: Parameters<typeof node.settings.patch>[0]): Promise<void> {
  await attempt(async () => {
    const { restartNeeded } = await node.settings.patch(settings);
    tell(say(restartNeeded.length === 0 ? 'settings.saved' : 'settings.savedLate'));
  });
}

/** Why nobody can get anything from here, and what to do; nothing when all is well. */
export function JoinCard({ mode }: { readonly mode: IpfsNodeState['mode'] }): JSX.Element | null {
  if (mode === 'off') {
    return (
      <div class="notice stack tight">
        <p>{say('ipfs.off')}</p>
        <button type="button" class="button fit" onClick={() => join({ ipfs: { enabled: true } })}>
          {say('ipfs.turnOn')}
        </button>
      </div>
    );
  }
  if (mode !== 'alone') return null;
  return (
    <div class="notice stack tight">
      <p>{say('ipfs.alone')}</p>
      <button type="button" class="button fit" onClick={() => join({ overlay: { enabled: true } })}>
        {say('ipfs.goOnline')}
      </button>
    </div>
  );
}
