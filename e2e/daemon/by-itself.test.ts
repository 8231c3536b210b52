/**
 * What the daemon does by itself with what people have told it once: a watch folder, a category with places of its own,
 * a feed with a rule, files that move when they are complete, and a program that is run then.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { until } from '../lab/until.ts';

/** A shell would make a file of this, and take the rest for other commands. */
const hostileName = 'a $(touch hacked) `touch hacked` ; touch hacked';

test('a watch folder and a feed bring torrents; complete files move; a program is told, and no shell', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tequio-itself-'));
  const at = (...parts: string[]): string => join(root, ...parts);
  const [first, second] = [randomBytes(150_000), randomBytes(100_000)];
  const torrent = makeTorrentFile(hostileName, Buffer.concat([first, second]), 16_384, [
    ['one.bin', first.length],
    ['in/two.bin', second.length],
  ]);
  const episode = randomBytes(120_000);
  const episodeTorrent = makeTorrentFile('Show.S01E02.bin', episode, 16_384);
  const web = feedServer(episodeTorrent);
  for (const folder of ['seeds/in', 'seeder', 'leech', 'watch'])
    mkdirSync(folder === 'seeds/in' ? at('seeds', hostileName, 'in') : at(folder), { recursive: true });
  writeFileSync(at('seeds', hostileName, 'one.bin'), first);
  writeFileSync(at('seeds', hostileName, 'in', 'two.bin'), second);
  writeFileSync(at('seeds', 'Show.S01E02.bin'), episode);
  const said = writeConfig(at);
  const seeder = new LabDaemon(at('seeder'));
  const leech = new LabDaemon(at('leech'));
  try {
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    await startSeeder(seeder, at('seeds'), [torrent, episodeTorrent]);
    const peer = `127.0.0.1:${await seeder.port()}`;
    await leech.start();
    await leech.ask('PUT', 'categories', {
      name: 'films',
      folder: at('coming'),
      finishedFolder: at('films'),
      limits: { down: null, up: null },
      shareGoal: null,
    });
    writeFileSync(at('watch', 'film.torrent'), torrent);
    const film = await until('the watch folder was seen', 60_000, async () => (await leech.torrents())[0]);
    assert.deepEqual(
      [film.name, film.category, film.tags.toSorted()],
      [hostileName, 'films', ['new', 'seen']],
    );
    await leech.ask('POST', 'torrents/peers', { ids: [film.id], peers: [peer] });
    await until('the program has been told', 60_000, () => existsSync(said));
    assert.deepEqual(JSON.parse(readFileSync(said, 'utf8').split('\n')[0]!), [
      hostileName,
      at('films'),
      'films',
      film.tags.join(','),
      '250000',
    ]);
    assert.ok(first.equals(readFileSync(at('films', hostileName, 'one.bin'))));
    assert.ok(second.equals(readFileSync(at('films', hostileName, 'in', 'two.bin'))));
    assert.ok(existsSync(at('watch', 'film.torrent.added')));
    for (const folder of ['films', 'coming', 'leech', '.'])
      assert.ok(!existsSync(at(folder, 'hacked')), `a shell has run in ${folder}`);

    await feedBringsTheEpisode(
      leech,
      `http://127.0.0.1:${(web.address() as AddressInfo).port}/rss`,
      at('shows'),
      peer,
    );
    assert.ok(episode.equals(readFileSync(at('shows', 'Show.S01E02.bin'))));
  } finally {
    await leech.stop();
    await seeder.stop();
    web.close();
    rmSync(root, { recursive: true, force: true });
  }
});

/** A feed of two episodes, and the torrent of the first. */
function feedServer(torrent: Uint8Array): Server {
  const web = createServer((request, response) => {
    if (request.url === '/e2.torrent') return void response.end(torrent);
    response.setHeader('content-type', 'application/rss+xml');
    const { port } = web.address() as AddressInfo;
    const item = (title: string, path: string): string =>
      `<item><title>${title}</title><guid>${path}</guid>` +
      `<enclosure url="http://127.0.0.1:${port}${path}" type="application/x-bittorrent" length="1"/></item>`;
    const items = item('Show S01E02', '/e2.torrent') + item('Other S01E02', '/other.torrent');
    response.end(`<rss version="2.0"><channel><title>Shows</title>${items}</channel></rss>`);
  });
  return web;
}

/** The node's config file, and the program that it names. @returns the file in which that writes its arguments */
function writeConfig(at: (...parts: string[]) => string): string {
  const [program, said] = [at('program.cjs'), at('said.jsonl')];
  writeFileSync(
    program,
    `require('node:fs').appendFileSync(${JSON.stringify(said)}, JSON.stringify(process.argv.slice(2)) + '\\n')`,
  );
  const argv = [execPath, program, '{name}', '{folder}', '{category}', '{tags}', '{bytes}'];
  writeFileSync(
    at('leech', 'config.toml'),
    `[completion]
eachFile = true
program = ${JSON.stringify(argv)}
[[watch]]
path = ${JSON.stringify(at('watch'))}
category = "films"
tags = ["seen", "new"]
`,
  );
  return said;
}

async function startSeeder(seeder: LabDaemon, folder: string, torrents: readonly Buffer[]): Promise<void> {
  await seeder.start();
  for (const one of torrents)
    await seeder.ask('POST', 'torrents', { source: { torrent: one.toString('base64') }, folder, seed: true });
}

async function feedBringsTheEpisode(
  node: LabDaemon,
  url: string,
  folder: string,
  peer: string,
): Promise<void> {
  await node.ask('PUT', 'rss/feeds', { url, name: null, enabled: true, refreshMinutes: null });
  const rule = {
    name: 'show',
    enabled: true,
    priority: 0,
    feeds: [url],
    must: 'Show*',
    mustNot: '',
    regex: false,
    episodes: null,
    onceAnEpisode: true,
    bytesMin: null,
    bytesMax: null,
    restDays: 0,
    add: { folder },
  };
  await node.ask('POST', 'rss/refresh', { url });
  const tried = await node.ask<{ item: { title: string }; fits: boolean }[]>('POST', 'rss/rules/test', rule);
  assert.deepEqual(
    tried
      .map(({ item, fits }) => [item.title, fits])
      .toSorted()
      .toReversed(),
    [
      ['Show S01E02', true],
      ['Other S01E02', false],
    ],
  );
  await node.ask('PUT', 'rss/rules', rule);
  await node.ask('POST', 'rss/refresh', { url });
  const found = await until('the rule has added it', 60_000, async () =>
    (await node.torrents()).find(({ name }) => name === 'Show.S01E02.bin'),
  );
  await node.ask('POST', 'torrents/peers', { ids: [found.id], peers: [peer] });
  await until('it is there', 60_000, async () =>
    (await node.torrents()).some(({ id, state }) => id === found.id && state === 'seeding'),
  );
}
