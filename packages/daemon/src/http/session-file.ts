/**
 * Sessions over a restart: a page that was open goes on by itself. `sessions.json` in the data folder, for its owner's
 * eyes only; it holds hashes, which let nobody in.
 */
import type { FilesPort, Log } from '@tequio/kernel';
import { z } from 'zod';
import { httpLimits } from './http-limits.ts';
import type { KeptSession } from './sessions.ts';

const fileBytesMax = 1 << 20;
const keptSessions = z
  .array(
    z.strictObject({
      hash: z.string().length(44),
      user: z.string().max(64).nullable(),
      scope: z.enum(['read', 'write', 'admin']),
      usedMs: z.number(),
    }),
  )
  .max(httpLimits.sessionCount);

export class SessionFile {
  readonly #path: string;
  readonly #files: FilesPort;
  readonly #log: Log;
  #writing: Promise<void> | null = null;
  #next: readonly KeptSession[] | null = null;

  constructor(dataFolder: string, files: FilesPort, log: Log) {
    this.#path = `${dataFolder}/sessions.json`;
    this.#files = files;
    this.#log = log;
  }

  /** Empty when there is none, or it cannot be read: then everybody logs in once more. */
  async read(): Promise<readonly KeptSession[]> {
    if ((await this.#files.kind(this.#path)) !== 'file') return [];
    try {
      const text = new TextDecoder().decode(await this.#files.readFile(this.#path, fileBytesMax));
      return keptSessions.parse(JSON.parse(text));
    } catch (error) {
      this.#log.warn('http.sessions', { message: String(error) });
      return [];
    }
  }

  /** One after the other; of many that wait the latest is written. */
  write(sessions: readonly KeptSession[]): Promise<void> {
    this.#next = sessions;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#next; next !== null; next = this.#next) {
      this.#next = null;
      const bytes = new TextEncoder().encode(`${JSON.stringify(next)}\n`);
      await this.#files
        .writeFile(this.#path, bytes, { secret: true })
        .catch((error: unknown) => this.#log.warn('http.sessions', { message: String(error) }));
    }
  }
}
