import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { WordKey } from '../words/en.ts';
import { say } from '../words/words.ts';

export type Tab = readonly [part: string, word: WordKey];

/** On a phone there are more than fit side by side: the one that is open is always in sight. */
export function Tabs(props: {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly open: string;
  readonly linkTo: (part: string) => string;
}): JSX.Element {
  const { label, tabs, open, linkTo } = props;
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [open]);
  return (
    <nav class="tabs" aria-label={label} ref={nav}>
      {tabs.map(([part, word]) => (
        <a key={part} href={linkTo(part)} aria-current={part === open ? 'page' : undefined}>
          {say(word)}
        </a>
      ))}
    </nav>
  );
}
