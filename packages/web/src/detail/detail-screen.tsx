import type { ListedTorrent } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isSeen, node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { linkTo } from '../route.ts';
import { openDialog } from '../shell/dialogs.ts';
import { Icon } from '../shell/icon.tsx';
import { type Tab, Tabs } from '../shell/tabs.tsx';
import { barKind, shareDone, stateWord } from '../torrents/torrent-state.ts';
import { formatRate, formatShare, formatSpan } from '../words/format.ts';
import { say } from '../words/words.ts';
import { EventList } from './event-list.tsx';
import { FileTable } from './file-table.tsx';
import { Overview } from './overview.tsx';
import { PeerTable } from './peer-table.tsx';
import { PieceMap } from './piece-map.tsx';
import { SpeedGraph } from './speed-graph.tsx';
import { TrackerTable } from './tracker-table.tsx';

const parts: readonly Tab[] = [
  ['overview', 'detail.overview'],
  ['files', 'detail.files'],
  ['peers', 'detail.peers'],
  ['trackers', 'detail.trackers'],
  ['pieces', 'detail.pieces'],
  ['speed', 'detail.speed'],
  ['log', 'detail.events'],
];

export function DetailScreen({ id, part }: { readonly id: string; readonly part: string }): JSX.Element {
  const torrent = useTorrent(id);
  if (torrent === undefined) return <p class="screen" aria-busy="true" />;
  if (torrent === null) {
    return (
      <div class="screen stack">
        <p>{say('detail.gone')}</p>
        <a href={linkTo('torrents')}>{say('detail.back')}</a>
      </div>
    );
  }
  return (
    <section class="screen stack" aria-labelledby="detail-title">
      <a class="row back" href={linkTo('torrents')}>
        <Icon name="back" />
        {say('detail.back')}
      </a>
      <h1 id="detail-title" class="plain-text">
        {torrent.name.slice(0, 500)}
      </h1>
      <Progress torrent={torrent} />
      <Actions torrent={torrent} />
      <Tabs
        label={say('act.open')}
        tabs={parts}
        open={part}
        linkTo={(name) => linkTo('torrents', id, name)}
      />
      <Part part={part} torrent={torrent} />
    </section>
  );
}

function Part({ part, torrent }: { readonly part: string; readonly torrent: ListedTorrent }): JSX.Element {
  const { id } = torrent;
  if (part === 'files') return <FileTable id={id} />;
  if (part === 'peers') return <PeerTable id={id} />;
  if (part === 'trackers') return <TrackerTable id={id} />;
  if (part === 'pieces')
    return <PieceMap id={id} pieceCount={torrent.pieceCount} copies={torrent.availability} />;
  if (part === 'speed') return <SpeedGraph torrent={id} />;
  if (part === 'log') return <EventList id={id} />;
  return <Overview torrent={torrent} />;
}

/** Undefined: not known yet; null: there is no such torrent. */
function useTorrent(id: string): ListedTorrent | null | undefined {
  const [torrent, setTorrent] = useState<ListedTorrent | null | undefined>(undefined);
  const seen = isSeen.value;
  useEffect(() => {
    if (!seen) return;
    return node.watchTorrents({ filter: { ids: [id] }, limit: 1 }, ({ rows }) => setTorrent(rows[0] ?? null));
  }, [id, seen]);
  return torrent;
}

function Progress({ torrent }: { readonly torrent: ListedTorrent }): JSX.Element {
  const { downRate, upRate, state, secondsLeft, error } = torrent;
  return (
    <div class="stack tight">
      <div class={`bar thick ${barKind(torrent)}`} aria-hidden="true">
        <i style={{ width: `${shareDone(torrent) * 100}%` }} />
      </div>
      <div class="row">
        <b>{torrent.pieceCount === 0 ? '' : formatShare(shareDone(torrent))}</b>
        <span>{say(stateWord(torrent))}</span>
        {downRate > 0 && <span class="down">↓ {formatRate(downRate)}</span>}
        {upRate > 0 && <span class="up">↑ {formatRate(upRate)}</span>}
        {state === 'downloading' && secondsLeft !== null && (
          <span class="soft">{formatSpan(secondsLeft)}</span>
        )}
      </div>
      {error !== null && (
        <p class="notice bad-edge plain-text" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function Actions({ torrent }: { readonly torrent: ListedTorrent }): JSX.Element {
  const ids = [torrent.id];
  const isStill = torrent.state === 'paused';
  const copyLink = (): Promise<boolean> =>
    attempt(async () => {
      const link = (await node.torrents.show(torrent.id))?.magnet ?? `magnet:?xt=urn:btih:${torrent.id}`;
      await navigator.clipboard.writeText(link);
      tell(say('act.copied'));
    });
  return (
    <div class="row">
      <button
        type="button"
        class="button"
        onClick={() => attempt(() => (isStill ? node.torrents.resume(ids) : node.torrents.pause(ids)))}
      >
        <Icon name={isStill ? 'play' : 'pause'} />
        {say(isStill ? 'act.resume' : 'act.pause')}
      </button>
      <button type="button" class="button quiet" onClick={() => attempt(() => node.torrents.recheck(ids))}>
        <Icon name="check" />
        {say('act.recheck')}
      </button>
      <button type="button" class="button quiet" onClick={() => attempt(() => node.torrents.announce(ids))}>
        <Icon name="announce" />
        {say('act.announce')}
      </button>
      <button type="button" class="button quiet" onClick={copyLink}>
        <Icon name="link" />
        {say('act.copyLink')}
      </button>
      <button type="button" class="button quiet danger" onClick={() => openDialog('remove', { ids })}>
        <Icon name="remove" />
        {say('act.remove')}
      </button>
    </div>
  );
}
