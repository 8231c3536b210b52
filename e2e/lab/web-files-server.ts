/** Serves a folder with ranges and kept connections, as any web server does. Run as: FOLDER ADDRESS. */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { argv, stdout } from 'node:process';

const [, , folder = '.', address = '127.0.0.1'] = argv;
const clients = new Set<string>();
let connections = 0;
let requests = 0;

const say = (value: object): void => void stdout.write(`${JSON.stringify(value)}\n`);

const server = createServer((request, response) => {
  requests++;
  clients.add(request.socket.remoteAddress ?? '');
  say({ connections, requests, clients: [...clients] });
  const path = join(folder, normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname)));
  const bytes = statSync(path, { throwIfNoEntry: false })?.size;
  if (bytes === undefined) {
    response.writeHead(404).end();
    return;
  }
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const end = Math.min(to === undefined || to === '' ? bytes - 1 : Number(to), bytes - 1);
  response.writeHead(from === undefined ? 200 : 206, {
    'content-length': Math.max(0, end - start + 1),
    ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${bytes}` }),
  });
  if (bytes === 0) response.end();
  else createReadStream(path, { start, end }).pipe(response);
});
server.on('connection', () => connections++);
server.listen(0, address, () => say({ port: (server.address() as AddressInfo).port }));
