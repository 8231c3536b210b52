/** What one source of blocks has done. */
export type SourceScore = {
  readonly source: string;
  blocks: number;
  bytes: number;
  failures: number;
  /** It sent something else than what was asked for. */
  isWrong: boolean;
  latencyMs: number | null;
};

const smoothing = 1 / 4;
const latencyGuessMs = 500;
/** After failures in a row: not asked for so long, twice as long each time. */
const restFirstMs = 2_000;
const restMaxMs = 10 * 60_000;

type Entry = SourceScore & { failuresInRow: number; restUntilMs: number };

/**
 * Which source to ask first: who answers fastest of those that answer. One that fails rests, longer each time; one
 * that has not been tried is taken for a middling one, so that it gets its chance. Who sent wrong bytes is asked never
 * again.
 */
export class SourceScores {
  readonly #entries = new Map<string, Entry>();

  get scores(): readonly SourceScore[] {
    return [...this.#entries.values()];
  }

  /** The best first, none that rests. */
  pickBest(sources: readonly string[], countMax: number, nowMs: number): string[] {
    return sources
      .map((source) => ({ source, entry: this.#entries.get(source) }))
      .filter(({ entry }) => entry === undefined || (!entry.isWrong && entry.restUntilMs <= nowMs))
      .sort((a, b) => (a.entry?.latencyMs ?? latencyGuessMs) - (b.entry?.latencyMs ?? latencyGuessMs))
      .slice(0, countMax)
      .map(({ source }) => source);
  }

  markBlock(source: string, bytes: number, latencyMs: number): void {
    const entry = this.#entryOf(source);
    entry.blocks++;
    entry.bytes += bytes;
    entry.failuresInRow = 0;
    entry.latencyMs =
      entry.latencyMs === null ? latencyMs : entry.latencyMs + smoothing * (latencyMs - entry.latencyMs);
  }

  /** @param isSilent it did not answer at all; else it said that it has not this one */
  markFailure(source: string, nowMs: number, isSilent: boolean): void {
    const entry = this.#entryOf(source);
    entry.failures++;
    if (!isSilent) return;
    const restMs = Math.min(restMaxMs, restFirstMs * 2 ** entry.failuresInRow++);
    entry.restUntilMs = nowMs + restMs;
  }

  markWrong(source: string): void {
    this.#entryOf(source).isWrong = true;
  }

  #entryOf(source: string): Entry {
    const known = this.#entries.get(source);
    if (known !== undefined) return known;
    const entry: Entry = {
      source,
      blocks: 0,
      bytes: 0,
      failures: 0,
      isWrong: false,
      latencyMs: null,
      failuresInRow: 0,
      restUntilMs: 0,
    };
    this.#entries.set(source, entry);
    return entry;
  }
}
