// WebTorrent behind JSON lines, as e2e/lab/json-lines.ts speaks them: answers when the download is complete.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const { default: WebTorrent } = await import(pathToFileURL(process.argv[2]).href);
const client = new WebTorrent({
  dht: false,
  lsd: false,
  utp: false,
  utPex: false,
  natUpnp: false,
  natPmp: false,
  tracker: false,
  secure: 0,
  maxConns: 200,
});

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, torrentFile, folder, seeder } = JSON.parse(line);
  const answer = (more) => process.stdout.write(`${JSON.stringify({ id, ...more })}\n`);
  client.on('error', (error) => answer({ ok: false, error: String(error) }));
  client.add(torrentFile, { path: folder, uploads: false, strategy: 'rarest' }, (torrent) => {
    torrent.on('done', () => answer({ ok: true }));
    torrent.addPeer(seeder);
  });
});
