/**
 * A program: the page, before a node with a hundred thousand torrents in the real book, over an engine that does
 * nothing. Some of them move all the time. Prints the address that lets in, and ends when its standard input does.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, stdin, stdout } from 'node:process';
import { FakeEngine } from '../../testing/fake-engine.ts';
import { TorrentsBench } from '../../torrents/torrents.fixture.ts';
import { startFront } from '../http-front.fixture.ts';
import { idOf } from './fake-management.ts';

const movingCount = 300;
const [, , pageFolder = '', countText = '100000'] = argv;
const torrentCount = Number(countText);

const engine = new FakeEngine();
for (let index = 0; index < torrentCount; index++)
  engine.put(idOf(index), {
    name: `Archivo sonoro ${index}: sones, jarabes y fandangos de la costa`,
    state: index % 3 === 0 ? 'downloading' : 'seeding',
    doneBytes: index % 3 === 0 ? index % 1000 : 1000,
    totalBytes: 1_000_000 * (index % 977),
    addedAtMs: index,
  });
const bench = new TorrentsBench({}, { engine });
bench.caretaker.tick();

const pageFiles: Record<string, string> = {};
for (const path of globSync('**/*.{html,js,css,svg,webmanifest}', { cwd: pageFolder }))
  pageFiles[path] = readFileSync(join(pageFolder, path), 'utf8');

const ends: (() => unknown)[] = [];
const { url } = await startFront(
  { after: (end?: unknown) => void ends.push(end as () => unknown) },
  {
    pageFiles,
    prepare: (node) => {
      node.torrents = bench.service;
      node.answers.set('settings.origins', { 'folders.download': 'file' });
      node.answers.set('history.speeds', { stepMs: 1000, endMs: Date.now(), down: [], up: [] });
    },
  },
);
let round = 0;
const moving = setInterval(() => {
  round++;
  // The newest and the oldest: both ends of the list, as it is shown first.
  for (let index = 0; index < movingCount; index++) {
    const at = index % 2 === 0 ? index : torrentCount - 1 - index;
    engine.put(idOf(at), { downRate: 1000 * ((round + index) % 50) });
  }
}, 500);
stdout.write(`${url}\n`);
stdin.on('end', async () => {
  clearInterval(moving);
  for (const end of ends) await end();
});
stdin.resume();
