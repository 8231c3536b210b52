import type { SpeedHistory, SpeedStep } from '@tequio/api';

const shapes = {
  second: { stepMs: 1000, count: 300 },
  minute: { stepMs: 60_000, count: 1440 },
  hour: { stepMs: 3_600_000, count: 720 },
} as const;

type Ring = {
  readonly stepMs: number;
  readonly down: Float64Array;
  readonly up: Float64Array;
  endStep: number;
};

/**
 * Speeds of the past in rings: means over seconds, minutes and hours, from counts of bytes that only grow. A time in
 * which nothing was counted (the machine slept) is zeros.
 */
export class SpeedRings {
  readonly #rings: Partial<Record<SpeedStep, Ring>> = {};

  /** @param steps which are kept */
  constructor(steps: readonly SpeedStep[] = ['second', 'minute', 'hour']) {
    for (const step of steps) {
      const { stepMs, count } = shapes[step];
      this.#rings[step] = { stepMs, down: new Float64Array(count), up: new Float64Array(count), endStep: -1 };
    }
  }

  /** @param down bytes since the last call */
  add(down: number, up: number, wallMs: number): void {
    for (const ring of Object.values(this.#rings)) {
      const at = advance(ring, wallMs);
      if (at === null) continue;
      ring.down[at]! += (down * 1000) / ring.stepMs;
      ring.up[at]! += (up * 1000) / ring.stepMs;
    }
  }

  /** Up to the last step that has ended. */
  read(step: SpeedStep, wallMs: number): SpeedHistory {
    const { stepMs } = shapes[step];
    const ring = this.#rings[step];
    if (ring === undefined || ring.endStep < 0) return { stepMs, endMs: wallMs, down: [], up: [] };
    advance(ring, wallMs);
    return {
      stepMs,
      endMs: ring.endStep * stepMs,
      down: inOrder(ring.down, ring.endStep),
      up: inOrder(ring.up, ring.endStep),
    };
  }

  /** For the next run; seconds are not worth it. */
  save(wallMs: number): Readonly<Record<'minute' | 'hour', SpeedHistory>> {
    return { minute: this.read('minute', wallMs), hour: this.read('hour', wallMs) };
  }

  load(saved: Readonly<Partial<Record<SpeedStep, SpeedHistory>>>): void {
    for (const [step, { stepMs, endMs, down, up }] of Object.entries(saved)) {
      const ring = this.#rings[step as SpeedStep];
      if (ring === undefined || ring.stepMs !== stepMs) continue;
      const endStep = Math.round(endMs / stepMs);
      const count = Math.min(down.length, ring.down.length);
      for (let back = 1; back <= count; back++) {
        const at = slotOf(endStep - back, ring.down.length);
        ring.down[at] = down.at(-back) ?? 0;
        ring.up[at] = up.at(-back) ?? 0;
      }
      ring.endStep = endStep;
    }
  }
}

/** Makes the step of this moment the one that is written; null: it lies too far back (a clock that was set back). */
function advance(ring: Ring, wallMs: number): number | null {
  const step = Math.floor(wallMs / ring.stepMs);
  const { length } = ring.down;
  if (ring.endStep < 0) ring.endStep = step;
  if (step < ring.endStep - 1) return null;
  for (let next = Math.max(ring.endStep + 1, step - length + 1); next <= step; next++) {
    ring.down[slotOf(next, length)] = 0;
    ring.up[slotOf(next, length)] = 0;
  }
  if (step > ring.endStep) ring.endStep = step;
  return slotOf(step, length);
}

function slotOf(step: number, length: number): number {
  return ((step % length) + length) % length;
}

/** Oldest first, without the step that is not over. */
function inOrder(values: Float64Array, endStep: number): number[] {
  const found: number[] = [];
  for (let step = endStep - values.length + 1; step < endStep; step++) {
    found.push(Math.round(values[slotOf(step, values.length)]!));
  }
  return found;
}
