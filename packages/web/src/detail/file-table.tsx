import type { FileSnapshot } from '@tequio/api';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { node } from '../node.ts';
import { attempt } from '../notice.ts';
import { formatBytes, formatShare } from '../words/format.ts';
import { say } from '../words/words.ts';
import { usePolled } from './polled.ts';

const priorities = [
  { value: 0, word: 'priority.0' },
  { value: 2, word: 'priority.low' },
  { value: 4, word: 'priority.normal' },
  { value: 7, word: 'priority.high' },
] as const;

/** So many at a time: a torrent can have a hundred thousand. */
const pageFiles = 500;

export function FileTable({ id }: { readonly id: string }): JSX.Element {
  const [shownCount, setShownCount] = useState(pageFiles);
  const files = usePolled(() => node.torrents.files(id), 2000, [id])?.filter(({ pad }) => !pad) ?? [];
  return (
    <div class="table-holder">
      <table>
        <thead>
          <tr>
            <th>{say('file.name')}</th>
            <th class="number">{say('file.size')}</th>
            <th class="number">{say('file.done')}</th>
            <th>{say('file.priority')}</th>
          </tr>
        </thead>
        <tbody>
          {files.slice(0, shownCount).map((file) => (
            <FileLine key={file.index} id={id} file={file} />
          ))}
        </tbody>
      </table>
      {files.length > shownCount && (
        <button type="button" class="button" onClick={() => setShownCount(shownCount + pageFiles)}>
          {say('add.files', { n: files.length - shownCount, size: '…' })}
        </button>
      )}
    </div>
  );
}

function FileLine({ id, file }: { readonly id: string; readonly file: FileSnapshot }): JSX.Element {
  const { index, path, bytes, doneBytes, priority } = file;
  const nearest = priorities.reduce((best, one) =>
    Math.abs(one.value - priority) < Math.abs(best.value - priority) ? one : best,
  );
  return (
    <tr>
      <td class="plain-text">{path.slice(0, 500)}</td>
      <td class="number">{formatBytes(bytes)}</td>
      <td class="number">{formatShare(bytes === 0 ? 1 : doneBytes / bytes)}</td>
      <td>
        <select
          class="input"
          aria-label={`${say('file.priority')}: ${path.slice(0, 200)}`}
          value={nearest.value}
          onChange={(event) =>
            attempt(() => node.torrents.setFilePriorities(id, [index], Number(event.currentTarget.value)))
          }
        >
          {priorities.map(({ value, word }) => (
            <option key={value} value={value}>
              {say(word)}
            </option>
          ))}
        </select>
      </td>
    </tr>
  );
}
