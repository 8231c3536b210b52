import type { JSX } from 'preact';

/** Beside a country's name, so never read aloud. Drawn by us: not every system has a font with flags. */
export function Flag({ country }: { readonly country: string }): JSX.Element {
  return (
    <img
      class="flag"
      src={`./flags/${country}.svg`}
      alt=""
      width="18"
      height="12"
      loading="lazy"
      onError={(event) => {
        event.currentTarget.hidden = true;
      }}
    />
  );
}
