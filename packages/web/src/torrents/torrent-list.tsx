import type { ListedTorrent } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { go, linkTo } from '../route.ts';
import { openDialog } from '../shell/dialogs.ts';
import { Icon } from '../shell/icon.tsx';
import type { WordKey } from '../words/en.ts';
import { formatRate, formatShare } from '../words/format.ts';
import { say } from '../words/words.ts';
import { chooseBetween, chosen, chosenIds, toggle } from './choice.ts';
import { type Column, shownColumns } from './columns.ts';
import { trackList } from './fitting-columns.ts';
import { type SortKey, sort, sortBy } from './list-query.ts';
import { listed, showLinesFrom } from './list-window.ts';
import { barKind, shareDone, stateWord } from './torrent-state.ts';

/** Pixels; the same for all, so that a line's place needs no measuring. */
const lineHeight = { wide: 52, narrow: 76 };

/** The list: of a hundred thousand lines only those exist that can be seen. */
export function TorrentList(): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>({ top: 0, height: 600, width: 1000, isNarrow: false });
  const [cursor, setCursor] = useState(0);
  const { rows, offset, totalCount } = listed.value;
  const columns = view.isNarrow ? [] : shownColumns(view.width);
  const height = view.isNarrow ? lineHeight.narrow : lineHeight.wide;
  const first = Math.max(0, Math.floor(view.top / height) - 4);
  const last = Math.min(totalCount, Math.ceil((view.top + view.height) / height) + 4);
  useEffect(() => watchSize(scroller.current!, setView), []);
  useEffect(() => showLinesFrom(first), [first]);
  const moveTo = (line: number): void => {
    const next = Math.max(0, Math.min(totalCount - 1, line));
    setCursor(next);
    reveal(scroller.current!, next * height, height);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = stepOf(event.key, Math.floor(view.height / height), totalCount);
    const id = rows[cursor - offset]?.id;
    if (step !== null) {
      if (event.shiftKey) void chooseBetween(cursor, Math.max(0, Math.min(totalCount - 1, cursor + step)));
      moveTo(cursor + step);
    } else if (event.key === ' ' && id !== undefined) toggle(id);
    else if (event.key === 'Enter' && id !== undefined) go('torrents', id);
    else if (event.key === 'Delete') removeChosen(id);
    else if (event.key === 'Escape') chosen.value = new Set();
    else return;
    event.preventDefault();
  };
  return (
    <div
      class="grid"
      role="grid"
      aria-label={say('list.title')}
      aria-rowcount={totalCount + 1}
      aria-multiselectable="true"
      tabIndex={0}
      aria-activedescendant={totalCount > 0 ? `line-${cursor}` : undefined}
      style={{ '--tracks': trackList(columns) }}
      onKeyDown={onKeyDown}
    >
      <HeadLine columns={columns} />
      <div
        class="lines"
        role="rowgroup"
        ref={scroller}
        onScroll={(event) => setView({ ...view, top: event.currentTarget.scrollTop })}
      >
        <div role="presentation" class="lines-whole" style={{ height: `${totalCount * height}px` }}>
          {Array.from({ length: Math.max(0, last - first) }, (_, index) => {
            const line = first + index;
            const torrent = rows[line - offset];
            return (
              <Line
                key={torrent?.id ?? line}
                line={line}
                top={line * height}
                torrent={torrent}
                columns={columns}
                isCurrent={line === cursor}
                onPick={(event) => pick(event, line, cursor, torrent, setCursor)}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function HeadLine({ columns }: { readonly columns: readonly Column[] }): JSX.Element {
  const sorted = (key: SortKey): 'ascending' | 'descending' | 'none' =>
    sort.value.key !== key ? 'none' : sort.value.descending ? 'descending' : 'ascending';
  const head = (key: SortKey, word: WordKey, kind: string): JSX.Element => (
    <div key={key} role="columnheader" class={kind} aria-sort={sorted(key)}>
      <button type="button" class="head-button" onClick={() => sortBy(key)}>
        {say(word)}
        {sort.value.key === key && <Icon name={sort.value.descending ? 'down' : 'up'} />}
      </button>
    </div>
  );
  return (
    <div role="rowgroup">
      <div role="row" aria-rowindex={1} class="line head">
        <div role="columnheader" class="cell-choice">
          <span class="unseen">{say('list.choose')}</span>
        </div>
        {head('name', 'col.name', 'cell-name')}
        {head('progress', 'col.progress', 'cell-progress')}
        {columns.map(({ key, word, isText }) => head(key, word, cellClass(key, isText)))}
      </div>
    </div>
  );
}

function cellClass(key: string, isText = false): string {
  return isText ? 'cell-text clip plain-text' : `cell-number cell-${key}`;
}

type LineProps = {
  readonly line: number;
  readonly top: number;
  /** Undefined: not known yet. */
  readonly torrent: ListedTorrent | undefined;
  readonly columns: readonly Column[];
  readonly isCurrent: boolean;
  readonly onPick: (event: MouseEvent) => void;
};

function Line({ line, top, torrent, columns, isCurrent, onPick }: LineProps): JSX.Element {
  const place = { transform: `translateY(${top}px)` };
  if (torrent === undefined)
    return <div role="row" aria-rowindex={line + 2} id={`line-${line}`} class="line awaited" style={place} />;
  const isChosen = chosen.value.has(torrent.id);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the grid
    <div
      role="row"
      id={`line-${line}`}
      aria-rowindex={line + 2}
      aria-selected={isChosen}
      class={`line ${isCurrent ? 'current' : ''} ${isChosen ? 'chosen' : ''}`}
      style={place}
      onClick={onPick}
      onDblClick={() => go('torrents', torrent.id)}
    >
      <div role="gridcell" class="cell-choice">
        <input
          type="checkbox"
          tabIndex={-1}
          checked={isChosen}
          aria-label={`${say('list.choose')}: ${torrent.name}`}
          onClick={(event) => event.stopPropagation()}
          onChange={() => toggle(torrent.id)}
        />
      </div>
      <div role="gridcell" class="cell-name">
        <a
          class="clip plain-text"
          href={linkTo('torrents', torrent.id)}
          tabIndex={-1}
          title={torrent.name}
          onClick={(event) => event.stopPropagation()}
        >
          {torrent.name.slice(0, 300)}
        </a>
        <span class={`state clip ${torrent.state === 'error' ? 'bad' : 'soft'}`}>
          {say(stateWord(torrent))}
          {columns.length === 0 && <Speeds torrent={torrent} />}
        </span>
      </div>
      <div role="gridcell" class="cell-progress">
        <div class={`bar ${barKind(torrent)}`} aria-hidden="true">
          <i style={{ width: `${shareDone(torrent) * 100}%` }} />
        </div>
        <span>{torrent.pieceCount === 0 ? '' : formatShare(shareDone(torrent))}</span>
      </div>
      {columns.map(({ key, isText, text }) => (
        <div key={key} role="gridcell" class={cellClass(key, isText)}>
          {text(torrent)}
        </div>
      ))}
    </div>
  );
}

/** On a phone there are no columns. */
function Speeds({ torrent }: { readonly torrent: ListedTorrent }): JSX.Element {
  const { downRate, upRate } = torrent;
  return (
    <>
      {downRate > 0 && <span class="down"> · ↓ {formatRate(downRate)}</span>}
      {upRate > 0 && <span class="up"> · ↑ {formatRate(upRate)}</span>}
    </>
  );
}

/** A click opens; with Ctrl it chooses, with Shift it chooses up to here. */
function pick(
  event: MouseEvent,
  line: number,
  cursor: number,
  torrent: ListedTorrent | undefined,
  setCursor: (line: number) => void,
): void {
  setCursor(line);
  if (torrent === undefined) return;
  if (event.shiftKey) void chooseBetween(cursor, line);
  else toggle(torrent.id);
}

function removeChosen(id: string | undefined): void {
  const ids = chosenIds.value.length > 0 ? chosenIds.value : id === undefined ? [] : [id];
  if (ids.length > 0) openDialog('remove', { ids });
}

function stepOf(key: string, pageLines: number, totalCount: number): number | null {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: pageLines,
    PageUp: -pageLines,
    Home: -totalCount,
    End: totalCount,
  };
  return steps[key] ?? null;
}

function reveal(scroller: HTMLElement, top: number, height: number): void {
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + height > scroller.scrollTop + scroller.clientHeight)
    scroller.scrollTop = top + height - scroller.clientHeight;
}

type View = {
  readonly top: number;
  readonly height: number;
  readonly width: number;
  readonly isNarrow: boolean;
};

function watchSize(scroller: HTMLElement, setView: (change: (view: View) => View) => void): () => void {
  const observer = new ResizeObserver(() =>
    setView((view) => ({
      ...view,
      height: scroller.clientHeight,
      width: scroller.clientWidth,
      isNarrow: innerWidth < 720,
    })),
  );
  observer.observe(scroller);
  return () => observer.disconnect();
}
