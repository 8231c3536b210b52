/** Results of the benchmarks: one file a run, below `results/`. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { adopted, readAdopted } from './adopted.ts';
import type { Result } from './row.ts';

const folder = fileURLToPath(new URL('./results/', import.meta.url));

/** The newest full run of a row; null: there is none. Quick ones are never shown. */
export function newestResult(row: string): Result | null {
  const [newest] = globSync(`${row}-*.json`, { cwd: folder }).sort().reverse();
  if (newest === undefined) return null;
  if (adopted[row] !== undefined) return readAdopted(row, folder + newest, false);
  const result = JSON.parse(readFileSync(folder + newest, 'utf8')) as Result;
  if (result.row !== row || result.quick) throw new Error(`${newest} is no full run of ${row}`);
  return result;
}
