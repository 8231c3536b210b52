import type { SpeedHistory, SpeedStep } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type UPlot from 'uplot';
import { node } from '../node.ts';
import { theme } from '../theme.ts';
import { formatRate } from '../words/format.ts';
import { say } from '../words/words.ts';
import { usePolled } from './polled.ts';

const steps: readonly SpeedStep[] = ['second', 'minute', 'hour'];
const pollMs: Readonly<Record<SpeedStep, number>> = { second: 1000, minute: 15_000, hour: 60_000 };

/** Speeds as the node remembers them; of one torrent, or of all. */
export function SpeedGraph({ torrent }: { readonly torrent?: string }): JSX.Element {
  const [step, setStep] = useState<SpeedStep>('second');
  const history = usePolled(() => node.history.speeds(step, torrent), pollMs[step], [step, torrent]);
  const offered = torrent === undefined ? steps : steps.slice(0, 2);
  return (
    <div class="stack">
      <div class="row" role="group" aria-label={say('home.speeds')}>
        {offered.map((name) => (
          <button
            key={name}
            type="button"
            class="button quiet"
            aria-pressed={name === step}
            onClick={() => setStep(name)}
          >
            {say(`range.${name}`)}
          </button>
        ))}
        <span class="down">▬ {say('top.down')}</span>
        <span class="up">▬ {say('top.up')}</span>
      </div>
      <Graph history={history} />
    </div>
  );
}

function Graph({ history }: { readonly history: SpeedHistory | null }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const colours = theme.value;
  useEffect(() => {
    let isOver = false;
    const element = place.current!;
    const observer = new ResizeObserver(() => plot.current?.setSize(sizeOf(element)));
    void import('./plot.ts').then(({ makePlot }) => {
      if (isOver) return;
      plot.current = makePlot(element, sizeOf(element));
      if (history !== null) plot.current.setData(toColumns(history));
      observer.observe(element);
    });
    return () => {
      isOver = true;
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [colours]);
  useEffect(() => {
    if (history !== null) plot.current?.setData(toColumns(history));
  }, [history]);
  const [down = 0, up = 0] = [history?.down.at(-1), history?.up.at(-1)];
  return (
    <div
      ref={place}
      class="graph"
      role="img"
      aria-label={`${say('top.down')}: ${formatRate(down)}, ${say('top.up')}: ${formatRate(up)}`}
    />
  );
}

function sizeOf(element: HTMLElement): { width: number; height: number } {
  return { width: element.clientWidth, height: element.clientHeight };
}

function toColumns({ stepMs, endMs, down, up }: SpeedHistory): UPlot.AlignedData {
  const startMs = endMs - stepMs * down.length;
  return [down.map((_, index) => (startMs + stepMs * (index + 1)) / 1000), [...down], [...up]];
}
