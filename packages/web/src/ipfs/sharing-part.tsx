import type { IpfsNodeState } from '@tequio/api';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { SettingList } from '../settings/setting-list.tsx';
import { formatBytes, formatTime } from '../words/format.ts';
import { say } from '../words/words.ts';
import { CopyLine } from './copy-line.tsx';
import { JoinCard } from './join-card.tsx';

const settingKeys = ['ipfs.enabled', 'overlay.enabled', 'ipfs.provide', 'ipfs.gateway', 'ipfs.quota'];

/** What this node gives and why it uses the line; the gateway; the store. */
export function SharingPart({ state }: { readonly state: IpfsNodeState }): JSX.Element {
  const { mode, providing, gatewayUrl } = state;
  return (
    <div class="stack">
      <JoinCard mode={mode} />
      <div class="card stack">
        <h2>{say('ipfs.why')}</h2>
        <Reasons state={state} />
      </div>
      <div class="card stack">
        <h2>{say('ipfs.providing')}</h2>
        <p>{say('ipfs.providingText')}</p>
        {providing === null ? (
          <p class="soft">{say('ipfs.notProviding')}</p>
        ) : (
          <>
            <p>{say('ipfs.findable', { n: providing.findableCount, all: providing.keyCount })}</p>
            {providing.neverToldCount > 0 && (
              <p class="soft">{say('ipfs.waiting', { n: providing.neverToldCount })}</p>
            )}
            {providing.roundEndsMs !== null && (
              <p class="soft">{say('ipfs.roundEnds', { time: formatTime(providing.roundEndsMs) })}</p>
            )}
          </>
        )}
      </div>
      <div class="card stack">
        <h2>{say('ipfs.gateway')}</h2>
        <p>{say('ipfs.gatewayText')}</p>
        {gatewayUrl === null ? (
          <p class="soft">{say('ipfs.gatewayOff')}</p>
        ) : (
          <CopyLine label={say('ipfs.gatewayAt')} text={gatewayUrl} />
        )}
      </div>
      <Store state={state} />
      <fieldset class="card stack">
        <legend>{say('nav.settings')}</legend>
        <SettingList keys={settingKeys} />
      </fieldset>
    </div>
  );
}

/** In sentences made of facts. */
function Reasons({ state }: { readonly state: IpfsNodeState }): JSX.Element {
  const { mode, peerCount, askedCount, wantCount, sentBytes, receivedBytes } = state;
  if (mode !== 'online') return <p>{say('ipfs.noBandwidth')}</p>;
  return (
    <>
      <p>{say('ipfs.peerSentence', { n: peerCount })}</p>
      {askedCount > 0 && <p>{say('ipfs.askedSentence', { n: askedCount })}</p>}
      {wantCount > 0 && <p>{say('ipfs.wantSentence', { n: wantCount })}</p>}
      <p class="soft">
        {say('ipfs.traffic', { down: formatBytes(receivedBytes), up: formatBytes(sentBytes) })}
      </p>
    </>
  );
}

function Store({ state }: { readonly state: IpfsNodeState }): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const { blockCount, diskBytes, quotaBytes } = state;
  const collect = async (): Promise<void> => {
    setBusy(true);
    await attempt(async () => {
      const { removedBlocks, freedBytes } = await node.ipfs.collect();
      tell(say('ipfs.collected', { n: removedBlocks, size: formatBytes(freedBytes) }));
    });
    setBusy(false);
  };
  return (
    <div class="card stack">
      <h2>{say('ipfs.store')}</h2>
      <p>
        {say('ipfs.storeText', { n: blockCount, size: formatBytes(diskBytes) })}{' '}
        {quotaBytes !== null && say('ipfs.storeQuota', { size: formatBytes(quotaBytes) })}
      </p>
      <p class="soft">{say('ipfs.collectText')}</p>
      <button type="button" class="button fit" disabled={isBusy || state.mode === 'off'} onClick={collect}>
        {say('ipfs.collect')}
      </button>
    </div>
  );
}
