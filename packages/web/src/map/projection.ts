/** The Natural Earth projection (Šavrič et al. 2011): rounded, with little distortion where people live. */

/** Of a map whose width is 1. The poles are left out as far as nobody lives there. */
export const mapShape = { height: 0.46, top: 0.245 };

/** Of the widest circle, the equator: 2 × 0.8707 × π. */
const wholeWidth = 2 * 0.8707 * Math.PI;

/** @returns pixels from the upper left corner */
export function placeOf(
  longitude: number,
  latitude: number,
  width: number,
): { readonly x: number; readonly y: number } {
  const [lambda, phi] = [(longitude * Math.PI) / 180, (latitude * Math.PI) / 180];
  const phi2 = phi * phi;
  const phi4 = phi2 * phi2;
  const x =
    lambda * (0.8707 - 0.131979 * phi2 + phi4 * (-0.013791 + phi4 * (0.003971 * phi2 - 0.001529 * phi4)));
  const y = phi * (1.007226 + phi2 * (0.015085 + phi4 * (-0.044475 + 0.028874 * phi2 - 0.005916 * phi4)));
  return { x: (0.5 + x / wholeWidth) * width, y: (mapShape.top - y / wholeWidth) * width };
}
