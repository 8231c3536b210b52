import type { BittorrentEvent } from '@tequio/bittorrent/contract';

/** What the node itself has to say, in the past tense. */
export type ManagementEvent =
  | {
      readonly type: 'node.share-goal.reached';
      readonly torrent: string;
      readonly measure: 'ratio' | 'seeding' | 'idle';
    }
  | { readonly type: 'node.torrent.moved'; readonly torrent: string; readonly folder: string }
  | {
      readonly type: 'node.program.ended';
      readonly torrent: string;
      readonly program: string;
      /** Null: it could not be started, or was ended because it took too long. */
      readonly exitCode: number | null;
    }
  | { readonly type: 'node.watch.added'; readonly torrent: string; readonly path: string }
  | {
      readonly type: 'node.rss.added';
      readonly torrent: string;
      readonly rule: string;
      readonly title: string;
    }
  | { readonly type: 'node.trouble'; readonly part: string; readonly code: string; readonly message: string }
  | { readonly type: 'node.recovered'; readonly part: string }
  | { readonly type: 'node.settings.changed'; readonly keys: readonly string[] }
  | { readonly type: 'node.paused'; readonly untilMs: number | null }
  | { readonly type: 'node.resumed' }
  | { readonly type: 'node.closing' };

/** Those of the engine that somebody outside can want; what happens for every piece or peer is not among them. */
export type KeptBittorrentEvent = Exclude<
  BittorrentEvent,
  {
    readonly type:
      | 'bittorrent.piece.verified'
      | 'bittorrent.pieces.kept'
      | 'bittorrent.peer.connected'
      | 'bittorrent.peer.closed'
      | 'bittorrent.tracker.answered';
  }
>;

export type NodeEvent = {
  /** Grows by one with every event; starts at 1 in every run. */
  readonly seq: number;
  readonly atMs: number;
  readonly event: ManagementEvent | KeptBittorrentEvent;
};

export type EventPage = {
  /** Oldest first. */
  readonly events: readonly NodeEvent[];
  /** Some after the number that was asked with are no longer kept, or it is of another run. */
  readonly lost: boolean;
  /** Of the latest event, 0: there was none. To be asked with next time. */
  readonly seq: number;
};

export interface EventsApi {
  /** Those after a number; at most so many (1000 when not said). */
  since(seq: number, limit?: number): Promise<EventPage>;
  /** Calls back with every event from now on, until the returned function is called. */
  subscribe(listener: (event: NodeEvent) => void): () => void;
}
