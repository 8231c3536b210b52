/** Pixels, as in the style sheet: what stands before the first column, the name, the progress, and between two. */
const choiceWidth = 40;
/** What a name wants; it takes less before there is no other column at all. */
const nameWidth = 280;
const nameWidthMin = 200;
const progressWidth = 110;
const gap = 10;
const edge = 16;

/** As many as find room beside choice, name and progress, in their order. */
export function fittingColumns<Column extends { readonly width: number }>(
  columns: readonly Column[],
  width: number,
): readonly Column[] {
  let left = width - choiceWidth - nameWidth - progressWidth - 2 * gap - edge;
  const fitting: Column[] = [];
  for (const column of columns) {
    left -= column.width + gap;
    if (left < 0) break;
    fitting.push(column);
  }
  return fitting;
}

/** `grid-template-columns` of a line. */
export function trackList(columns: readonly { readonly width: number }[]): string {
  const tracks = columns.map(({ width }) => `${width}px`).join(' ');
  return `${choiceWidth}px minmax(${nameWidthMin}px, 1fr) ${progressWidth}px ${tracks}`.trimEnd();
}
