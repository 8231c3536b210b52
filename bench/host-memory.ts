import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';

const orderFile = '/sys/module/page_reporting/parameters/page_reporting_order';
/** Above the largest block that Linux has: no free block is ever large enough to be given back. */
const never = '11';

/**
 * Some virtual machines give free memory back to their host, and each page that they use anew is then fetched from it:
 * the same 1 GiB went into the page cache in 0.24 s or in 1.5 s, by chance. While a benchmark runs, memory is kept.
 * @returns puts it back as it was; null when this machine does not give memory back
 */
export function keepFreeMemory(): (() => void) | null {
  if (!existsSync(orderFile)) return null;
  const before = readFileSync(orderFile, 'utf8').trim();
  try {
    writeFileSync(orderFile, never);
  } catch {
    return null;
  }
  return () => writeFileSync(orderFile, before);
}

/** Uses as much free memory once, half of it at most, so that what was given back before is here again. */
export function touchMemory(bytes: number): void {
  const chunk = 64 << 20;
  const touched: Uint8Array[] = [];
  const enough = Math.min(bytes, freemem() / 2);
  for (let at = 0; at < enough; at += chunk) touched.push(new Uint8Array(chunk).fill(1));
}
