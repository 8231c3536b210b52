import type { z } from 'zod';
import type { Scope } from '../users-api.ts';

export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `{name}` is a part that is filled in. */
  readonly path: string;
  /** What the caller must be allowed to do; `none`: needs no credentials. */
  readonly scope: Scope | 'none';
  readonly summary: string;
  /** The body may hold a .torrent file. */
  readonly large?: boolean;
};

/** See `route-schemas.ts`. */
export type RouteSchemas = {
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly result?: z.ZodType;
};
