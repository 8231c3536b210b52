import type { PieceView } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { node } from '../node.ts';
import { theme } from '../theme.ts';
import { say } from '../words/words.ts';
import { usePolled } from './polled.ts';

/** Which pieces are here, on their way, and how many peers have the others: one canvas, whatever the count. */
export function PieceMap({
  id,
  pieceCount,
  copies,
}: {
  readonly id: string;
  readonly pieceCount: number;
  readonly copies: number;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pieces = usePolled(() => node.torrents.pieces(id), 2000, [id]);
  const colours = theme.value;
  useEffect(() => {
    if (pieces !== null && canvas.current !== null) draw(canvas.current, pieces, pieceCount);
  }, [pieces, pieceCount, colours]);
  const gaps = {
    have: pieces === null ? 0 : countBits(pieces.have),
    n: pieceCount,
    active: pieces?.active.length ?? 0,
    copies: Math.round(copies * 10) / 10,
  };
  return (
    <div class="stack">
      <p>{say('pieces.text', gaps)}</p>
      <canvas ref={canvas} class="piece-map" role="img" aria-label={say('detail.pieces')} />
    </div>
  );
}

/** Squares as large as fit; where there are more pieces than pixels allow, one square stands for several. */
function draw(canvas: HTMLCanvasElement, pieces: PieceView, pieceCount: number): void {
  const scale = devicePixelRatio;
  const width = canvas.clientWidth;
  const side = Math.max(4, Math.min(16, Math.floor(Math.sqrt((width * 320) / Math.max(1, pieceCount)))));
  const perRow = Math.max(1, Math.floor(width / side));
  const squareCount = Math.min(pieceCount, perRow * Math.floor(480 / side));
  const height = Math.ceil(squareCount / perRow) * side;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.height = `${height}px`;
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const paint = canvas.getContext('2d')!;
  paint.scale(scale, scale);
  const active = new Set(pieces.active);
  const [done, moving, others, none] = [colour('--done'), colour('--up'), colour('--down'), colour('--line')];
  for (let square = 0; square < squareCount; square++) {
    const from = Math.floor((square * pieceCount) / squareCount);
    const to = Math.max(from + 1, Math.floor(((square + 1) * pieceCount) / squareCount));
    let [have, isActive, known] = [0, false, 0];
    for (let piece = from; piece < to; piece++) {
      if ((pieces.have[piece >> 3]! >> (7 - (piece & 7))) & 1) have++;
      if (active.has(piece)) isActive = true;
      known = Math.max(known, pieces.availability[piece] ?? 0);
    }
    const share = have / (to - from);
    paint.fillStyle = isActive ? moving : share > 0 ? done : known > 0 ? others : none;
    paint.globalAlpha = isActive
      ? 1
      : share > 0
        ? 0.35 + 0.65 * share
        : known > 0
          ? Math.min(0.9, 0.15 + known * 0.08)
          : 1;
    paint.fillRect((square % perRow) * side, Math.floor(square / perRow) * side, side - 1, side - 1);
  }
}

function countBits(bytes: Uint8Array): number {
  let count = 0;
  for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}
