/**
 * Downloads a torrent and says how far it is.
 *
 *   node download.ts SOURCE FOLDER [HOST:PORT...]
 */
import { argv, stdout } from 'node:process';
import { Tequio } from '@tequio/tequio';

const [source, path, ...peers] = argv.slice(2);
if (source === undefined || path === undefined) throw new Error('download.ts SOURCE FOLDER [HOST:PORT...]');

const client = new Tequio({
  dataFolder: `${path}/.state`,
  torrentPort: 0,
  dht: false,
  lsd: false,
  portMapping: false,
});
const torrent = await client.add(source, { path, peers });
torrent.on('download', () => {
  stdout.write(`${Math.floor(torrent.progress * 100)} %, ${torrent.numPeers} peers\n`);
});
await torrent.whenDone();
for (const file of torrent.files) stdout.write(`${file.path}: ${file.length} bytes\n`);
await client.destroy();
