import { once } from 'node:events';
import { connect } from 'node:net';
import type { Host } from './lab.ts';
import { until } from './until.ts';

/**
 * A BitTorrent program on a host of the lab, one torrent a program. Only plain TCP: no encryption, no uTP, no DHT,
 * no local discovery, no peer exchange, so that every connection is one that the test has asked for.
 */
export interface LabPeer {
  /** As people call it, e.g. `qBittorrent`. */
  readonly name: string;
  readonly host: Host;
  /** False for a program that leaves out files without content. */
  readonly emptyFilesMade: boolean;
  /** `ADDRESS:PORT` where it accepts peers. */
  readonly endpoint: string;
  /** Seeds the content in `folder` (which holds the torrent's own folder or file). Resolves when it has checked it. */
  seed(torrentFile: string, folder: string, trackers?: readonly string[]): Promise<void>;
  /** Starts a download into `folder`; `source` is a torrent file or magnet link, `peers` are given as `ADDRESS:PORT`. */
  download(source: string, folder: string, from: DownloadFrom): Promise<void>;
  /** 0 to 1. */
  progress(): Promise<number>;
  /**
   * Resolves when all is there and verified; the program is asked every `everyMs`.
   * @throws Error after `timeoutMs` with what the program said last
   */
  waitComplete(timeoutMs: number, everyMs?: number): Promise<void>;
  /** Ends it at once. */
  stop(): Promise<void>;
}

export type DownloadFrom = {
  readonly peers?: readonly string[];
  readonly trackers?: readonly string[];
};

export function isMagnet(source: string): boolean {
  return source.startsWith('magnet:');
}

/**
 * Waits until the program there answers a handshake for this torrent (40 or 64 hex digits). Programs say that they
 * seed before they do: qBittorrent closes every connection for up to a second after its check.
 */
export async function waitAnswering(endpoint: string, infoHash: string): Promise<void> {
  const [host, port] = endpoint.split(':') as [string, string];
  const handshake = Buffer.concat([
    Buffer.from('\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05', 'latin1'),
    Buffer.from(infoHash.slice(0, 40), 'hex'),
    Buffer.from('-XX0001-are you there'.slice(0, 20)),
  ]);
  await until(`${endpoint} answers`, 10_000, async () => {
    const socket = connect(Number(port), host);
    try {
      await once(socket, 'connect');
      socket.write(handshake);
      await Promise.race([
        once(socket, 'data'),
        once(socket, 'close').then(() => Promise.reject(new Error('closed'))),
      ]);
    } finally {
      socket.destroy();
    }
    return true;
  });
}
