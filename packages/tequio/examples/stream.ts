/**
 * Writes the largest file of a torrent to standard output while it is being downloaded.
 *
 *   node stream.ts SOURCE FOLDER [HOST:PORT...] | player
 */
import { argv, stdout } from 'node:process';
import { pipeline } from 'node:stream/promises';
import { Tequio } from '@tequio/tequio';

const [source, path, ...peers] = argv.slice(2);
if (source === undefined || path === undefined) throw new Error('stream.ts SOURCE FOLDER [HOST:PORT...]');

const client = new Tequio({
  dataFolder: `${path}/.state`,
  torrentPort: 0,
  dht: false,
  lsd: false,
  portMapping: false,
});
const torrent = await client.add(source, { path, peers });
await torrent.whenReady();
const [largest] = [...torrent.files].sort((a, b) => b.length - a.length);
if (largest === undefined) throw new Error('There is no file in it.');
await pipeline(largest.createReadStream(), stdout, { end: false });
await client.destroy();
