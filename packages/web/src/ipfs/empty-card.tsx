import type { ComponentChildren, JSX } from 'preact';
import { Fret } from '../shell/icon.tsx';

/** Where nothing is yet: what would be here, and how it comes. */
export function EmptyCard({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty card">
      <Fret />
      <h2>{title}</h2>
      {children}
    </div>
  );
}
