import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A new file among the kept results, named by what was measured and when. */
export function resultsFile(name: string): string {
  const folder = fileURLToPath(new URL('./results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.json`);
}
