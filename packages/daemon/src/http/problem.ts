/** Errors as answers (RFC 9457): a status, a code that is never renamed, and a sentence. */
import { otherProblemStatus, type ProblemCode, problemCodes } from '@tequio/api/http';
import { NodeError, type WebResponse } from '@tequio/kernel';
import { HttpError } from './http-fault.ts';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Who are you?',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Too slow',
  409: 'Conflict',
  410: 'Gone',
  413: 'Too long',
  414: 'Too long an address',
  415: 'Wrong type of content',
  416: 'No such range',
  421: 'Wrong host',
  422: 'Cannot be done',
  429: 'Too many requests',
  500: 'A mistake of the node',
  502: 'No answer from elsewhere',
  503: 'Busy',
  504: 'Took too long',
};

export const problemType = 'application/problem+json';

/** @param more members besides those of the standard */
export function problemResponse(
  status: number,
  code: string,
  detail: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): WebResponse {
  const title = titles[status] ?? 'Problem';
  return {
    status,
    headers: { 'content-type': problemType, 'cache-control': 'no-store', ...headers },
    body: JSON.stringify({ type: `urn:tequio:${code}`, title, status, detail, code, ...more }),
  };
}

/** Null: it is a mistake of ours, of which nothing goes out. */
export function problemOf(error: unknown): WebResponse | null {
  if (!(error instanceof NodeError)) return null;
  const { code, message, data } = error;
  if (error instanceof HttpError) return problemResponse(error.status, code, message, data, error.headers);
  const known: Readonly<Record<string, ProblemCode>> = problemCodes;
  const status = known[code]?.status ?? otherProblemStatus;
  return problemResponse(status, code, message, error.retry ? { retry: true } : {});
}
