/** Rings of points on a globe, as TopoJSON tells them (its specification, section 2.1.4). */

export type Point = readonly [longitude: number, latitude: number];

/**
 * @param ring numbers of arcs, one after the other; a negative one is the arc `~number`, walked backwards
 * @param arcs each point told by its distance from the one before, in steps of `scale` from `translate`
 */
export function joinArcs(
  ring: readonly number[],
  arcs: readonly (readonly Point[])[],
  scale: Point,
  translate: Point,
): Point[] {
  return ring.flatMap((index) => {
    let [x, y] = [0, 0];
    const points = arcs[index < 0 ? ~index : index]!.map(([dx, dy]): Point => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
    return index < 0 ? points.toReversed() : points;
  });
}

/**
 * The same ring without leaps from one edge of the map to the other: longitudes go on past 180. One that goes around a
 * pole (that of Antarctica) is closed by way of the pole.
 */
export function unwrap(points: readonly Point[]): Point[] {
  let turn = 0;
  let before: number | null = null;
  const unwrapped = points.map(([longitude, latitude]): Point => {
    if (before !== null && longitude - before > 180) turn -= 360;
    else if (before !== null && before - longitude > 180) turn += 360;
    before = longitude;
    return [longitude + turn, latitude];
  });
  const [first, last] = [unwrapped[0], unwrapped.at(-1)];
  if (first === undefined || last === undefined || Math.abs(first[0] - last[0]) < 180) return unwrapped;
  const pole = first[1] < 0 ? -90 : 90;
  return [...unwrapped, [last[0], pole], [first[0], pole]];
}
