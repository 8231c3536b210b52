import type {
  AddOptions,
  BittorrentApi,
  BittorrentEvent,
  Management,
  NodeApi,
  TorrentSnapshot,
  TorrentSource,
} from '@tequio/api';
import { Emitter, NodeError } from '@tequio/kernel';

/** How often what is watched is read anew. */
const readMs = 500;

/**
 * A node for one command while another one is running with the same data: torrents are the running one's, and files,
 * sources and hashes this process's own. What the command has added stays with the running node when it ends.
 * @param local a node that is offline
 */
export async function attachNode(local: NodeApi, remote: Management): Promise<NodeApi> {
  const { port } = await remote.status.status();
  const torrents = new AttachedTorrents(remote);
  const attached: Partial<BittorrentApi> = {
    dht: null,
    port,
    add: (source, options) => torrents.add(source, options),
    remove: (id, options) => torrents.remove(id, options),
    torrent: (id) => torrents.snapshot(id),
    torrents: () => torrents.snapshots(),
    subscribe: (listener) => torrents.events.subscribe(listener),
    pause: (id) => remote.torrents.pause([id]),
    resume: (id) => remote.torrents.resume([id]),
  };
  return overlay(local, {
    management: remote,
    bittorrent: overlay(local.bittorrent, attached),
    close: async () => {
      torrents.close();
      await local.close();
    },
  });
}

/** The first, but for what the second has instead. Methods mean the object that they stand on. */
function overlay<Value extends object>(below: Value, above: Partial<Value>): Value {
  return new Proxy(below, {
    get: (_, name) => {
      if (name in above) return Reflect.get(above, name);
      const member = Reflect.get(below, name);
      return typeof member === 'function' ? member.bind(below) : member;
    },
  });
}

class AttachedTorrents {
  readonly events = new Emitter<BittorrentEvent>();
  readonly #remote: Management;
  readonly #snapshots = new Map<string, TorrentSnapshot>();
  readonly #endEvents: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isClosed = false;

  constructor(remote: Management) {
    this.#remote = remote;
    this.#endEvents = remote.events.subscribe(({ event }) => {
      if ('torrent' in event && event.type.startsWith('bittorrent.') && this.#snapshots.has(event.torrent))
        void this.#read(event.torrent).then(() => this.events.emit(event as BittorrentEvent));
    });
  }

  async add(source: TorrentSource, options: AddOptions): Promise<string> {
    const { id } = await this.#remote.torrents.add({ ...options, source });
    await this.#read(id);
    this.#timer ??= setTimeout(() => void this.#readAll(), readMs);
    return id;
  }

  async remove(id: string, options?: { readonly removeContent?: boolean }): Promise<void> {
    this.#snapshots.delete(id);
    await this.#remote.torrents.remove([id], options);
  }

  snapshot(id: string): TorrentSnapshot | null {
    return this.#snapshots.get(id) ?? null;
  }

  snapshots(): readonly TorrentSnapshot[] {
    return [...this.#snapshots.values()];
  }

  close(): void {
    this.#isClosed = true;
    this.#endEvents();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #readAll(): Promise<void> {
    await Promise.all([...this.#snapshots.keys()].map((id) => this.#read(id)));
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#readAll(), readMs);
  }

  async #read(id: string): Promise<void> {
    const { torrents } = this.#remote;
    try {
      const [row, files, peers, trackers, pieces] = await Promise.all([
        torrents.get(id),
        torrents.files(id),
        torrents.peers(id),
        torrents.trackers(id),
        torrents.pieces(id),
      ]);
      if (row === null) this.#fail(id, 'TORRENT_MISSING', 'The running node no longer has this torrent.');
      else this.#snapshots.set(id, { ...row, files, peers, trackers, pieces: toBase64(pieces.have) });
    } catch (error) {
      if (error instanceof NodeError && !this.#isClosed) this.#fail(id, error.code, error.message);
    }
  }

  /** It is shown as it was, with what is wrong now. */
  #fail(id: string, errorCode: string, error: string): void {
    const snapshot = this.#snapshots.get(id);
    if (snapshot !== undefined) this.#snapshots.set(id, { ...snapshot, state: 'error', error, errorCode });
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
