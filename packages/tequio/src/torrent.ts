import { EventEmitter } from 'node:events';
import type { BittorrentApi, BittorrentEvent, ShownTorrent, TorrentRow } from '@tequio/bittorrent/contract';
import { TorrentFile } from './torrent-file.ts';

export type TorrentEvents = {
  /** Name, size and files are known, and what of them is there already. */
  ready: [];
  /** All wanted files are there. */
  done: [];
  /** Bytes since the last time. */
  download: [bytes: number];
  upload: [bytes: number];
  /** The address of a peer, `host:port`. */
  wire: [address: string];
  /** It has stopped; it goes on by itself when the cause is gone. */
  error: [error: Error];
  close: [];
};

/** A torrent of a `Tequio`. */
export class Torrent extends EventEmitter<TorrentEvents> {
  readonly #engine: BittorrentApi;
  readonly #forget: (torrent: Torrent) => void;
  #row: TorrentRow;
  #files: readonly TorrentFile[] | null = null;
  #shown: ShownTorrent | null = null;
  #isReady: boolean;
  #isClosed = false;
  #reported = { downloadedBytes: 0, uploadedBytes: 0 };

  /** @internal */
  constructor(engine: BittorrentApi, row: TorrentRow, forget: (torrent: Torrent) => void) {
    super();
    this.#engine = engine;
    this.#row = row;
    this.#forget = forget;
    this.#isReady = row.pieceCount > 0 && row.state !== 'checking';
    this.#reported = { downloadedBytes: row.downloadedBytes, uploadedBytes: row.uploadedBytes };
  }

