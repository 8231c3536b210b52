import '../styles/ipfs.css';
import type { IpfsNodeState } from '@tequio/api';
import type { JSX } from 'preact';
import { usePolled } from '../detail/polled.ts';
import { node } from '../node.ts';
import { linkTo } from '../route.ts';
import { type Tab, Tabs } from '../shell/tabs.tsx';
import { say } from '../words/words.ts';
import { ExplorePart } from './explore-part.tsx';
import { FilesPart } from './files-part.tsx';
import { JoinCard } from './join-card.tsx';
import { PeersPart } from './peers-part.tsx';
import { PinsPart } from './pins-part.tsx';
import { SharingPart } from './sharing-part.tsx';

const parts: readonly Tab[] = [
  ['files', 'ipfs.files'],
  ['pins', 'ipfs.pins'],
  ['explore', 'ipfs.explore'],
  ['peers', 'ipfs.peers'],
  ['sharing', 'ipfs.sharing'],
];

/** @param place of the part: a folder's path, or a way through blocks */
export function IpfsScreen({ part, place }: { readonly part: string; readonly place: string }): JSX.Element {
  const state = usePolled(() => node.ipfs.state(), 2000, []);
  return (
    <section class="screen stack" aria-labelledby="ipfs-title">
      <h1 id="ipfs-title">{say('nav.ipfs')}</h1>
      <Tabs label={say('nav.ipfs')} tabs={parts} open={part} linkTo={(name) => linkTo('ipfs', name)} />
      {state === null ? <p aria-busy="true" /> : <Part part={part} place={place} state={state} />}
    </section>
  );
}

type PartProps = { readonly part: string; readonly place: string; readonly state: IpfsNodeState };

function Part({ part, place, state }: PartProps): JSX.Element {
  if (part === 'sharing') return <SharingPart state={state} />;
  if (state.mode === 'off') return <JoinCard mode="off" />;
  if (part === 'pins') return <PinsPart />;
  if (part === 'explore') return <ExplorePart key={place} place={place} />;
  if (part === 'peers') return <PeersPart state={state} />;
  return <FilesPart key={place} path={place === '' ? '/' : place} state={state} />;
}
