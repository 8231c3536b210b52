import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A tracker that always answers with the same peers: the way to tell a program about peers when it knows no
 * other (Transmission and aria2 take none by command).
 */
export class HintTracker {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, address: string) {
    this.#server = server;
    this.url = `http://${address}:${(server.address() as AddressInfo).port}/announce`;
  }

  static async listen(address: string, peers: readonly string[]): Promise<HintTracker> {
    const compact = Buffer.concat(peers.map(compactPeer));
    const reply = Buffer.concat([
      Buffer.from(`d8:intervali60e5:peers${compact.length}:`),
      compact,
      Buffer.from('e'),
    ]);
    const server = createServer((_request, response) => response.end(reply));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, address, resolve);
    });
    server.unref();
    return new HintTracker(server, address);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** BEP 23: four bytes of address, two of port. */
function compactPeer(endpoint: string): Buffer {
  const [address, port] = endpoint.split(':') as [string, string];
  return Buffer.from([...address.split('.').map(Number), Number(port) >> 8, Number(port) & 255]);
}
