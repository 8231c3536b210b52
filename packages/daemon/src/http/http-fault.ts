import { NodeError } from '@tequio/kernel';

/** Why a request was refused before anybody looked at what it wants. `remedy` goes into the log, not to the client. */
export type Refusal = {
  readonly status: number;
  /** `HTTP_…`, as in docs/api.md. */
  readonly code: string;
  /** For the client. */
  readonly message: string;
  /** What was in the request; peers' words, so for the log only after they were made printable. */
  readonly value: string;
  readonly remedy: string;
};

/** A refusal that happens inside a route. */
export class HttpError extends NodeError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly data?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(code, message, { op: 'http', ...(more.data === undefined ? {} : { data: more.data }) });
    this.status = status;
    this.headers = more.headers ?? {};
  }
}
