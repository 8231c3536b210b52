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

/** Waits until somebody accepts connections there: programs say that they seed before they listen. */
export async function waitListening(endpoint: string): Promise<void> {
  const [host, port] = endpoint.split(':') as [string, string];
  await until(`${endpoint} listens`, 10_000, async () => {
    const socket = connect(Number(port), host);
    await once(socket, 'connect').finally(() => socket.destroy());
    return true;
  });
}
