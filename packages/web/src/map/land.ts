/** The outlines of the continents, from Natural Earth by way of world-atlas, on a flat map. */
import topology from 'world-atlas/land-110m.json';
import { placeOf } from './projection.ts';
import { joinArcs, type Point, unwrap } from './rings.ts';

type Topology = {
  readonly arcs: readonly (readonly Point[])[];
  readonly transform: { readonly scale: Point; readonly translate: Point };
  readonly objects: {
    readonly land: {
      readonly geometries: readonly { readonly arcs: readonly (readonly (readonly number[])[])[] }[];
    };
  };
};

/** One path of all land, for a map of this width; it reaches over the edge of the globe where land does. */
export function drawLand(width: number): Path2D {
  const { arcs, transform, objects } = topology as unknown as Topology;
  const path = new Path2D();
  for (const { arcs: polygons } of objects.land.geometries)
    for (const ring of polygons.flat()) {
      const points = unwrap(joinArcs(ring, arcs, transform.scale, transform.translate));
      // What goes over the one edge comes in over the other.
      for (const turn of turnsOf(points)) trace(path, points, turn, width);
    }
  return path;
}

/** The edge of the map. */
export function drawGlobe(width: number): Path2D {
  const path = new Path2D();
  const side = Array.from({ length: 91 }, (_, index) => 2 * index - 90);
  const edge: Point[] = [
    ...side.map((latitude) => [180, latitude] as const),
    ...side.toReversed().map((latitude) => [-180, latitude] as const),
  ];
  trace(path, edge, 0, width);
  return path;
}

function turnsOf(points: readonly Point[]): readonly number[] {
  const [least, most] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
  return [0, ...(most > 180 ? [-360] : []), ...(least < -180 ? [360] : [])];
}

function trace(path: Path2D, points: readonly Point[], turn: number, width: number): void {
  for (const [index, [longitude, latitude]] of points.entries()) {
    const { x, y } = placeOf(longitude + turn, latitude, width);
    if (index === 0) path.moveTo(x, y);
    else path.lineTo(x, y);
  }
  path.closePath();
}
