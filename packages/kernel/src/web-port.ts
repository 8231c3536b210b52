/**
 * A web server for programs and browsers that use this node: answers take their time, bodies go both ways in pieces,
 * and a request may become a WebSocket. (`HttpServerPort` is for peers: one synchronous answer, no body.)
 */
import type { Endpoint, IpAddress } from './address.ts';
import type { StreamListener } from './ports.ts';

export interface WebRequest {
  readonly method: string;
  /** Path and query as they stood in the request line, undecoded; always begins with `/`. */
  readonly target: string;
  /** Names in lower case; those that came twice are joined, but `host`, `origin` and credentials never came twice. */
  readonly headers: Readonly<Record<string, string>>;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** Aborted when the client has gone before it had its answer. */
  readonly signal: AbortSignal;
  /**
   * The whole body; once only. What is not asked for is never read.
   * @throws NodeError `HTTP_BODY_LONG`, `HTTP_CLIENT_GONE`
   */
  readBody(bytesMax: number): Promise<Uint8Array>;
  /**
   * The body piece by piece, each read when it is asked for; once only. However long it is, the client need only go on.
   * Whoever stops early gives the rest up: the connection ends with the answer.
   * @throws NodeError `HTTP_CLIENT_GONE`, from the iterator
   */
  readBodyParts(): AsyncIterable<Uint8Array>;
}

export type WebResponse = {
  readonly status: number;
  /** Several values: as many lines. `content-length` is set for whole bodies. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /**
   * Pieces are asked for one by one, each when the client has taken the one before: a slow client costs one piece.
   * When the client goes, the iterator's `return` is called. A body that throws cuts the connection.
   */
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array | string> | null;
};

/** An open WebSocket (RFC 6455). */
export interface WebSocketPeer {
  readonly remote: Endpoint;
  /** A text message. A peer that lets too much pile up is closed. */
  send(text: string): void;
  /** 1000 is a normal end. */
  close(code?: number, reason?: string): void;
}

export interface WebSocketHandler {
  onOpen?(peer: WebSocketPeer): void;
  /** Text messages; a binary one is given as if it were text in UTF-8. */
  onMessage(text: string, peer: WebSocketPeer): void;
  /** Once, last; also when it never opened. */
  onClose(): void;
}

/** What takes the place of an answer when a WebSocket was asked for and is granted. */
export type WebUpgrade = { readonly webSocket: WebSocketHandler; readonly bytesMax: number };

export interface WebServerPort {
  /**
   * @param handle answers a request; what it throws becomes status 500 and goes to `onFault`. Only a request for a
   * WebSocket (`upgrade: websocket`) may be answered with `WebUpgrade`.
   * @throws NodeError `NET_LISTEN`
   */
  listen(
    at: { readonly address: IpAddress | null; readonly port: number },
    handlers: {
      handle(request: WebRequest): Promise<WebResponse | WebUpgrade>;
      /** What never became a request: broken, too long, too slow. `code` is `HTTP_…`. */
      onRefused?(code: string, remote: string): void;
      onFault?(error: unknown): void;
    },
  ): Promise<StreamListener>;
}
