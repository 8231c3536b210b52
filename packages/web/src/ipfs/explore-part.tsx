import type { IpfsBlockView } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { node } from '../node.ts';
import { go, linkTo } from '../route.ts';
import { Icon } from '../shell/icon.tsx';
import { formatBytes } from '../words/format.ts';
import { say } from '../words/words.ts';
import { readTrail, type TrailStep, trailText } from './block-trail.ts';
import { CopyLine } from './copy-line.tsx';
import { ExploreStarts } from './explore-starts.tsx';
import { openImport } from './file-dialogs.tsx';
import { shortCid } from './tree-path.ts';

/** A block, what it says, and the blocks that it links to. */
export function ExplorePart({ place }: { readonly place: string }): JSX.Element {
  const trail = readTrail(place);
  const [text, setText] = useState(trail[0]?.path ?? '');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    go('ipfs', 'explore', text.trim());
  };
  return (
    <div class="stack">
      <p class="soft">{say('ipfs.exploreText')}</p>
      <form class="row" onSubmit={submit}>
        <input
          class="input grow"
          required
          aria-label={say('ipfs.address')}
          placeholder={say('ipfs.address')}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="button primary">
          <Icon name="search" />
          {say('add.look')}
        </button>
      </form>
      {trail.length > 0 ? <Trail trail={trail} /> : <ExploreStarts />}
    </div>
  );
}

type Found = { readonly view: IpfsBlockView | null; readonly message: string | null };

function Trail({ trail }: { readonly trail: readonly TrailStep[] }): JSX.Element {
  const [{ view, message }, setFound] = useState<Found>({ view: null, message: null });
  const { path } = trail.at(-1)!;
  useEffect(() => {
    let isOver = false;
    node.ipfs.block(path).then(
      (found) => isOver || setFound({ view: found, message: null }),
      (error: Error) => isOver || setFound({ view: null, message: error.message }),
    );
    return () => {
      isOver = true;
    };
  }, [path]);
  return (
    <>
      <nav class="row crumbs" aria-label={say('ipfs.where')}>
        {trail.map((step, index) => (
          <span key={index} class="row">
            {index > 0 && <span aria-hidden="true">›</span>}
            <a
              class="plain-text"
              href={linkTo('ipfs', 'explore', trailText(trail.slice(0, index + 1)))}
              aria-current={index === trail.length - 1 ? 'page' : undefined}
            >
              {(step.name || shortCid(step.path)).slice(0, 100)}
            </a>
          </span>
        ))}
      </nav>
      {message !== null && (
        <p class="notice bad-edge plain-text" role="alert">
          {message}
        </p>
      )}
      {message === null && view === null && (
        <p role="status" class="soft" aria-busy="true">
          {say('ipfs.looking')}
        </p>
      )}
      {view !== null && <Block view={view} trail={trail} />}
    </>
  );
}

type BlockProps = { readonly view: IpfsBlockView; readonly trail: readonly TrailStep[] };

function Block({ view, trail }: BlockProps): JSX.Element {
  const { cid, kind, contentBytes, blockBytes, codec, hash, digest, linkCount, pin } = view;
  const what =
    kind === 'folder'
      ? 'ipfs.folder'
      : kind === 'file'
        ? 'ipfs.file'
        : kind === 'link'
          ? 'ipfs.symlink'
          : 'ipfs.data';
  return (
    <>
      <div class="card stack">
        <div class="row spread">
          <h2>
            {say(what)}
            {contentBytes !== null && ` · ${formatBytes(contentBytes)}`}
            {pin !== null && <span class="tag">{say('ipfs.pinned')}</span>}
          </h2>
          <span class="row">
            {(kind === 'file' || kind === 'folder') && (
              <a class="button" href={node.ipfsContentUrl(cid)} target="_blank" rel="noreferrer">
                <Icon name="down" />
                {say('ipfs.download')}
              </a>
            )}
            <button type="button" class="button" onClick={() => openImport('/', cid)}>
              <Icon name="add" />
              {say('ipfs.addToFiles')}
            </button>
          </span>
        </div>
        <CopyLine label={say('ipfs.cid')} text={cid} />
        <dl class="facts two">
          <Fact name={say('ipfs.blockBytes')}>{formatBytes(blockBytes)}</Fact>
          <Fact name={say('ipfs.codec')}>{codec}</Fact>
          <Fact name={say('ipfs.hash')}>
            {hash} <code class="plain-text">{digest}</code>
          </Fact>
        </dl>
      </div>
      {linkCount > 0 && <Links view={view} trail={trail} />}
      <Inside view={view} />
    </>
  );
}

function Links({ view, trail }: BlockProps): JSX.Element {
  const { linkCount, links } = view;
  return (
    <div class="stack tight">
      <h2>{say('ipfs.links', { n: linkCount })}</h2>
      <div class="table-holder">
        <table>
          <thead>
            <tr>
              <th>{say('file.name')}</th>
              <th>{say('ipfs.cid')}</th>
              <th class="number">{say('ipfs.onDisk')}</th>
            </tr>
          </thead>
          <tbody>
            {links.map((link, index) => (
              <tr key={index}>
                <td class="plain-text">{link.name.slice(0, 300)}</td>
                <td>
                  <a
                    class="cid"
                    title={link.cid}
                    href={linkTo(
                      'ipfs',
                      'explore',
                      trailText([...trail, { path: link.cid, name: link.name.slice(0, 100) }]),
                    )}
                  >
                    {shortCid(link.cid)}
                  </a>
                </td>
                <td class="number">{link.bytes === null ? '' : formatBytes(link.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {links.length < linkCount && <p class="soft">{say('ipfs.firstLinks', { n: links.length })}</p>}
    </div>
  );
}

function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: preact.ComponentChildren;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What the block says: as data, or byte by byte. */
function Inside({ view }: { readonly view: IpfsBlockView }): JSX.Element {
  const [isRaw, setRaw] = useState(view.json === null);
  return (
    <div class="stack tight">
      <div class="row">
        <h2>{say('ipfs.inside')}</h2>
        {view.json !== null && (
          <button type="button" class="button quiet" aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
            {say('ipfs.bytes')}
          </button>
        )}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys */}
      <pre class="block-text plain-text" role="region" tabIndex={0} aria-label={say('ipfs.inside')}>
        {isRaw || view.json === null ? hexOf(view.head) : view.json}
      </pre>
    </div>
  );
}

/** Sixteen bytes to a line, and what of them is text. */
function hexOf(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part.map((byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}
