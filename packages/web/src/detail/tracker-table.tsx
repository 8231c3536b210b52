import type { JSX } from 'preact';
import { node } from '../node.ts';
import { TableHolder } from '../shell/table-holder.tsx';
import { say } from '../words/words.ts';
import { usePolled } from './polled.ts';

export function TrackerTable({ id }: { readonly id: string }): JSX.Element {
  const trackers = usePolled(() => node.torrents.trackers(id), 3000, [id]);
  if (trackers === null) return <p aria-busy="true" />;
  if (trackers.length === 0) return <p class="soft">{say('detail.noTrackers')}</p>;
  return (
    <TableHolder name={say('detail.trackers')}>
      <table>
        <thead>
          <tr>
            <th>{say('tracker.url')}</th>
            <th>{say('tracker.state')}</th>
            <th class="number">{say('tracker.peers')}</th>
          </tr>
        </thead>
        <tbody>
          {trackers.map(({ url, state, message, peerCount }) => (
            <tr key={url}>
              <td class="plain-text">{url.slice(0, 300)}</td>
              <td class="plain-text">
                {say(`tracker.${state}`)}
                {message !== null && <div class="soft">{message.slice(0, 300)}</div>}
              </td>
              <td class="number">{peerCount}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableHolder>
  );
}
