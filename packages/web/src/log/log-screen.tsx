import type { LogLine } from '@tequio/api';
import type { JSX } from 'preact';
import { usePolled } from '../detail/polled.ts';
import { node } from '../node.ts';
import { formatTime } from '../words/format.ts';
import { say } from '../words/words.ts';

export function LogScreen(): JSX.Element {
  const lines = usePolled(() => node.log.lines({ limit: 500 }), 3000, []);
  return (
    <section class="screen stack" aria-labelledby="log-title">
      <h1 id="log-title">{say('log.title')}</h1>
      {lines !== null && lines.length === 0 && <p class="soft">{say('log.empty')}</p>}
      <ol class="log" reversed>
        {[...(lines ?? [])].reverse().map((line) => (
          <Line key={line.seq} line={line} />
        ))}
      </ol>
    </section>
  );
}

function Line({ line }: { readonly line: LogLine }): JSX.Element {
  const fields = Object.entries(line.fields).map(([name, value]) => `${name}=${String(value)}`);
  return (
    <li class={`log-line ${line.level}`}>
      <time>{formatTime(line.atMs)}</time> <b>{line.name}</b>{' '}
      <span class="plain-text soft">{fields.join('  ').slice(0, 1000)}</span>
    </li>
  );
}