  /** Hex; that of version 1 where there is one. */
  get infoHash(): string {
    return this.#row.id;
  }
  get infoHashV2(): string | null {
    return this.#now().infoHashV2;
  }
  get name(): string {
    return this.#now().name;
  }
  /** The folder that the content lies in. */
  get path(): string {
    return this.#now().folder;
  }
  /** Bytes; 0 as long as it is not ready. */
  get length(): number {
    return this.#now().totalBytes;
  }
  get pieceLength(): number {
    return this.#now().pieceBytes;
  }
  get ready(): boolean {
    return this.#isReady;
  }
  get done(): boolean {
    const { wantedBytes, doneBytes } = this.#now();
    return this.ready && doneBytes >= wantedBytes;
  }
  get paused(): boolean {
    return this.#now().state === 'paused';
  }
  /** Verified bytes. */
  get downloaded(): number {
    return this.#now().doneBytes;
  }
  /** Bytes that came in, with those that were thrown away. */
  get received(): number {
    return this.#now().downloadedBytes;
  }
  get uploaded(): number {
    return this.#now().uploadedBytes;
  }
  /** Bytes a second. */
  get downloadSpeed(): number {
    return this.#now().downRate;
  }
  get uploadSpeed(): number {
    return this.#now().upRate;
  }
  /** 0 to 1, of the wanted files. */
  get progress(): number {
    const { wantedBytes, doneBytes } = this.#now();
    return !this.ready ? 0 : wantedBytes === 0 ? 1 : doneBytes / wantedBytes;
  }
  get ratio(): number {
    const { downloadedBytes, uploadedBytes, doneBytes } = this.#now();
    return uploadedBytes / (downloadedBytes || doneBytes || 1);
  }
  /** Milliseconds; Infinity: it stands still. */
  get timeRemaining(): number {
    const { secondsLeft } = this.#now();
    return this.done ? 0 : secondsLeft === null ? Number.POSITIVE_INFINITY : secondsLeft * 1000;
  }
  get numPeers(): number {
    return this.#now().peerCount;
  }
  /** Why it stands still; null: all is well. */
  get trouble(): string | null {
    return this.#now().error;
  }
  get magnetURI(): string {
    return this.#content()?.magnet ?? `magnet:?xt=urn:btih:${this.infoHash}`;
  }
  /** The addresses of its trackers. */
  get announce(): readonly string[] {
    return this.#engine.trackers(this.infoHash).map(({ url }) => url);
  }
  /** The .torrent file; null as long as it is not ready. */
  get torrentFile(): Uint8Array | null {
    return this.#engine.exportTorrent(this.infoHash);
  }
  /** Empty as long as it is not ready. Padding is left out. */
  get files(): readonly TorrentFile[] {
    if (this.#files !== null) return this.#files;
    if (!this.ready) return [];
    const snapshots = this.#engine.files(this.infoHash).filter(({ pad }) => !pad);
    this.#files = snapshots.map((snapshot) => new TorrentFile(this.#engine, this.infoHash, snapshot));
    return this.#files;
  }

  /** Settles when it is ready. */
  whenReady(): Promise<this> {
    return this.#when('ready', () => this.ready);
  }

  /** Settles when all wanted files are there. */
  whenDone(): Promise<this> {
    return this.#when('done', () => this.done);
  }

  pause(): Promise<void> {
    return this.#engine.pause(this.infoHash);
  }

  resume(): Promise<void> {
    return this.#engine.resume(this.infoHash);
  }

  /** Checks all content again. */
  rescanFiles(): Promise<void> {
    return this.#engine.recheck(this.infoHash);
  }

  /** @param address `host:port` */
  addPeer(address: string): Promise<void> {
    return this.#engine.addPeer(this.infoHash, address);
  }

  /** These pieces, both ends included, are needed at once. */
  async critical(start: number, end: number): Promise<void> {
    for (let piece = start; piece <= end; piece++) {
      await this.#engine.setPieceDeadline(this.infoHash, piece, 0);
    }
  }

  /** Bytes a second; null: no limit. */
  throttleDownload(rate: number | null): void {
    this.#engine.setTorrentLimits(this.infoHash, { down: rate, up: this.#now().limitUp });
  }

  throttleUpload(rate: number | null): void {
    this.#engine.setTorrentLimits(this.infoHash, { down: this.#now().limitDown, up: rate });
  }

  /** The node forgets it. Content stays unless `destroyStore`. */
  async destroy({ destroyStore = false }: { readonly destroyStore?: boolean } = {}): Promise<void> {
    if (this.#isClosed) return;
    this.#now();
    this.#isClosed = true;
    this.#forget(this);
    await this.#engine.remove(this.infoHash, { removeContent: destroyStore });
    this.emit('close');
  }

  /** @internal */
  handleEvent(event: BittorrentEvent): void {
    if (event.type === 'bittorrent.torrent.checked') this.#handleChecked();
    else if (event.type === 'bittorrent.torrent.finished') this.emit('done');
    else if (event.type === 'bittorrent.peer.connected') this.emit('wire', event.endpoint);
    else if (event.type === 'bittorrent.torrent.failed') this.#handleFailure(event.code, event.message);
  }

  /** Says what came and went since the last time. @internal */
  handleTick(): void {
    const { downloadedBytes, uploadedBytes } = this.#now();
    const [down, up] = [
      downloadedBytes - this.#reported.downloadedBytes,
      uploadedBytes - this.#reported.uploadedBytes,
    ];
    this.#reported = { downloadedBytes, uploadedBytes };
    if (down > 0) this.emit('download', down);
    if (up > 0) this.emit('upload', up);
  }

  /** Comes after every check; only the first makes it ready. */
  #handleChecked(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.emit('ready');
  }

  /** Without a listener an error event would end the user's process; `trouble` says it in any case. */
  #handleFailure(code: string, message: string): void {
    if (this.listenerCount('error') === 0) return;
    this.emit('error', Object.assign(new Error(message), { code }));
  }

  #when(event: 'ready' | 'done', isSo: () => boolean): Promise<this> {
    return new Promise((resolve, reject) => {
      if (isSo()) return resolve(this);
      const settle = (finish: () => void) => (): void => {
        this.off(event, onEvent);
        this.off('close', onClose);
        finish();
      };
      const onEvent = settle(() => resolve(this));
      const onClose = settle(() => reject(new Error(`${this.name || this.infoHash} was removed.`)));
      this.on(event, onEvent);
      this.on('close', onClose);
    });
  }

  #content(): ShownTorrent | null {
    const file = this.#shown === null ? this.torrentFile : null;
    if (file !== null) this.#shown = this.#engine.show({ torrent: file });
    return this.#shown;
  }

  #now(): TorrentRow {
    if (!this.#isClosed) this.#row = this.#engine.row(this.#row.id) ?? this.#row;
    return this.#row;
  }
}
