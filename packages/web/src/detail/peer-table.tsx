import type { JSX } from 'preact';
import { node } from '../node.ts';
import { TableHolder } from '../shell/table-holder.tsx';
import { countryName } from '../words/country.ts';
import { Flag } from '../words/flag.tsx';
import { formatRate, formatShare } from '../words/format.ts';
import { say } from '../words/words.ts';
import { usePolled } from './polled.ts';

export function PeerTable({ id }: { readonly id: string }): JSX.Element {
  const peers = usePolled(() => node.torrents.peers(id), 2000, [id]);
  if (peers === null) return <p aria-busy="true" />;
  if (peers.length === 0) return <p class="soft">{say('detail.noPeers')}</p>;
  return (
    <TableHolder name={say('detail.peers')}>
      <table>
        <thead>
          <tr>
            <th>{say('peer.address')}</th>
            <th>{say('peer.country')}</th>
            <th>{say('peer.client')}</th>
            <th class="number">{say('peer.progress')}</th>
            <th class="number">{say('peer.down')}</th>
            <th class="number">{say('peer.up')}</th>
            <th>{say('peer.how')}</th>
          </tr>
        </thead>
        <tbody>
          {peers.map(({ endpoint, country, client, progress, downRate, upRate, transport, encrypted }) => (
            <tr key={endpoint}>
              <td>{endpoint}</td>
              <td>
                {country !== null && (
                  <>
                    <Flag country={country} />
                    {countryName(country)}
                  </>
                )}
              </td>
              <td class="plain-text">{client.slice(0, 60)}</td>
              <td class="number">{formatShare(progress)}</td>
              <td class="number down">{downRate > 0 ? formatRate(downRate) : ''}</td>
              <td class="number up">{upRate > 0 ? formatRate(upRate) : ''}</td>
              <td>
                {transport === 'utp' ? 'µTP' : 'TCP'}
                {encrypted ? ' · MSE' : ''}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableHolder>
  );
}
