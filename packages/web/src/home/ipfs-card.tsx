import type { IpfsNodeState } from '@tequio/api';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { usePolled } from '../detail/polled.ts';
import { node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { linkTo } from '../route.ts';
import { formatBytes, formatRate } from '../words/format.ts';
import { say } from '../words/words.ts';

const intervalMs = 2000;
/** Of the folder in which nothing is yet. */
const emptyBytes = 4;

/** What IPFS does right now, and why. */
export function IpfsCard(): JSX.Element {
  const state = usePolled(() => node.ipfs.state(), intervalMs, []);
  const rates = useRates(state);
  return (
    <div class="card stack">
      <div class="row spread">
        <h2>IPFS</h2>
        <span class="row">
          <a href={linkTo('ipfs')}>{say('ipfs.files')}</a>
          <a href={linkTo('ipfs', 'sharing')}>{say('ipfs.sharing')}</a>
        </span>
      </div>
      {state !== null && (
        <>
          {state.mode === 'online' && (
            <p class="row big">
              <span class="down">↓ {formatRate(rates.down)}</span>
              <span class="up">↑ {formatRate(rates.up)}</span>
            </p>
          )}
          <Sentences state={state} />
          <label class="check">
            <input
              type="checkbox"
              checked={state.mode !== 'off'}
              onChange={(event) => turn(event.currentTarget.checked)}
            />
            <span>{say('ipfs.takePart')}</span>
          </label>
        </>
      )}
    </div>
  );
}

function turn(enabled: boolean): Promise<boolean> {
  return attempt(async () => {
    const { restartNeeded } = await node.settings.patch({ ipfs: { enabled } });
    tell(say(restartNeeded.length === 0 ? 'settings.saved' : 'settings.savedLate'));
  });
}

function Sentences({ state }: { readonly state: IpfsNodeState }): JSX.Element {
  const { mode, peerCount, askedCount, wantCount, filesBytes, pinCount, providing } = state;
  if (mode === 'off') return <p class="soft">{say('ipfs.off')}</p>;
  if (mode === 'resting') return <p>{say('ipfs.resting')}</p>;
  return (
    <>
      <p>
        {(filesBytes ?? 0) <= emptyBytes && pinCount === 0
          ? say('ipfs.resting')
          : say('ipfs.kept', { size: formatBytes(filesBytes ?? 0), n: pinCount })}
      </p>
      {mode === 'alone' && <p>{say('ipfs.alone')}</p>}
      {mode === 'online' && <p>{say('ipfs.peerSentence', { n: peerCount })}</p>}
      {askedCount > 0 && <p>{say('ipfs.askedSentence', { n: askedCount })}</p>}
      {wantCount > 0 && <p>{say('ipfs.wantSentence', { n: wantCount })}</p>}
      {providing !== null && (
        <p class="soft">{say('ipfs.findable', { n: providing.findableCount, all: providing.keyCount })}</p>
      )}
    </>
  );
}

/** Bytes a second between the two latest states. */
function useRates(state: IpfsNodeState | null): { readonly down: number; readonly up: number } {
  const before = useRef<{ state: IpfsNodeState; atMs: number; down: number; up: number } | null>(null);
  const last = before.current;
  if (state !== null && state !== last?.state) {
    const atMs = performance.now();
    const seconds = last === null ? 0 : (atMs - last.atMs) / 1000;
    const rate = (now: number, then: number): number =>
      seconds <= 0 ? 0 : Math.max(0, (now - then) / seconds);
    before.current = {
      state,
      atMs,
      down: rate(state.receivedBytes, last?.state.receivedBytes ?? 0),
      up: rate(state.sentBytes, last?.state.sentBytes ?? 0),
    };
  }
  return before.current ?? { down: 0, up: 0 };
}
