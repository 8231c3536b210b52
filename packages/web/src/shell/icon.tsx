import type { JSX } from 'preact';

/** Paths on a 24 by 24 grid, drawn as lines. */
const shapes = {
  home: 'M4 11 12 4l8 7v9h-5v-6H9v6H4z',
  torrents: 'M4 7h16M4 12h16M4 17h10',
  settings: 'M4 7h9m5 0h2M4 17h2m5 0h9M13 4.5v5M8 14.5v5',
  log: 'M6 3h9l4 4v14H6zM9 11h7M9 15h7',
  add: 'M12 5v14M5 12h14',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4.5 19 12 7 19.5z',
  remove: 'M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13',
  check: 'm5 13 4.5 4.5L19 7',
  close: 'M6 6l12 12M18 6 6 18',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zm5 12 4 4',
  down: 'M12 4v14m-6-6 6 6 6-6',
  up: 'M12 20V6m-6 6 6-6 6 6',
  back: 'M19 12H6m6-6-6 6 6 6',
  folder: 'M3 6h6l2 3h10v10H3z',
  folderOpen: 'M3 19V6h6l2 3h9v2M3 19l3-8h16l-3 8z',
  file: 'M6 3h8l4 4v14H6z',
  filter: 'M4 6h16l-6 7v5l-4 2v-7z',
  slow: 'M4 15a8 8 0 1 1 16 0M12 15l4-4',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1m2 4a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  announce: 'M4 10v4h3l6 4V6L7 10zm12-1a4 4 0 0 1 0 6m2-9a8 8 0 0 1 0 12',
  columns: 'M4 5h16v14H4zM10 5v14M15 5v14',
  map: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM3 12h18M12 3c-5 5-5 13 0 18 5-5 5-13 0-18z',
  cube: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9',
  pin: 'M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v6',
  command: 'M5 8l4 4-4 4M12 17h7',
} as const;

export type IconName = keyof typeof shapes;

/** Always beside or inside words, so never read aloud. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon-shape" viewBox="0 0 24 24" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}

/** The stepped fret of Mitla: the mark of the page. */
export function Fret(): JSX.Element {
  return (
    <svg class="fret" viewBox="0 0 96 24" aria-hidden="true">
      {[0, 32, 64].map((x) => (
        <path key={x} d={`M${x + 2} 21h5v-4h5v-4h5v-4h5V5h8v12h-4V9h-1v4h-5v4h-5v4z`} />
      ))}
    </svg>
  );
}
