import { mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Host } from './lab.ts';
import { type DownloadFrom, isMagnet, type LabPeer } from './peer.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

const port = 6881;

export class RtorrentPeer implements LabPeer {
  readonly name = 'rTorrent';
  readonly host: Host;
  readonly emptyFilesMade = true;
  readonly endpoint: string;
  readonly #socket: string;
  readonly #running: Running;

  private constructor(host: Host) {
    this.host = host;
    this.endpoint = `${host.address}:${port}`;
    this.#socket = join(host.folder, 'rpc');
    const session = join(host.folder, 'session');
    mkdirSync(session);
    const settings = [
      'system.daemon.set=true',
      `network.scgi.open_local=${this.#socket}`,
      `session.path.set=${session}`,
      `network.port_range.set=${port}-${port}`,
      'network.port_random.set=no',
      'protocol.pex.set=no',
      'dht.mode.set=off',
      'trackers.use_udp.set=yes',
      // Otherwise files must be seen unchanged for a while before they are hashed at start.
      'pieces.hash.on_completion.set=yes',
    ];
    this.#running = host.run('rtorrent', ['-n', ...settings.flatMap((setting) => ['-o', setting])]);
  }

  /** @param encryption as its `protocol.encryption.set` takes it */
  static async start(host: Host, encryption: readonly string[] = ['none']): Promise<RtorrentPeer> {
    const peer = new RtorrentPeer(host);
    await until('rTorrent answers', 10_000, () => {
      peer.#running.assertRunning();
      return peer.#call('system.pid').then(() => true);
    });
    // Not on the command line, which takes a comma for the end of a setting.
    await peer.#call('protocol.encryption.set', '', ...encryption);
    return peer;
  }

  async seed(torrentFile: string, folder: string, trackers: readonly string[] = []): Promise<void> {
    await this.#add(torrentFile, folder, trackers);
    await this.waitComplete(20_000);
  }

  async download(source: string, folder: string, from: DownloadFrom): Promise<void> {
    await this.#add(source, folder, from.trackers ?? []);
    const peers = from.peers ?? [];
    for (const peer of peers) await this.#call('add_peer', await this.#hash(), peer);
    if (!isMagnet(source)) return;
    // With a magnet's metadata the download is made anew, without the peers it had.
    await until('rTorrent has the metadata', 20_000, async () => {
      const [[meta] = []] = (await this.#call('d.multicall2', '', 'main', 'd.is_meta=')) as unknown[][];
      return meta === 0;
    });
    for (const peer of peers) await this.#call('add_peer', await this.#hash(), peer);
  }

  async progress(): Promise<number> {
    const [done, size] = await this.#fields('d.bytes_done=', 'd.size_bytes=');
    return Number(done) / Number(size);
  }

  async waitComplete(timeoutMs: number, everyMs?: number): Promise<void> {
    let last: unknown;
    const isComplete = async (): Promise<boolean> => {
      last = await this.#fields('d.is_meta=', 'd.complete=', 'd.hashing=', 'd.message=', 'd.is_active=');
      const [meta, complete, hashing, , active] = last as unknown[];
      return meta === 0 && complete === 1 && hashing === 0 && active === 1;
    };
    await until('rTorrent completes', timeoutMs, isComplete, everyMs).catch((error) => {
      throw new Error(`${error.message} ${JSON.stringify(last)} ${this.#running.describe()}`);
    });
  }

  /** Its info-hash, upper-case hex. */
  async infoHash(): Promise<string> {
    return this.#hash();
  }

  async stop(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }

  async #add(source: string, folder: string, trackers: readonly string[]): Promise<void> {
    mkdirSync(folder, { recursive: true });
    const commands = [`d.directory.set="${folder}"`];
    if (isMagnet(source)) {
      const trackerParts = trackers.map((url) => `&tr=${encodeURIComponent(url)}`).join('');
      await this.#call('load.start', '', source + trackerParts, ...commands);
    } else {
      for (const url of trackers) commands.push(`d.tracker.insert="0","${url}"`);
      await this.#call('load.raw_start', '', readFileSync(source), ...commands);
    }
    await until('rTorrent has the torrent', 10_000, async () => (await this.#hash()) !== '');
  }

  async #hash(): Promise<string> {
    return String((await this.#fields('d.hash='))[0]);
  }

  async #fields(...names: string[]): Promise<unknown[]> {
    const rows = (await this.#call('d.multicall2', '', 'main', ...names)) as unknown[][];
    if (rows[0] === undefined) throw new Error('rTorrent has no torrent');
    return rows[0];
  }

  /** XML-RPC over SCGI: what rTorrent speaks on its socket. */
  async #call(method: string, ...parameters: (string | Uint8Array)[]): Promise<unknown> {
    const body = Buffer.from(encodeCall(method, parameters));
    const head = `CONTENT_LENGTH\0${body.length}\0SCGI\x001\0`;
    const socket = connect(this.#socket);
    socket.setTimeout(5000, () => socket.destroy(new Error('rTorrent does not answer')));
    socket.end(Buffer.concat([Buffer.from(`${head.length}:${head},`), body]));
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    if (text.includes('<fault>'))
      throw new Error(`rTorrent: ${method}: ${text.slice(text.indexOf('<fault>'))}`);
    return decodeValue(new XmlReader(text.slice(text.indexOf('<param>'))));
  }
}

function encodeCall(method: string, parameters: readonly (string | Uint8Array)[]): string {
  const values = parameters.map((value) =>
    typeof value === 'string'
      ? `<string>${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</string>`
      : `<base64>${Buffer.from(value).toString('base64')}</base64>`,
  );
  const params = values.map((value) => `<param><value>${value}</value></param>`).join('');
  return `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`;
}

/** Tags and texts in turn, of XML without attributes that matter. */
class XmlReader {
  readonly #tokens: RegExpMatchArray[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = [...text.matchAll(/<(\/?\w+)[^>]*?(\/?)>|([^<]+)/g)];
  }

  /** The next tag among `names`, passing over everything else; null at the end. */
  nextTag(...names: string[]): string | null {
    while (this.#at < this.#tokens.length) {
      const [, tag, closed] = this.#tokens[this.#at++]!;
      if (tag !== undefined && names.includes(tag)) return closed === '' ? tag : `${tag}/`;
    }
    return null;
  }

  text(): string {
    const text = this.#tokens[this.#at]?.[3] ?? '';
    return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  }
}

function decodeValue(reader: XmlReader): unknown {
  const tag = reader.nextTag('string', 'i4', 'i8', 'int', 'array');
  if (tag === null) throw new Error('rTorrent: an answer without a value');
  if (tag === 'string') return reader.text();
  if (tag === 'string/') return '';
  if (tag !== 'array') return Number(reader.text());
  const values: unknown[] = [];
  reader.nextTag('data');
  while (reader.nextTag('value', '/array') === 'value') values.push(decodeValue(reader));
  return values;
}
