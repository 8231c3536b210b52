/**
 * How another program's API is mounted into the node's HTTP server. The server has checked `Host`, `Origin` and
 * `Sec-Fetch-Site`, has taken the base path away, counts the request and writes it to the log; who may do what the
 * route decides by itself, for each of these APIs says so in a way of its own.
 */
import type { Management, NodeApi, TorrentId } from '@tequio/api';
import type { Log, WebResponse, WebUpgrade } from '@tequio/kernel';
import type { Caller } from './caller.ts';

/** A request as routes see it. */
export type RouteRequest = {
  readonly method: string;
  /** Behind the base path, with what was `%xx` decoded: `/api/v2/app/version`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Address of the client; behind a proxy that is trusted, what the proxy says. */
  readonly clientAddress: string;
  /** `http://127.0.0.1:27270`: where the client thinks we are, without the base path. */
  readonly origin: string;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** @throws NodeError `HTTP_BODY_LONG`, `HTTP_CLIENT_GONE`: let them pass, the server answers */
  readBody(bytesMax: number): Promise<Uint8Array>;
  /** Piece by piece, as long as it may be. @throws NodeError `HTTP_CLIENT_GONE`: let it pass */
  readBodyParts(): AsyncIterable<Uint8Array>;
};

/** What is done for somebody is done with `management.as(caller)`. */
export type ManagedNode = NodeApi & { readonly management: Management };

export type RouteContext = {
  readonly node: ManagedNode;
  readonly log: Log;
  /**
   * By `Authorization: Bearer` (token or key), `Basic` (a user's password; or the token, under any name) or the page's
   * cookie; null: nobody that we know. @throws NodeError `HTTP_TOO_MANY_FAILURES`: let it pass
   */
  caller(): Promise<Caller | null>;
  /** For logins that come in other ways. Null: wrong. @throws NodeError `HTTP_TOO_MANY_FAILURES`: let it pass */
  checkPassword(name: string, password: string): Promise<Caller | null>;
  /** The token of the data folder, or an API key. Null: neither. */
  checkToken(token: string): Promise<Caller | null>;
  /** A session for a cookie of the route's own name. @returns its id, as hard to guess as a key */
  openSession(caller: Caller): string;
  findSession(id: string): Caller | null;
  closeSession(id: string): void;
  /** Where a file of a torrent is served: on the second origin, with the permission in the address. */
  contentUrl(torrent: TorrentId, file: number, name: string): string;
};

export interface CompatRoute {
  /** `/transmission/rpc`, `/api/v2`: this path and all below it. */
  readonly prefix: string;
  handle(request: RouteRequest, context: RouteContext): Promise<WebResponse | WebUpgrade>;
}
