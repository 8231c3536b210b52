/**
 * A few lines at the bottom of a terminal that are drawn again and again, by ECMA-48 control sequences. What else is
 * written goes above: `clear` first, and the next `draw` starts below it.
 */
export class LiveView {
  readonly #stream: { write(text: string): void };
  #lineCount = 0;
  #isCursorHidden = false;

  constructor(stream: { write(text: string): void }) {
    this.#stream = stream;
  }

  /** One write, so that the terminal never shows half a picture. */
  draw(lines: readonly string[]): void {
    const hide = this.#isCursorHidden ? '' : hideCursor;
    const body = lines.map((line) => `${line}${clearToLineEnd}\n`).join('');
    this.#stream.write(`${hide}${up(this.#lineCount)}${body}${clearToScreenEnd}`);
    this.#lineCount = lines.length;
    this.#isCursorHidden = true;
  }

  clear(): void {
    if (this.#lineCount === 0) return;
    this.#stream.write(`${up(this.#lineCount)}${clearToScreenEnd}`);
    this.#lineCount = 0;
  }

  end(): void {
    this.clear();
    if (this.#isCursorHidden) this.#stream.write(showCursor);
    this.#isCursorHidden = false;
  }
}

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
const clearToLineEnd = '\x1b[K';
const clearToScreenEnd = '\x1b[J';

function up(lineCount: number): string {
  return lineCount === 0 ? '' : `\x1b[${lineCount}A\r`;
}
