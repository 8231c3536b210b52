/** A new node under a real seeder of other people's, for journeys through the page. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabDaemon } from '../lab/daemon.ts';
import { freePort } from '../lab/free-port.ts';
import { Lab } from '../lab/lab.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { TransmissionPeer } from '../lab/transmission.ts';

export const songPath = 'Istmo/01 Sandunga.wav';
export const notesPath = 'Istmo/notes.txt';
const songSeconds = 12;

export class Stage {
  readonly lab = Lab.open();
  readonly name = 'Fonoteca';
  readonly song = makeSong(songSeconds);
  readonly notes = Buffer.alloc(400_000, 'letra ');
  readonly folder = join(this.lab.folder, 'chosen');
  daemon!: LabDaemon;
  magnet = '';
  id = '';

  /** @returns the address that lets in once */
  async start(): Promise<string> {
    const host = this.lab.addHost('transmission');
    const there = join(host.folder, 'content');
    mkdirSync(join(there, this.name, 'Istmo'), { recursive: true });
    writeFileSync(join(there, this.name, songPath), this.song);
    writeFileSync(join(there, this.name, notesPath), this.notes);
    const content = Buffer.concat([this.song, this.notes]);
    const torrent = makeTorrentFile(this.name, content, 65_536, [
      [songPath, this.song.length],
      [notesPath, this.notes.length],
    ]);
    const torrentPath = join(host.folder, 'fonoteca.torrent');
    writeFileSync(torrentPath, torrent);
    this.id = infoHashOf(torrent);
    const port = await freePort();
    const { address } = this.lab;
    this.daemon = new LabDaemon(join(this.lab.folder, 'node'), [
      '--bind',
      address,
      '--http',
      `127.0.0.1:${port}`,
    ]);
    const [seeder] = await Promise.all([TransmissionPeer.start(host), this.daemon.start()]);
    await seeder.seed(torrentPath, there);
    this.magnet = `magnet:?xt=urn:btih:${this.id}&dn=Fonoteca&x.pe=${seeder.endpoint}`;
    return this.enter();
  }

  /** The address that the node has printed. */
  enter(): string {
    return (JSON.parse(this.daemon.running.stdout.split('\n')[0]!) as { url: string }).url;
  }

  async stop(): Promise<void> {
    await this.daemon?.stop();
    this.lab.close();
  }
}

/** Sound that every browser plays: 8 kHz, 16 bit, one channel, in a RIFF file. */
export function makeSong(seconds: number): Buffer {
  const rate = 8000;
  const samples = Buffer.alloc(2 * rate * seconds);
  for (let at = 0; at < samples.length / 2; at++)
    samples.writeInt16LE(Math.round(6000 * Math.sin((2 * Math.PI * 440 * at) / rate)), 2 * at);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(2 * rate, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

/** Of a torrent that has nothing but `info`. */
function infoHashOf(torrent: Buffer): string {
  return createHash('sha1').update(torrent.subarray('d4:info'.length, -1)).digest('hex');
}
