import type { Running } from './running.ts';

type Answer = { readonly id: number; readonly ok: boolean; readonly error?: string };

/** Asks a program that answers each JSON line on its standard input with one on its standard output. */
export class JsonLines {
  readonly #waiting = new Map<
    number,
    { resolve: (answer: Answer) => void; reject: (error: Error) => void }
  >();
  #running: Running | null = null;
  #nextId = 1;

  /** To be given to the program as `onLine`. */
  readonly onLine = (line: string): void => {
    const answer = JSON.parse(line) as Answer;
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer);
    else waiting?.reject(new Error(answer.error ?? 'refused'));
  };

  attach(running: Running): void {
    this.#running = running;
    void running.exited.then(() => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`ended before it answered: ${running.describe()}`));
      this.#waiting.clear();
    });
  }

  /** @throws Error with the program's own words when it refuses or ends */
  ask<Reply = Record<string, unknown>>(op: string, request: Record<string, unknown> = {}): Promise<Reply> {
    const id = this.#nextId++;
    this.#running!.assertRunning();
    return new Promise<Reply>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as Reply), reject });
      this.#running!.child.stdin!.write(`${JSON.stringify({ id, op, ...request })}\n`);
    });
  }
}
