import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { node, status, trouble } from '../node.ts';
import { attempt, dismiss, notices } from '../notice.ts';
import { linkTo, route } from '../route.ts';
import type { WordKey } from '../words/en.ts';
import { formatRate, formatTime } from '../words/format.ts';
import { say } from '../words/words.ts';
import { openDialog } from './dialogs.ts';
import { addSomething, dropTarget } from './drop-target.ts';
import { Icon, type IconName } from './icon.tsx';

const screens: readonly {
  readonly name: string;
  readonly word: WordKey;
  readonly icon: IconName;
  /** A phone's bar has no room for it; the first screen leads there. */
  readonly isWide?: boolean;
}[] = [
  { name: 'home', word: 'nav.home', icon: 'home' },
  { name: 'torrents', word: 'nav.torrents', icon: 'torrents' },
  { name: 'ipfs', word: 'nav.ipfs', icon: 'cube' },
  { name: 'map', word: 'nav.map', icon: 'map', isWide: true },
  { name: 'settings', word: 'nav.settings', icon: 'settings' },
  { name: 'log', word: 'nav.log', icon: 'log' },
];

/** What stands around every screen. */
export function Frame({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="frame">
      <button type="button" class="button skip" onClick={skip}>
        {say('app.skip')}
      </button>
      <nav class="rail" aria-label={say('nav.main')}>
        <div class="brand">
          <img src="./mark.svg" alt="" width="30" height="30" />
          <b>Tequio</b>
        </div>
        {screens.map(({ name, word, icon, isWide = false }) => (
          <a
            key={name}
            href={linkTo(name)}
            class={isWide ? 'wide-only' : ''}
            aria-current={route.value.screen === name ? 'page' : undefined}
          >
            <Icon name={icon} />
            <span>{say(word)}</span>
          </a>
        ))}
      </nav>
      <TopBar />
      <main id="main" tabIndex={-1}>
        <Offline />
        {children}
      </main>
      <Notices />
    </div>
  );
}

function skip(): void {
  document.getElementById('main')?.focus();
}

function TopBar(): JSX.Element {
  const now = status.value;
  return (
    <header class="top">
      <div class="speeds">
        <span class="down" title={say('top.down')}>
          <Icon name="down" />
          <span class="unseen">{say('top.down')}</span>
          {formatRate(now?.totals.downRate ?? 0)}
        </span>
        <span class="up" title={say('top.up')}>
          <Icon name="up" />
          <span class="unseen">{say('top.up')}</span>
          {formatRate(now?.totals.upRate ?? 0)}
        </span>
      </div>
      <div class="row top-actions">
        <button
          type="button"
          class="button quiet wide-only"
          aria-pressed={now?.altLimits ?? false}
          title={say('top.slowHint')}
          onClick={() => attempt(() => node.status.setAltLimits(!(now?.altLimits ?? false)))}
        >
          <Icon name="slow" />
          {say('top.slow')}
        </button>
        <PauseAll />
        <button
          type="button"
          class="button quiet wide-only"
          onClick={() => openDialog('palette')}
          aria-keyshortcuts="Control+K"
        >
          <Icon name="command" />
          {say('top.commands')}
        </button>
        <button
          type="button"
          class="button primary"
          onClick={addSomething}
          aria-keyshortcuts="a"
          title={dropTarget.value?.word ?? say('add.title')}
        >
          <Icon name="add" />
          {say('top.add')}
        </button>
      </div>
    </header>
  );
}

function PauseAll(): JSX.Element {
  const paused = status.value?.paused ?? null;
  if (paused === null) {
    return (
      <button type="button" class="button quiet" onClick={() => openDialog('pause')}>
        <Icon name="pause" />
        <span class="wide-only">{say('top.pauseAll')}</span>
        <span class="unseen narrow-only">{say('top.pauseAll')}</span>
      </button>
    );
  }
  const { untilMs } = paused;
  return (
    <>
      <span class="soft wide-only">
        {untilMs === null ? say('top.paused') : say('top.pausedUntil', { time: formatTime(untilMs) })}
      </span>
      <button type="button" class="button" onClick={() => attempt(() => node.status.resumeAll())}>
        <Icon name="play" />
        {say('top.resumeAll')}
      </button>
    </>
  );
}

function Offline(): JSX.Element | null {
  if (trouble.value === null) return null;
  return (
    <div class="notice bad-edge" role="alert">
      <h2>{say('offline.title')}</h2>
      <p class="soft">{say('offline.text')}</p>
    </div>
  );
}

/** A popover, so that it stands above a dialog; shown anew with every notice, for the latest shown is on top. */
function Notices(): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const { value } = notices;
  useEffect(() => {
    place.current?.hidePopover();
    if (value.length > 0) place.current?.showPopover();
  }, [value]);
  return (
    <div ref={place} popover="manual" class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, text, isBad }) => (
        <div key={id} class={`notice ${isBad ? 'bad-edge' : ''}`}>
          <span class="plain-text">{text}</span>
          <button
            type="button"
            class="button quiet icon"
            aria-label={say('act.close')}
            onClick={() => dismiss(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
