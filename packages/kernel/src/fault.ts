/**
 * What went wrong with data from outside, as a value. A fault says what, whose doing it is and how much it weighs;
 * the user can read `message`. Faults are returned, never thrown.
 */
export type Fault = {
  /** From the package's faults table: unique, never renamed, e.g. `BITTORRENT_BENCODE_DEPTH`. */
  readonly code: string;
  /** A plain sentence. */
  readonly message: string;
  /** Whose doing it is. `none`: nobody's (a race that honest peers lose too). */
  readonly blame: 'peer' | 'tracker' | 'web-seed' | 'file' | 'user' | 'none';
  /** 0 to 100; a peer whose sum reaches 100 is banned. */
  readonly penalty: number;
};

/** Either a value or the fault that stands in its place. */
export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly fault: Fault };

export function ok<Value>(value: Value): Result<Value> {
  return { ok: true, value };
}

export function failed(fault: Fault): { readonly ok: false; readonly fault: Fault } {
  return { ok: false, fault };
}

/** An error at an edge of the program: thrown by ports, services and commands, shown to the user as a sentence. */
export class NodeError extends Error {
  readonly code: string;
  /** What was being done: `open`, `write`, `listen`. */
  readonly op: string;
  /** True when the same call may succeed later without any change by the user. */
  readonly retry: boolean;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    more: { op?: string; retry?: boolean; data?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'NodeError';
    this.code = code;
    this.op = more.op ?? '';
    this.retry = more.retry ?? false;
    this.data = more.data ?? {};
  }
}

/** Checks a promise of ours (never a peer's input); stays on in production. */
export function assert(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new Error(`broken promise: ${promise}`);
}
