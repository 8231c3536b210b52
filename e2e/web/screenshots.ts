/**
 * `npm run screenshots [-- FOLDER]`: pictures of every screen, empty and full, in both themes and languages, for the
 * desktop and the phone, of a real node that downloads from another one. By default into `tmp/screenshots`; `--readme`
 * writes the two that the README shows.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { argv, stdout } from 'node:process';
import { Prng } from '@tequio/kernel';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';

type Look = BrowserContextOptions & { readonly name: string; readonly theme: string };

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const looks: readonly Look[] = [
  { name: 'desktop-light-en', theme: 'light', locale: 'en-US', ...desktop },
  { name: 'desktop-dark-es', theme: 'dark', locale: 'es-MX', ...desktop },
  { name: 'phone-light-es', theme: 'light', locale: 'es-MX', ...phone },
  { name: 'phone-dark-en', theme: 'dark', locale: 'en-US', ...phone },
  { name: 'desktop-contrast-en', theme: 'contrast', locale: 'en-US', ...desktop },
];
const content: readonly (readonly [name: string, megabytes: number, isHere: boolean])[] = [
  ['Sones y jarabes de la Sierra Norte.flac', 31, false],
  ['Debian 13.2 netinst amd64.iso', 44, false],
  ['Recetario de mole, siete maneras.pdf', 6, true],
  ['Map tiles of Mesoamerica, 2026.tar', 58, false],
  ['Open lectures on graph theory.mkv', 72, true],
  ['Archivo fotográfico de Mitla 1901–1960.zip', 25, false],
];
const folderFiles = [
  ['Léeme.txt', 4000],
  ['Istmo/01 La Sandunga.flac', 1_500_000],
  ['Istmo/02 La Llorona.flac', 1_700_000],
  ['Istmo/fotos/portada.jpg', 296_000],
  ['Sierra Norte/01 Sones y jarabes.flac', 1_400_000],
  ['Sierra Norte/notas.pdf', 100_000],
] as const;
const settleMs = 900;
const screens = ['home', 'torrents', 'map', 'settings', 'log'];
for (const part of ['files', 'pins', 'explore', 'peers', 'sharing']) screens.push(`ipfs/${part}`);
const madeUpPlaces = [
  ['MX', 21],
  ['BR', 12],
  ['DE', 11],
  ['US', 9],
  ['IN', 8],
  ['FR', 6],
  ['JP', 4],
  ['ZA', 3],
  ['AU', 2],
  [null, 3],
].map(([country, peerCount]) => ({ country, peerCount, downRate: 41_000 * Number(peerCount), upRate: 9000 }));

/** Two nodes: one has everything, the other downloads from it, slowly. */
class Nodes {
  readonly #work = mkdtempSync(join(tmpdir(), 'tequio-screenshots-'));
  readonly #seed = new LabDaemon(join(this.#work, 'seed'));
  readonly shown = new LabDaemon(join(this.#work, 'shown'));

  async start(): Promise<string> {
    await Promise.all([this.#seed.start(), this.shown.start()]);
    return (JSON.parse(this.shown.running.stdout.split('\n')[0]!) as { url: string }).url;
  }

  async fill(): Promise<void> {
    const prng = new Prng(11);
    const here = join(this.#work, 'here');
    const there = join(this.#work, 'there');
    for (const folder of [here, there]) mkdirSync(folder);
    await this.#fillTree();
    await this.shown.ask('PUT', 'categories', category('Música'));
    await this.shown.ask('PUT', 'categories', category('Software'));
    for (const [index, [name, megabytes, isHere]] of content.entries()) {
      const bytes = new Uint8Array(megabytes * 1_000_000).map(() => prng.nextUint32());
      const source = { torrent: makeTorrentFile(name, bytes, 262_144).toString('base64') };
      writeFileSync(join(isHere ? here : there, name), bytes);
      if (!isHere) await this.#seed.ask('POST', 'torrents', { source, folder: there, seed: true });
      const wish = {
        source,
        folder: here,
        tags: index % 2 === 0 ? ['Oaxaca'] : [],
        limitDown: 150_000 * (index + 1),
      };
      const { id } = await this.shown.ask<{ id: string }>('POST', 'torrents', {
        ...wish,
        ...(index === 0 ? { category: 'Música' } : index === 1 ? { category: 'Software' } : {}),
        seed: isHere,
      });
      if (!isHere)
        await this.shown.ask('POST', 'torrents/peers', {
          ids: [id],
          peers: [`127.0.0.1:${await this.#seed.port()}`],
        });
    }
  }

  /** Two files, one of them pinned, and a folder. */
  async #fillTree(): Promise<void> {
    const { origin, token } = this.shown;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' };
    for (const [path, bytes] of [
      ['/Notas de campo.txt', 4000],
      ['/Fotos/Mitla al amanecer.jpg', 2_400_000],
    ] as const) {
      const url = `${origin}/api/v1/ipfs/files?path=${encodeURIComponent(path)}`;
      await fetch(url, { method: 'PUT', headers, body: Buffer.alloc(bytes, path) });
    }
    await this.shown.ask('POST', 'ipfs/pins', { path: '/Fotos', name: 'Fotos' });
  }

  async stop(): Promise<void> {
    await Promise.all([this.#seed.stop(), this.shown.stop()]);
    rmSync(this.#work, { recursive: true, force: true });
  }
}

function category(name: string): object {
  return { name, folder: null, finishedFolder: null, limits: { down: null, up: null }, shareGoal: null };
}

/** One look at all screens. @param known the cookie of somebody who is in */
async function shoot(
  browser: Browser,
  look: Look,
  known: BrowserContextOptions,
  base: string,
  folder: string,
  state: string,
): Promise<void> {
  const { name, theme, ...options } = look;
  const context = await browser.newContext({ ...options, ...known });
  await context.addInitScript((chosen) => localStorage.setItem('tequio.theme', chosen), theme);
  const page = await context.newPage();
  const picture = async (what: string): Promise<void> => {
    await page.waitForTimeout(settleMs);
    await page.screenshot({ path: join(folder, `${what}-${state}-${name}.png`) });
  };
  if (state === 'full') {
    await context.addInitScript(() => localStorage.setItem('tequio.guided', 'yes'));
    // All peers of a lab are on one machine: for the look of the map, these are made up.
    await page.route('**/api/v1/peer-places', (route) => route.fulfill({ json: madeUpPlaces }));
  }
  await page.goto(base);
  if (state === 'empty') await shootGuide(page, picture);
  for (const screen of screens) {
    await page.goto(`${base}#/${screen}`);
    await picture(screen.replace('/', '-'));
  }
  await page.goto(`${base}#/torrents`);
  await page.keyboard.press('a');
  await picture('add');
  if (state === 'full') {
    const torrent = makeTorrentFile('Fonoteca', new Uint8Array(5_000_000), 262_144, folderFiles);
    await page.locator('dialog input[type=file]').setInputFiles({
      name: 'x.torrent',
      mimeType: 'application/x-bittorrent',
      buffer: torrent,
    });
    await picture('add-inside');
  }
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await picture('commands');
  await page.keyboard.press('Escape');
  if (state === 'full') await shootDetail(page, base, picture);
  await context.close();
}

async function shootGuide(page: Page, picture: (what: string) => Promise<void>): Promise<void> {
  const next = page.locator('dialog button[type=submit]');
  await next.waitFor();
  for (const step of ['guide-1', 'guide-2', 'guide-3']) {
    await picture(step);
    if (step !== 'guide-3') await next.click();
  }
  await page.keyboard.press('Escape');
}

async function shootDetail(
  page: Page,
  base: string,
  picture: (what: string) => Promise<void>,
): Promise<void> {
  // The one that is limited most: it still comes when the last picture is taken.
  const { id } = (await nodes.shown.torrents()).find(({ name }) => name === content[0]![0])!;
  for (const part of ['overview', 'files', 'peers', 'trackers', 'pieces', 'speed', 'log']) {
    await page.goto(`${base}#/torrents/${id}/${part}`);
    await picture(`detail-${part}`);
  }
}

const isReadme = argv.includes('--readme');
const folder = resolve(
  argv.slice(2).find((arg) => !arg.startsWith('--')) ?? (isReadme ? 'docs/images/web' : 'tmp/screenshots'),
);
mkdirSync(folder, { recursive: true });
const nodes = new Nodes();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const enter = await nodes.start();
  const base = enter.replace(/#.*/, '');
  const first = await browser.newContext();
  const page = await first.newPage();
  await page.goto(enter);
  await page.locator('h1').waitFor();
  // The cookie alone: what the page remembers in the browser begins anew with each look.
  const known = { storageState: { ...(await first.storageState()), origins: [] } };
  if (!isReadme) for (const look of looks) await shoot(browser, look, known, base, folder, 'empty');
  await nodes.fill();
  await page.waitForTimeout(8000);
  if (isReadme) {
    for (const [language, file] of [
      ['en-US', 'torrents.png'],
      ['es-MX', 'torrents.es.png'],
    ] as const) {
      const context = await browser.newContext({
        ...known,
        locale: language,
        viewport: { width: 1440, height: 660 },
      });
      const shown = await context.newPage();
      await shown.addInitScript(() => localStorage.setItem('tequio.guided', 'yes'));
      await shown.goto(`${base}#/torrents`);
      await shown.waitForTimeout(3000);
      await shown.screenshot({ path: join(folder, file) });
    }
  } else for (const look of looks) await shoot(browser, look, known, base, folder, 'full');
  stdout.write(`${folder}: written\n`);
} finally {
  await browser.close();
  await nodes.stop();
}
