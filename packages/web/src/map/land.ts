/** The outlines of the continents, from Natural Earth by way of world-atlas, on a flat map. */
import topology from 'world-atlas/land-110m.json';
import { placeOf } from './projection.ts';

type Topology = {
  readonly arcs: readonly (readonly (readonly [number, number])[])[];
  readonly transform: { readonly scale: readonly number[]; readonly translate: readonly number[] };
  readonly objects: {
    readonly land: {
      readonly geometries: readonly { readonly arcs: readonly (readonly (readonly number[])[])[] }[];
    };
  };
};

/** One path of all land, for a map of this width. */
export function drawLand(width: number): Path2D {
  const { arcs, transform, objects } = topology as unknown as Topology;
  const [scaleX = 1, scaleY = 1] = transform.scale;
  const [fromX = 0, fromY = 0] = transform.translate;
  // Each point of an arc is told by its distance from the one before (TopoJSON, section 2.1.4).
  const lines = arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return placeOf(x * scaleX + fromX, y * scaleY + fromY, width);
    });
  });
  const path = new Path2D();
  for (const { arcs: polygons } of objects.land.geometries)
    for (const rings of polygons)
      for (const ring of rings) {
        // A negative number is an arc walked backwards.
        const points = ring.flatMap((index) => (index < 0 ? lines[~index]!.toReversed() : lines[index]!));
        for (const [index, { x, y }] of points.entries()) index === 0 ? path.moveTo(x, y) : path.lineTo(x, y);
        path.closePath();
      }
  return path;
}
