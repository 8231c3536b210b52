import type { ComponentChildren, JSX } from 'preact';

type Props = { readonly name: string; readonly children: ComponentChildren };

/** A table that may be wider than the screen: it is moved by touch, by the wheel, and by keys. */
export function TableHolder({ name, children }: Props): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys
    <section class="table-holder" aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}
