import type { NodeEvent } from '@tequio/api';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { node } from '../node.ts';
import { formatTime } from '../words/format.ts';
import { say } from '../words/words.ts';
import { eventSentence } from './event-sentence.ts';
import { usePolled } from './polled.ts';

/** The latest of them. */
const shownEvents = 300;
const pageEvents = 1000;

/** What has happened to one torrent since the node was started. */
export function EventList({ id }: { readonly id: string }): JSX.Element {
  const known = useRef<{ readonly seq: number; readonly events: readonly NodeEvent[] }>({
    seq: 0,
    events: [],
  });
  const events = usePolled(
    async () => {
      known.current = await readOn(known.current, id);
      return known.current.events;
    },
    3000,
    [id],
  );
  if (events === null) return <p aria-busy="true" />;
  if (events.length === 0) return <p class="soft">{say('events.none')}</p>;
  return (
    <ol class="log" reversed>
      {events.toReversed().map(({ seq, atMs, event }) => (
        <li key={seq} class="log-line">
          <time dateTime={new Date(atMs).toISOString()}>{formatTime(atMs)}</time>{' '}
          <span class="plain-text">{eventSentence(event)}</span>
        </li>
      ))}
    </ol>
  );
}

type Known = { readonly seq: number; readonly events: readonly NodeEvent[] };

/** What has come since; when the node was started again, all that it knows now. */
async function readOn(known: Known, id: string): Promise<Known> {
  const page = await node.events.since(known.seq, pageEvents);
  const before = page.lost ? [] : known.events;
  const ofTorrent = page.events.filter(({ event }) => 'torrent' in event && event.torrent === id);
  const events = [...before, ...ofTorrent].slice(-shownEvents);
  const seq = page.events.at(-1)?.seq ?? page.seq;
  return seq < page.seq ? readOn({ seq, events }, id) : { seq, events };
}
