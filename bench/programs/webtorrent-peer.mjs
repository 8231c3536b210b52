// WebTorrent behind JSON lines, as e2e/lab/json-lines.ts speaks them. `download` answers when it is complete; `open`
// plays from the beginning, and `seek` reads the file from a piece on, as its own server does for a player.
import { once } from 'node:events';
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

let torrent;
let playing;

function add({ torrentFile, folder, seeder }, strategy) {
  return new Promise((resolve, reject) => {
    client.on('error', reject);
    client.add(torrentFile, { path: folder, uploads: false, strategy }, (added) => {
      torrent = added;
      torrent.addPeer(seeder);
      resolve();
    });
  });
}

const operations = {
  download: async (request) => {
    await add(request, 'rarest');
    await once(torrent, 'done');
    return {};
  },
  open: async (request) => {
    await add(request, 'sequential');
    playing = torrent.files[0].createReadStream();
    playing.resume();
    return {};
  },
  seek: async ({ piece, pieceBytes }) => {
    playing.destroy();
    const startMs = performance.now();
    playing = torrent.files[0].createReadStream({ start: piece * pieceBytes });
    await once(playing, 'data');
    playing.resume();
    return { seconds: (performance.now() - startMs) / 1000 };
  },
  status: async () => ({ havePieceCount: torrent.pieces.filter((piece) => piece === null).length }),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, op, ...request } = JSON.parse(line);
  const answer = (more) => process.stdout.write(`${JSON.stringify({ id, ...more })}\n`);
  operations[op](request).then(
    (more) => answer({ ok: true, ...more }),
    (error) => answer({ ok: false, error: String(error) }),
  );
});
