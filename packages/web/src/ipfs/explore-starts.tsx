import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { node } from '../node.ts';
import { linkTo } from '../route.ts';
import { Icon } from '../shell/icon.tsx';
import { say } from '../words/words.ts';
import { EmptyCard } from './empty-card.tsx';
import { shortCid } from './tree-path.ts';

type Start = { readonly cid: string; readonly name: string };

const pinsShown = 3;

/** For who has no address at hand: what is on this computer is made of blocks too. */
export function ExploreStarts(): JSX.Element {
  const [starts, setStarts] = useState<readonly Start[]>([]);
  useEffect(() => {
    let isOver = false;
    Promise.all([node.ipfs.entry('/'), node.ipfs.pins({ limit: pinsShown })]).then(
      ([{ cid }, { pins }]) => {
        if (isOver) return;
        const pinned = pins.map((pin) => ({ cid: pin.cid, name: pin.name || shortCid(pin.cid) }));
        setStarts([{ cid, name: say('ipfs.allFiles') }, ...pinned]);
      },
      () => {},
    );
    return () => {
      isOver = true;
    };
  }, []);
  return (
    <EmptyCard title={say('ipfs.starts')}>
      <p class="soft">{say('ipfs.startsText')}</p>
      <div class="row">
        {starts.map(({ cid, name }) => (
          <a key={cid} class="button" href={linkTo('ipfs', 'explore', cid)}>
            <Icon name="cube" />
            <span class="plain-text">{name.slice(0, 100)}</span>
          </a>
        ))}
      </div>
    </EmptyCard>
  );
}
