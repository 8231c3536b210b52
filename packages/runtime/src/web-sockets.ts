import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { tryParseAddress, type WebSocketPeer, type WebUpgrade } from '@tequio/kernel';
import type { WebSocket, WebSocketServer } from 'ws';

export const webSocketLimits = {
  count: 256,
  /** Said and not yet taken by the other side. */
  queuedBytes: 1 << 20,
  /** A ping goes out so often; without an answer until the next one the other side is gone. */
  pingMs: 30_000,
} as const;

/** WebSockets of one server. What speaks their protocol is loaded with the first of them. */
export class WebSockets {
  readonly #open = new Set<WebSocket>();
  #server: WebSocketServer | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  readonly #silent = new Set<WebSocket>();
  #isClosed = false;

  async accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { webSocket, bytesMax }: WebUpgrade,
  ): Promise<void> {
    this.#server ??= await createProtocol();
    if (this.#isClosed || this.#open.size >= webSocketLimits.count) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return webSocket.onClose();
    }
    const server = this.#server;
    // The one limit that differs from socket to socket; the protocol reads it when a socket is made.
    server.options.maxPayload = bytesMax;
    let isOpen = false;
    socket.once('close', () => {
      if (!isOpen) webSocket.onClose();
    });
    server.handleUpgrade(request, socket, head, (opened) => {
      isOpen = true;
      this.#open.add(opened);
      this.#timer ??= setInterval(() => this.#ping(), webSocketLimits.pingMs).unref();
      const peer = peerOf(opened, request);
      opened.on('message', (data) => webSocket.onMessage(String(data), peer));
      opened.on('pong', () => this.#silent.delete(opened));
      opened.on('error', () => opened.terminate());
      opened.on('close', () => {
        this.#open.delete(opened);
        this.#silent.delete(opened);
        webSocket.onClose();
      });
      webSocket.onOpen?.(peer);
    });
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const socket of this.#open) socket.terminate();
  }

  #ping(): void {
    for (const socket of this.#open) {
      if (this.#silent.has(socket)) socket.terminate();
      else {
        this.#silent.add(socket);
        socket.ping();
      }
    }
  }
}

async function createProtocol(): Promise<WebSocketServer> {
  const { WebSocketServer } = await import('ws');
  // Compression would cost memory for every socket, and helps an attacker to learn what it packs.
  return new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
}

function peerOf(socket: WebSocket, request: IncomingMessage): WebSocketPeer {
  const address = tryParseAddress(request.socket.remoteAddress ?? '')!;
  return {
    remote: { address, port: request.socket.remotePort ?? 0 },
    send: (text) => {
      if (socket.bufferedAmount > webSocketLimits.queuedBytes) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.send(text);
    },
    close: (code = 1000, reason = '') => socket.close(code, reason),
  };
}
