/**
 * Shares a file or folder, from where it lies, until it is interrupted.
 *
 *   node share.ts PATH STATE-FOLDER [TRACKER...]
 */
import { once } from 'node:events';
import { argv, stdout } from 'node:process';
import { Tequio } from '@tequio/tequio';

const [path, dataFolder, ...announce] = argv.slice(2);
if (path === undefined || dataFolder === undefined)
  throw new Error('share.ts PATH STATE-FOLDER [TRACKER...]');

const client = new Tequio({ dataFolder, torrentPort: 0, dht: false, lsd: false, portMapping: false });
const torrent = await client.seed(path, { announce });
stdout.write(`${torrent.magnetURI}\n`);
stdout.write(`port ${client.torrentPort}\n`);
torrent.on('upload', () => stdout.write(`${torrent.uploaded} bytes to ${torrent.numPeers} peers\n`));
await once(process, 'SIGINT');
await client.destroy();
