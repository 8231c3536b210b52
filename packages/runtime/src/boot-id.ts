import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/**
 * A text that changes with every start of the machine: Linux's own boot id, elsewhere the time of the start, in steps
 * of ten seconds because clocks are adjusted.
 */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return `boot-${Math.round((Date.now() / 1000 - uptime()) / 10)}`;
  }
}
