import type { TorrentGroup } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { node } from '../node.ts';
import { attempt } from '../notice.ts';
import { openDialog } from '../shell/dialogs.ts';
import { Fret, Icon, type IconName } from '../shell/icon.tsx';
import type { WordKey } from '../words/en.ts';
import { say } from '../words/words.ts';
import { chosen, chosenIds } from './choice.ts';
import { ColumnChooser } from './column-chooser.tsx';
import { changeFilter, filter, isFiltered } from './list-query.ts';
import { followList, listed } from './list-window.ts';
import { TorrentList } from './torrent-list.tsx';

const groups: readonly TorrentGroup[] = [
  'downloading',
  'seeding',
  'active',
  'finished',
  'paused',
  'queued',
  'stalled',
  'checking',
  'error',
];

export function TorrentsScreen(): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => followList(), []);
  const { totalCount, isKnown } = listed.value;
  return (
    <section class="torrents" aria-labelledby="torrents-title">
      <div class="row spread list-top">
        <h1 id="torrents-title">{say('list.title')}</h1>
        <div class="row list-tools">
          <button
            type="button"
            class="button narrow-only"
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            <Icon name="filter" />
            {say('list.filters')}
          </button>
          <Search />
          <ColumnChooser />
          <span class="soft" role="status">
            {chosenIds.value.length > 0
              ? say('list.chosen', { n: chosenIds.value.length })
              : isKnown && say('list.count', { n: totalCount })}
          </span>
        </div>
      </div>
      <Actions />
      <div class="torrents-body">
        <Side isOpen={isOpen} />
        {isKnown && totalCount === 0 ? <Empty /> : <TorrentList />}
      </div>
    </section>
  );
}

function Search(): JSX.Element {
  return (
    <label class="search">
      <Icon name="search" />
      <span class="unseen">{say('list.search')}</span>
      <input
        id="search"
        class="input"
        type="search"
        placeholder={say('list.search')}
        value={filter.value.text ?? ''}
        onInput={(event) => changeFilter({ text: event.currentTarget.value || undefined })}
      />
    </label>
  );
}

const actions: readonly {
  readonly word: WordKey;
  readonly icon: IconName;
  readonly run: (ids: readonly string[]) => unknown;
}[] = [
  { word: 'act.resume', icon: 'play', run: (ids) => attempt(() => node.torrents.resume(ids)) },
  { word: 'act.pause', icon: 'pause', run: (ids) => attempt(() => node.torrents.pause(ids)) },
  { word: 'act.recheck', icon: 'check', run: (ids) => attempt(() => node.torrents.recheck(ids)) },
  { word: 'act.announce', icon: 'announce', run: (ids) => attempt(() => node.torrents.announce(ids)) },
  { word: 'act.remove', icon: 'remove', run: (ids) => openDialog('remove', { ids }) },
];

/** For what is chosen; it keeps its place, so that nothing jumps when something is chosen. */
function Actions(): JSX.Element {
  const ids = chosenIds.value;
  return (
    <div
      class={`row actions ${ids.length === 0 ? 'wide-only' : ''}`}
      role="toolbar"
      aria-label={say('top.commands')}
    >
      {actions.map(({ word, icon, run }) => (
        <button
          key={word}
          type="button"
          class="button quiet"
          disabled={ids.length === 0}
          onClick={() => run(ids)}
        >
          <Icon name={icon} />
          {say(word)}
        </button>
      ))}
      {ids.length > 0 && (
        <button type="button" class="button quiet" onClick={() => (chosen.value = new Set())}>
          <Icon name="close" />
          {say('list.unchoose')}
        </button>
      )}
    </div>
  );
}

function Side({ isOpen }: { readonly isOpen: boolean }): JSX.Element {
  const { counts } = listed.value;
  const group = filter.value.groups?.[0];
  const total = counts === null ? 0 : Object.values(counts.categories).reduce((sum, count) => sum + count, 0);
  return (
    <aside class={`side ${isOpen ? 'open' : ''}`} aria-label={say('list.filters')}>
      <ul>
        <Choice
          name={say('group.all')}
          count={total}
          isChosen={!isFiltered.value}
          choose={() => (filter.value = {})}
        />
        {groups
          .filter((name) => (counts?.groups[name] ?? 0) > 0 || name === group)
          .map((name) => (
            <Choice
              key={name}
              name={say(`group.${name}`)}
              count={counts?.groups[name] ?? 0}
              isChosen={group === name}
              choose={() => changeFilter({ groups: group === name ? undefined : [name] })}
            />
          ))}
      </ul>
      <Names title={say('side.categories')} field="category" counts={counts?.categories} />
      <Names title={say('side.tags')} field="tag" counts={counts?.tags} />
      <Names title={say('side.trackers')} field="tracker" counts={counts?.trackers} />
    </aside>
  );
}

type NamesProps = {
  readonly title: string;
  readonly field: 'category' | 'tag' | 'tracker';
  readonly counts: Readonly<Record<string, number>> | undefined;
};

/** Nothing at all when no torrent has such a name. */
function Names({ title, field, counts = {} }: NamesProps): JSX.Element | null {
  const names = Object.keys(counts).sort((a, b) => a.localeCompare(b));
  const isChosen = filter.value[field];
  if (names.every((name) => name === '') && isChosen === undefined) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {names.map((name) => {
          const value = name === '' ? null : name;
          return (
            <Choice
              key={name}
              name={name === '' ? say('side.none') : name}
              count={counts[name]!}
              isChosen={isChosen === value}
              choose={() => changeFilter({ [field]: isChosen === value ? undefined : value })}
            />
          );
        })}
      </ul>
    </>
  );
}

type ChoiceProps = {
  readonly name: string;
  readonly count: number;
  readonly isChosen: boolean;
  readonly choose: () => void;
};

function Choice({ name, count, isChosen, choose }: ChoiceProps): JSX.Element {
  return (
    <li>
      <button type="button" class="choice" aria-pressed={isChosen} onClick={choose}>
        <span class="clip plain-text">{name}</span>
        <span class="soft">{count}</span>
      </button>
    </li>
  );
}

function Empty(): JSX.Element {
  return (
    <div class="empty">
      <Fret />
      {isFiltered.value ? (
        <>
          <h2>{say('list.nothing')}</h2>
          <button type="button" class="button" onClick={() => (filter.value = {})}>
            {say('list.clear')}
          </button>
        </>
      ) : (
        <>
          <h2>{say('list.empty.title')}</h2>
          <p class="soft">{say('list.empty.text')}</p>
          <button type="button" class="button primary" onClick={() => openDialog('add')}>
            <Icon name="add" />
            {say('add.title')}
          </button>
        </>
      )}
    </div>
  );
}
