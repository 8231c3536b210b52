/** When the alternative limits hold: by the schedule, unless the user has just said otherwise. */

import type { Settings } from '@tequio/api';
import { limitsAt, type ScheduleRule } from '@tequio/network';

type Schedule = Settings['altLimits']['schedule'];

/** A wish holds until the schedule says something else than it said then. */
export type AltWish = { readonly on: boolean; readonly scheduled: boolean };

/** @param localMs milliseconds since 1970 on the user's clock */
export function isScheduled(schedule: Schedule, localMs: number): boolean {
  // Limits that nobody has stand for yes and no.
  const rules: readonly ScheduleRule[] = schedule.map((rule) => ({ ...rule, down: 1, up: 1 }));
  return limitsAt(rules, { down: null, up: null }, localMs).down === 1;
}

/** The wish that is left, and whether the limits hold. */
export function decideAltLimits(
  wish: AltWish | null,
  scheduled: boolean,
): { readonly wish: AltWish | null; readonly on: boolean } {
  if (wish !== null && wish.scheduled === scheduled) return { wish, on: wish.on };
  return { wish: null, on: scheduled };
}
