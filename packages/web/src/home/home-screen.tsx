import type { NodeStatus, TorrentCounts } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { SpeedGraph } from '../detail/speed-graph.tsx';
import { isSeen, node, status } from '../node.ts';
import { linkTo } from '../route.ts';
import { Fret } from '../shell/icon.tsx';
import type { WordKey } from '../words/en.ts';
import { formatBytes, formatRate } from '../words/format.ts';
import { say } from '../words/words.ts';
import { IpfsCard } from './ipfs-card.tsx';

export function HomeScreen(): JSX.Element {
  const now = status.value;
  if (now === null) return <p class="screen" aria-busy="true" />;
  return (
    <section class="screen stack" aria-labelledby="home-title">
      <h1 id="home-title">{say('home.title')}</h1>
      {now.troubles.map(({ part, message }) => (
        <p key={part} class="notice bad-edge plain-text" role="alert">
          {message}
        </p>
      ))}
      <div class="cards">
        <BittorrentCard now={now} />
        <IpfsCard />
        <div class="card stack wide">
          <h2>{say('home.reach')}</h2>
          <Reachability now={now} />
        </div>
        <div class="card stack wide">
          <h2>{say('home.speeds')}</h2>
          <SpeedGraph />
        </div>
        <div class="card room-ready">
          <Fret />
          <p class="soft">{say('home.networks')}</p>
        </div>
      </div>
    </section>
  );
}

/** How many torrents do what; null: not known yet. */
function useCounts(): TorrentCounts | null {
  const [counts, setCounts] = useState<TorrentCounts | null>(null);
  const seen = isSeen.value;
  useEffect(() => {
    if (!seen) return;
    return node.watchTorrents({ limit: 1, counts: true }, (copy) => setCounts(copy.counts));
  }, [seen]);
  return counts;
}

/** What the network does right now, in sentences made of facts. */
function BittorrentCard({ now }: { readonly now: NodeStatus }): JSX.Element {
  const { totals, dht, freeBytes, allTime } = now;
  const groups = useCounts()?.groups;
  const [downloading, seeding] = [groups?.downloading ?? 0, groups?.seeding ?? 0];
  const { connectionCount, upRate } = totals;
  return (
    <div class="card stack">
      <div class="row spread">
        <h2>{say('home.bittorrent')}</h2>
        <span class="row">
          <a href={linkTo('torrents')}>{say('home.seeAll')}</a>
          <a href={linkTo('map')}>{say('map.title')}</a>
        </span>
      </div>
      <p class="row big">
        <span class="down">↓ {formatRate(totals.downRate)}</span>
        <span class="up">↑ {formatRate(upRate)}</span>
      </p>
      {downloading > 0 && <p>{say('home.downloading', { n: downloading, p: connectionCount })}</p>}
      {upRate > 0 && <p>{say('home.sending', { n: Math.max(1, seeding), rate: formatRate(upRate) })}</p>}
      {downloading === 0 && upRate === 0 && (
        <p>{seeding > 0 ? say('home.idleSeeding', { n: seeding }) : say('home.idle')}</p>
      )}
      {dht !== null && <p class="soft">{say('home.dht', { n: totals.dhtNodeCount })}</p>}
      <p class="soft">
        {freeBytes !== null && `${say('home.free', { size: formatBytes(freeBytes) })}. `}
        {say('home.allTime', {
          down: formatBytes(allTime.downloadedBytes),
          up: formatBytes(allTime.uploadedBytes),
        })}
        .
      </p>
    </div>
  );
}

function Reachability({ now }: { readonly now: NodeStatus }): JSX.Element {
  if (now.reachability.length === 0) return <p class="soft">{say('reach.unknown')}</p>;
  return (
    <dl class="facts">
      {groupsOf(now.reachability).map(({ names, state, advice }) => {
        const known = ['forward-port', 'open-firewall', 'ask-provider'].includes(advice);
        return (
          <div key={names.join()}>
            <dt>{names.join(' · ')}</dt>
            <dd>
              {say(`reach.${state}` as WordKey)}
              {known && (
                <div class="soft">{say(`reach.advice.${advice}` as WordKey, { port: String(now.port) })}</div>
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

type Reach = Pick<NodeStatus['reachability'][number], 'state' | 'advice'> & { readonly names: string[] };

/** Ways in of which the same is known are told of together. */
function groupsOf(ways: NodeStatus['reachability']): readonly Reach[] {
  const groups = new Map<string, Reach>();
  for (const { family, transport, state, advice } of ways) {
    const key = `${state} ${advice}`;
    const group = groups.get(key) ?? { names: [], state, advice };
    group.names.push(`IPv${family} ${transport.toUpperCase()}`);
    groups.set(key, group);
  }
  return [...groups.values()];
}
