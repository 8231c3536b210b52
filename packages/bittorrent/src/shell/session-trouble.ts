/** What trouble with the disk does to a torrent: it is said, pieces are looked at again, stores are tried again. */
import { piecesOf } from '../core/peer-pieces.ts';
import type { Torrent } from '../core/torrent.ts';
import { DiskTrouble } from './disk-trouble.ts';
import type { SessionDeps } from './session-source.ts';
import type { TorrentDriver } from './torrent-driver.ts';
import type { TorrentStorage } from './torrent-storage.ts';

/** The torrent that is in trouble. */
export interface SessionTroubleHost {
  readonly id: string;
  readonly torrent: Torrent;
  readonly driver: TorrentDriver;
  readonly storage: TorrentStorage | null;
  /** Pieces to be looked at, at the last start of a check. */
  checkCount: number;
}

export function createSessionTrouble(
  host: SessionTroubleHost,
  { clock, emit }: Pick<SessionDeps, 'clock' | 'emit'>,
): DiskTrouble {
  const torrent = host.id;
  return new DiskTrouble(clock, {
    failed: (code, message) => emit({ type: 'bittorrent.torrent.failed', torrent, code, message }),
    recovered: () => {
      emit({ type: 'bittorrent.torrent.recovered', torrent });
      host.driver.run((machine, nowMs) => machine.handleDiskRecovered(nowMs));
    },
    recheck: () => recheckDoubtful(host),
    tryStores: () => {
      const hasStuck = host.torrent.content?.hasStuckStores ?? false;
      host.driver.run(({ content }) => content?.retryStores());
      return hasStuck;
    },
    look: (fault) => host.storage?.look(host.storage.fileOf(fault)) ?? Promise.resolve(null),
  });
}

function recheckDoubtful(host: SessionTroubleHost): void {
  const { storage, torrent, driver } = host;
  storage?.doubt(null);
  const { content } = torrent;
  if (content === null || storage === null) return;
  host.checkCount = storage.doubtful.setCount;
  driver.run(() => content.doubt(piecesOf(storage.doubtful)));
}
