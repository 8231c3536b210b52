import type { IpfsPinPage, IpfsPinView } from '@tequio/api';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { usePolled } from '../detail/polled.ts';
import { node } from '../node.ts';
import { attempt, tell } from '../notice.ts';
import { linkTo } from '../route.ts';
import { Icon } from '../shell/icon.tsx';
import { formatBytes, formatTime } from '../words/format.ts';
import { say } from '../words/words.ts';
import { EmptyCard } from './empty-card.tsx';
import { shortCid } from './tree-path.ts';
import { treeChange } from './uploads.ts';

const pagePins = 100;

/** What is kept for good, whoever made it. */
export function PinsPart(): JSX.Element {
  const [limit, setLimit] = useState(pagePins);
  const page = usePolled(() => node.ipfs.pins({ limit: Math.min(limit, 1000) }), 4000, [
    limit,
    treeChange.value,
  ]);
  return (
    <div class="stack">
      <p class="soft">{say('ipfs.pinsText')}</p>
      <PinForm />
      {page === null ? <p aria-busy="true" /> : <PinTable page={page} />}
      {page !== null && page.totalCount > page.pins.length && (
        <button type="button" class="button" onClick={() => setLimit(limit + pagePins)}>
          {say('file.more')}
        </button>
      )}
    </div>
  );
}

function PinForm(): JSX.Element {
  const [text, setText] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const isDone = await attempt(() => node.ipfs.pin(text.trim()));
    setBusy(false);
    treeChange.value++;
    if (!isDone) return;
    setText('');
    tell(say('ipfs.pinned'));
  };
  return (
    <form class="stack tight" onSubmit={submit}>
      <div class="row">
        <input
          class="input grow"
          required
          aria-label={say('ipfs.address')}
          placeholder={say('ipfs.address')}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="button primary" disabled={isBusy}>
          <Icon name="pin" />
          {say('ipfs.pin')}
        </button>
      </div>
      <p role="status" class="soft">
        {isBusy && say('ipfs.getting')}
      </p>
    </form>
  );
}

function PinTable({ page }: { readonly page: IpfsPinPage }): JSX.Element {
  if (page.pins.length === 0)
    return (
      <EmptyCard title={say('ipfs.noPins')}>
        <p class="soft">{say('ipfs.noPinsText')}</p>
      </EmptyCard>
    );
  return (
    <div class="table-holder">
      <table>
        <thead>
          <tr>
            <th>{say('file.name')}</th>
            <th>{say('ipfs.cid')}</th>
            <th class="number wide-cell">{say('ipfs.onDisk')}</th>
            <th class="wide-cell">{say('ipfs.told')}</th>
            <th>
              <span class="unseen">{say('ipfs.unpin')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {page.pins.map((pin) => (
            <PinLine key={pin.cid} pin={pin} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function PinLine({ pin }: { readonly pin: IpfsPinView }): JSX.Element {
  const { cid, name, kind, dagBytes, mode, told } = pin;
  const shown = name === '' ? say('ipfs.noName') : name.slice(0, 300);
  const unpin = async (): Promise<void> => {
    await attempt(() => node.ipfs.unpin(cid));
    treeChange.value++;
  };
  return (
    <tr>
      <td>
        <span class="tree-name">
          <Icon name={kind === 'folder' ? 'folder' : 'file'} />
          <span class={name === '' ? 'soft' : 'plain-text'}>{shown}</span>
          {mode === 'direct' && <span class="tag">{say('ipfs.direct')}</span>}
        </span>
      </td>
      <td>
        <a class="cid" title={cid} href={linkTo('ipfs', 'explore', cid)}>
          {shortCid(cid)}
        </a>
      </td>
      <td class="number wide-cell">{formatBytes(dagBytes)}</td>
      <td class="wide-cell soft">
        {told === null
          ? say('ipfs.notTold')
          : say(told.peerCount === 0 ? 'ipfs.toldAt' : 'ipfs.toldTo', {
              n: told.peerCount,
              time: formatTime(told.atMs),
            })}
      </td>
      <td class="number">
        <button
          type="button"
          class="button quiet"
          aria-label={`${say('ipfs.unpin')}: ${shown}`}
          onClick={unpin}
        >
          {say('ipfs.unpin')}
        </button>
      </td>
    </tr>
  );
}
