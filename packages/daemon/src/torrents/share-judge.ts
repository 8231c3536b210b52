/** When a torrent has been shared enough: a decision over figures. */
import type { ShareGoal } from '@tequio/api';

export type ShareFigures = {
  readonly ratio: number;
  readonly seedingMs: number;
  /** Since content last went out, or since it was complete, whichever is later. */
  readonly idleMs: number;
};

export type ShareMeasure = 'ratio' | 'seeding' | 'idle';

/** Which measure has been reached; null: none. */
export function reachedMeasure(goal: ShareGoal, figures: ShareFigures): ShareMeasure | null {
  const { ratio, seedingMinutes, idleMinutes } = goal;
  if (ratio !== null && figures.ratio >= ratio) return 'ratio';
  if (seedingMinutes !== null && figures.seedingMs >= seedingMinutes * 60_000) return 'seeding';
  if (idleMinutes !== null && figures.idleMs >= idleMinutes * 60_000) return 'idle';
  return null;
}

/** The first that says anything: the torrent's own, then its category's and those around it, its tracker's, the node's. */
export function goalOf(goals: readonly (ShareGoal | null | undefined)[]): ShareGoal | null {
  return goals.find((goal) => goal !== null && goal !== undefined) ?? null;
}
