/**
 * Which pieces somebody has, as one line of blocks. Each cell stands for the pieces between two borders: a space
 * for none of them, a full block only when all are there. Fewer pieces than cells: a piece fills several cells.
 */

const shades = ['·', '░', '▒', '▓'] as const;

/**
 * `cellCount` characters for a bitfield (first piece is the highest bit of the first byte). Costs one pass over the
 * pieces.
 */
export function renderPieceMap(bitfield: Uint8Array, pieceCount: number, cellCount: number): string {
  if (pieceCount === 0) return shades[0].repeat(Math.max(0, cellCount));
  let line = '';
  for (let cell = 0; cell < cellCount; cell++) {
    const from = Math.floor((cell * pieceCount) / cellCount);
    const to = Math.max(from + 1, Math.floor(((cell + 1) * pieceCount) / cellCount));
    let have = 0;
    for (let piece = from; piece < to; piece++)
      if (((bitfield[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0) have++;
    line += shadeOf(have, to - from);
  }
  return line;
}

function shadeOf(have: number, count: number): string {
  if (have === count) return '█';
  if (have === 0) return shades[0];
  return shades[1 + Math.min(2, Math.floor((have / count) * 3))]!;
}
