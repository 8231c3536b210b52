import type { LogLevel, LogLine } from '@tequio/api';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { usePolled } from '../detail/polled.ts';
import { node } from '../node.ts';
import { formatTime } from '../words/format.ts';
import { say } from '../words/words.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export function LogScreen(): JSX.Element {
  const [level, setLevel] = useState<LogLevel>('info');
  const lines = usePolled(() => node.log.lines({ limit: 500, level }), 3000, [level]);
  return (
    <section class="screen stack" aria-labelledby="log-title">
      <div class="row spread">
        <h1 id="log-title">{say('log.title')}</h1>
        <label class="row">
          <span class="label">{say('log.level')}</span>
          <select
            class="input auto"
            value={level}
            onChange={(event) => setLevel(event.currentTarget.value as LogLevel)}
          >
            {levels.map((name) => (
              <option key={name} value={name}>
                {say(`log.level.${name}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
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
