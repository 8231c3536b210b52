import type { WebResponse } from '@tequio/kernel';

export function jsonResponse(value: unknown, status = 200): WebResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  };
}
