import type { ListedTorrent, TorrentPatch } from '@tequio/api';
import type { ComponentChildren, JSX } from 'preact';
import { node } from '../node.ts';
import { attempt } from '../notice.ts';
import { DraftInput } from '../shell/draft-input.tsx';
import { formatBytes, formatRatio, formatTime } from '../words/format.ts';
import { say } from '../words/words.ts';

export function Overview({ torrent }: { readonly torrent: ListedTorrent }): JSX.Element {
  const { id, folder, totalBytes, pieceCount, pieceBytes, downloadedBytes, uploadedBytes, wastedBytes } =
    torrent;
  return (
    <div class="two">
      <dl class="facts">
        <Fact name={say('detail.folder')}>{folder}</Fact>
        {pieceCount > 0 && (
          <Fact name={say('detail.size')}>
            {formatBytes(totalBytes)},{' '}
            {say('detail.pieceCount', { n: pieceCount, size: formatBytes(pieceBytes) })}
          </Fact>
        )}
        <Fact name={say('detail.downloaded')}>{formatBytes(downloadedBytes)}</Fact>
        <Fact name={say('detail.uploaded')}>
          {formatBytes(uploadedBytes)} ({formatRatio(torrent.ratio)})
        </Fact>
        {wastedBytes > 0 && <Fact name={say('detail.wasted')}>{formatBytes(wastedBytes)}</Fact>}
        <Fact name={say('detail.added')}>{formatTime(torrent.addedAtMs)}</Fact>
        {torrent.finishedAtMs !== null && (
          <Fact name={say('detail.finished')}>{formatTime(torrent.finishedAtMs)}</Fact>
        )}
        {[torrent.infoHashV1, torrent.infoHashV2].map(
          (hash, index) =>
            hash !== null && (
              <Fact key={hash} name={`${say('detail.hash')} v${index + 1}`}>
                <code>{hash}</code>
              </Fact>
            ),
        )}
      </dl>
      <Wishes key={id} torrent={torrent} />
    </div>
  );
}

function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="plain-text">{children}</dd>
    </div>
  );
}

/** What its owner can change. */
function Wishes({ torrent }: { readonly torrent: ListedTorrent }): JSX.Element {
  const patch = (change: TorrentPatch): Promise<boolean> =>
    attempt(() => node.torrents.patch([torrent.id], change));
  return (
    <div class="stack">
      <Limit
        name={say('detail.limitDown')}
        value={torrent.limitDown}
        change={(limitDown) => patch({ limitDown })}
      />
      <Limit name={say('detail.limitUp')} value={torrent.limitUp} change={(limitUp) => patch({ limitUp })} />
      <label class="check">
        <input
          type="checkbox"
          checked={torrent.sequential}
          onChange={(event) => patch({ sequential: event.currentTarget.checked })}
        />
        <span>{say('detail.sequential')}</span>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={torrent.edgesFirst}
          onChange={(event) => patch({ edgesFirst: event.currentTarget.checked })}
        />
        <span>{say('detail.edges')}</span>
      </label>
    </div>
  );
}

type LimitProps = {
  readonly name: string;
  /** Bytes a second; null: none. */
  readonly value: number | null;
  readonly change: (value: number | null) => unknown;
};

function Limit({ name, value, change }: LimitProps): JSX.Element {
  return (
    <label class="field">
      <span>{name}</span>
      <DraftInput
        class="input"
        type="number"
        min="1"
        step="1"
        placeholder={say('detail.noLimit')}
        value={value === null ? '' : String(Math.round(value / 1024))}
        save={({ value: text, validity }) => {
          if (validity.valid) change(text === '' ? null : Number(text) * 1024);
        }}
      />
    </label>
  );
}
