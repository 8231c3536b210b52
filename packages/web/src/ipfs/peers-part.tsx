import type { IpfsNodeState } from '@tequio/api';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { usePolled } from '../detail/polled.ts';
import { node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { TableHolder } from '../shell/table-holder.tsx';
import { countryName } from '../words/country.ts';
import { Flag } from '../words/flag.tsx';
import { formatBytes } from '../words/format.ts';
import { say } from '../words/words.ts';
import { CopyLine } from './copy-line.tsx';
import { EmptyCard } from './empty-card.tsx';
import { JoinCard } from './join-card.tsx';

export function PeersPart({ state }: { readonly state: IpfsNodeState }): JSX.Element {
  const peers = usePolled(() => node.ipfs.peers(), 3000, []);
  return (
    <div class="stack">
      <JoinCard mode={state.mode} />
      {state.mode === 'online' && <ConnectForm />}
      {peers === null ? (
        <p aria-busy="true" />
      ) : peers.length === 0 ? (
        <EmptyCard title={say('ipfs.noPeers')}>
          <p class="soft">{say('ipfs.noPeersText')}</p>
        </EmptyCard>
      ) : (
        <TableHolder name={say('ipfs.peers')}>
          <table>
            <thead>
              <tr>
                <th>{say('peer.client')}</th>
                <th>{say('peer.country')}</th>
                <th>{say('peer.how')}</th>
                <th>{say('ipfs.direction')}</th>
                <th class="number">{say('ipfs.latency')}</th>
                <th class="number">{say('peer.down')}</th>
                <th class="number">{say('peer.up')}</th>
                <th>{say('peer.address')}</th>
              </tr>
            </thead>
            <tbody>
              {peers.map((peer) => (
                <tr key={`${peer.peer} ${peer.address}`}>
                  <td class="plain-text">{(peer.agent ?? say('settings.none')).slice(0, 60)}</td>
                  <td>
                    {peer.country !== null && (
                      <>
                        <Flag country={peer.country} />
                        {countryName(peer.country)}
                      </>
                    )}
                  </td>
                  <td>{transportNames[peer.transport]}</td>
                  <td>{say(peer.direction === 'in' ? 'ipfs.in' : 'ipfs.out')}</td>
                  <td class="number">{peer.latencyMs === null ? '' : `${Math.round(peer.latencyMs)} ms`}</td>
                  <td class="number down">{peer.receivedBytes > 0 ? formatBytes(peer.receivedBytes) : ''}</td>
                  <td class="number up">{peer.sentBytes > 0 ? formatBytes(peer.sentBytes) : ''}</td>
                  <td class="plain-text" title={peer.peer}>
                    {peer.address.replace(/\/p2p\/[^/]+$/, '').slice(0, 100)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableHolder>
      )}
      {state.peer !== null && (
        <div class="card stack">
          <h2>{say('ipfs.self')}</h2>
          <CopyLine label={say('ipfs.peerId')} text={state.peer} />
          <ul class="addresses">
            {state.addresses.map((address) => (
              <li key={address} class="plain-text">
                {address}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

const transportNames = {
  tcp: 'TCP',
  websocket: 'WebSocket',
  quic: 'QUIC',
  webrtc: 'WebRTC',
  relay: 'relay',
  other: '—',
} as const;

function ConnectForm(): JSX.Element {
  const [text, setText] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const isDone = await attempt(() => node.ipfs.connect(text.trim()));
    setBusy(false);
    if (!isDone) return;
    setText('');
    tell(say('ipfs.connected'));
  };
  return (
    <form class="row" onSubmit={submit}>
      <input
        class="input grow"
        required
        aria-label={say('ipfs.peerAddress')}
        placeholder={say('ipfs.peerAddress')}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="button" disabled={isBusy}>
        {say('ipfs.connect')}
      </button>
    </form>
  );
}
