import pc from 'picocolors';
import type { CliWorld } from './cli-world.ts';
import { encodeJsonLine } from './json-output.ts';
import { LiveView } from './live-view.ts';

export type Colors = ReturnType<typeof pc.createColors>;

/**
 * Where sentences go. Results: standard output. Notes, progress and errors: standard error, so that a pipe gets
 * results only. With `--json` standard output has nothing but JSON and standard error nothing but errors.
 */
export class ConsoleOutput {
  /** Standard output is for programs. */
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  /** Standard error is a terminal whose picture can be drawn again. */
  readonly isLive: boolean;
  /** For standard error. */
  readonly colors: Colors;
  readonly #world: CliWorld;
  readonly #view: LiveView;

  constructor(world: CliWorld, options: { readonly json: boolean; readonly quiet: boolean }) {
    const isTerminal = world.stderr.isTTY && world.env['TERM'] !== 'dumb';
    this.#world = world;
    this.isJson = options.json;
    this.isQuiet = options.quiet;
    this.isLive = isTerminal && !options.json && !options.quiet;
    this.colors = pc.createColors(wantsColors(world, isTerminal));
    this.#view = new LiveView(world.stderr);
  }

  /** Columns that a line of a live picture may fill. */
  get columns(): number {
    return Math.max(8, (this.#world.stderr.columns || 80) - 1);
  }

  /** Lines that a live picture may have. */
  get rows(): number {
    return Math.max(2, (this.#world.stderr.rows || 24) - 2);
  }

  /** A line that the command was called for. */
  result(line: string): void {
    if (this.isJson) return;
    this.#view.clear();
    this.#world.stdout.write(`${line}\n`);
  }

  /** A sentence for whoever watches. */
  note(line: string): void {
    if (this.isJson || this.isQuiet) return;
    this.#view.clear();
    this.#world.stderr.write(`${line}\n`);
  }

  /** Always said, whatever the options. */
  error(line: string): void {
    this.#view.clear();
    this.#world.stderr.write(`${line}\n`);
  }

  /** One JSON value as a line, with `--json` only. */
  json(value: object): void {
    if (this.isJson) this.#world.stdout.write(encodeJsonLine(value));
  }

  /** Draws the picture in place of the last one; lines must fit into `columns`. Nothing where there is no terminal. */
  draw(lines: readonly string[]): void {
    if (this.isLive) this.#view.draw(lines);
  }

  /** Takes the picture away and gives the cursor back. */
  endLive(): void {
    this.#view.end();
  }
}

/** https://no-color.org, and FORCE_COLOR as many programs have it; otherwise only on a terminal. */
function wantsColors(world: CliWorld, isTerminal: boolean): boolean {
  if (world.env['NO_COLOR']) return false;
  const forced = world.env['FORCE_COLOR'];
  return forced === undefined || forced === '' ? isTerminal : forced !== '0';
}
