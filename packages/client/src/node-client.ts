import type { Management, NodeStatus, TorrentId, TorrentListQuery } from '@tequio/api';
import type { NodeError } from '@tequio/kernel';
import { EventReader } from './event-reader.ts';
import { HttpCalls } from './http-calls.ts';
import { flatQuery, remoteManagement } from './remote-management.ts';
import { applyStep, emptyCopy, type TorrentCopy, type TorrentStep } from './torrent-copy.ts';

export type ClientOptions = {
  /** Where the node's page is: `http://127.0.0.1:27270/`, with a base path where there is one. */
  readonly url: string;
  /** The token of the data folder, or a key; null: the browser's cookie says who asks. */
  readonly token?: string | null;
};

export type WatchOptions = {
  /** Fields of each torrent; by default all. */
  readonly fields?: readonly (keyof import('@tequio/api').ListedTorrent)[];
  /** The shortest time between two changes; by default a second. */
  readonly intervalMs?: number;
  /** Null: connected; else why not, at the moment. */
  readonly onState?: (error: NodeError | null) => void;
};

/** A node as it is in its own process, and what only a connection has. */
export type NodeClient = Management & {
  /** Where it is. */
  readonly url: string;
  /** Lets in with a one-time token or a password; the browser keeps the cookie. */
  login(by: { readonly token: string } | { readonly user: string; readonly password: string }): Promise<void>;
  logout(): Promise<void>;
  /** Where a file's content is, for a player; good while who asks is known to the node. */
  contentUrl(id: TorrentId, file: number): string;
  /** A playlist of a torrent's audio and video files, for players of their own. */
  playlistUrl(id: TorrentId): string;
  /** Where a file or a folder of IPFS is, to be saved or shown. */
  ipfsContentUrl(path: string): string;
  /** What `ipfs.addFile` sends to, for a page that shows how far a file is. */
  ipfsUploadUrl(path: string): string;
  /** A token that lets a browser in once. */
  makeOneTimeToken(): Promise<string>;
  /** Keeps a part of the list up to date, until the returned function is called. */
  watchTorrents(
    query: TorrentListQuery,
    onChange: (copy: TorrentCopy) => void,
    options?: WatchOptions,
  ): () => void;
  /** The status, and again whenever it has changed, until the returned function is called. */
  watchStatus(
    onChange: (status: NodeStatus) => void,
    onState?: (error: NodeError | null) => void,
  ): () => void;
};

/** Does nothing until it is asked something. */
export function createClient({ url, token = null }: ClientOptions): NodeClient {
  const calls = new HttpCalls({ url, token });
  return {
    ...remoteManagement(calls),
    url,
    login: async (by) => void (await calls.call('session.open', { body: by })),
    logout: async () => void (await calls.call('session.close')),
    contentUrl: (id, file) => calls.urlOf('torrents.content', { params: { id, file } }),
    playlistUrl: (id) => calls.urlOf('torrents.playlist', { params: { id } }),
    ipfsContentUrl: (path) => calls.urlOf('ipfs.content', { query: { path } }),
    ipfsUploadUrl: (path) => calls.urlOf('ipfs.addFile', { query: { path } }),
    makeOneTimeToken: async () => (await calls.call('session.oneTime')).token,
    watchTorrents: (query, onChange, { fields, intervalMs, onState } = {}) => {
      let copy = emptyCopy;
      const asked = {
        ...flatQuery(query),
        channels: ['torrents' as const],
        ...(fields === undefined ? {} : { fields: [...fields] }),
        ...(intervalMs === undefined ? {} : { intervalMs }),
      };
      const reader = new EventReader(
        calls,
        asked,
        ({ event, data }) => {
          if (event !== 'torrents') return;
          copy = applyStep(copy, data as TorrentStep);
          onChange(copy);
        },
        onState,
      );
      return () => reader.close();
    },
    watchStatus: (onChange, onState) => {
      let status: NodeStatus | null = null;
      const reader = new EventReader(
        calls,
        { channels: ['status'] },
        ({ event, data }) => {
          if (event !== 'status') return;
          status = { ...status, ...(data as NodeStatus) };
          onChange(status);
        },
        onState,
      );
      return () => reader.close();
    },
  };
}
