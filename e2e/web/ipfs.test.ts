/**
 * IPFS in the page, as people go through it: files in, their address handed on and read by kubo and through the
 * gateway, somebody else's content in, pins, blocks, peers, removal; by mouse in English, by touch in Spanish.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { Prng } from '@tequio/kernel';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { freePort } from '../lab/free-port.ts';
import { ipfsConfig } from '../lab/ipfs-config.ts';
import { Kubo, whyNoKubo } from '../lab/kubo.ts';
import { until } from '../lab/until.ts';
import {
  cookieOf,
  desktop,
  launchChromium,
  openPage,
  phone,
  skipGuide,
  skipWithoutChromium,
} from './browser.ts';

type Words = Readonly<Record<keyof typeof english, string>>;
const english = {
  empty: 'No files yet',
  add: 'Add files',
  newFolder: 'New folder',
  name: 'Name',
  make: 'Make',
  move: 'Move',
  into: 'Into the folder',
  all: 'All files',
  share: 'Share',
  gateway: 'In any browser, from your gateway',
  import: 'Add from IPFS',
  address: 'CID, ipfs:// link or gateway address',
  look: 'Look inside',
  go: 'Add',
  pin: 'Pin',
  unpin: 'Unpin',
  pinned: 'Pinned',
  pins: 'Pins',
  explore: 'Explore',
  says: 'What it says',
  bytes: 'Bytes',
  peers: 'Peers',
  peerAddress: 'Address of a peer (/ip4/…/p2p/…), or its id',
  connect: 'Connect',
  sharing: 'Sharing',
  asTorrent: 'As a torrent',
  files: 'Files',
  offer: 'Offer on IPFS',
  remove: 'Remove',
  close: 'Close',
};
const spanish: Words = {
  empty: 'Todavía no hay archivos',
  add: 'Añadir archivos',
  newFolder: 'Carpeta nueva',
  name: 'Nombre',
  make: 'Crear',
  move: 'Mover',
  into: 'A la carpeta',
  all: 'Todos los archivos',
  share: 'Compartir',
  gateway: 'En cualquier navegador, desde tu pasarela',
  import: 'Añadir desde IPFS',
  address: 'CID, enlace ipfs:// o dirección de una pasarela',
  look: 'Mirar dentro',
  go: 'Añadir',
  pin: 'Fijar',
  unpin: 'Dejar de fijar',
  pinned: 'Fijado',
  pins: 'Fijados',
  explore: 'Explorar',
  says: 'Lo que dice',
  bytes: 'Bytes',
  peers: 'Pares',
  peerAddress: 'Dirección de un par (/ip4/…/p2p/…), o su id',
  connect: 'Conectar',
  sharing: 'Compartir',
  asTorrent: 'Como torrent',
  files: 'Archivos',
  offer: 'Ofrecer en IPFS',
  remove: 'Quitar',
  close: 'Cerrar',
};

const looks: readonly (readonly [string, string, BrowserContextOptions, Words])[] = [
  ['a desktop, in English, light', 'light', { ...desktop, locale: 'en-US' }, english],
  ['a phone, in Spanish, dark', 'dark', { ...phone, locale: 'es-MX' }, spanish],
];

/** A name that would run, and reads backwards, if it were not text. */
const evilName = '<img src=x onerror=alert(1)>\u202etxt.exe';

describe('IPFS in the page', { skip: skipWithoutChromium, timeout: 240_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-ipfs-page-'));
  const data = join(work, 'node');
  const daemon = new LabDaemon(data);
  const kubo = whyNoKubo() === null ? new Kubo(work) : null;
  const film = Buffer.from(new Prng(5).bytes(3_000_000));
  let browser: Browser;
  let known: BrowserContextOptions = {};
  let base = '';

  before(async () => {
    mkdirSync(data);
    writeFileSync(join(data, 'config.toml'), ipfsConfig({ gateway: `127.0.0.1:${await freePort()}` }));
    [browser] = await Promise.all([launchChromium(), daemon.start(), kubo?.startDaemon()]);
    const enter = (JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string }).url;
    base = enter.replace(/#.*/, '');
    const page = await openPage(browser, [], desktop);
    await page.goto(enter);
    await page.locator('h1').waitFor();
    known = await cookieOf(page);
    await page.context().close();
  });
  after(async () => {
    await browser?.close();
    await daemon.stop();
    await kubo?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  for (const [name, theme, options, words] of looks) {
    it(`goes the whole way on ${name}`, { timeout: 110_000 }, async () => {
      const faults: string[] = [];
      const page = await openPage(browser, faults, { ...options, ...known });
      await skipGuide(page);
      await page.addInitScript((chosen) => localStorage.setItem('tequio.theme', chosen), theme);
      await leaveNothing(daemon);
      const way = new Way(page, base, daemon, words, options.hasTouch === true);
      await way.addFiles(film);
      await way.handOn(film);
      if (kubo !== null) await way.meetKubo(kubo, film);
      await way.pinAndExplore();
      await way.asTorrent(film);
      await way.remove();
      assert.deepEqual(way.found, []);
      assert.deepEqual(faults, []);
      await page.context().close();
    });
  }
});

class Way {
  /** What axe has found on the way. */
  readonly found: string[] = [];
  readonly #page: Page;
  readonly #base: string;
  readonly #daemon: LabDaemon;
  readonly #words: Words;
  readonly #isTouch: boolean;

  constructor(page: Page, base: string, daemon: LabDaemon, words: Words, isTouch: boolean) {
    this.#page = page;
    this.#base = base;
    this.#daemon = daemon;
    this.#words = words;
    this.#isTouch = isTouch;
  }

  /** A folder is made, and one of two files is moved into it. */
  async addFiles(film: Buffer): Promise<void> {
    const { empty, newFolder, name, make, move, into } = this.#words;
    const page = this.#page;
    await page.goto(`${this.#base}#/ipfs`);
    await page.getByRole('heading', { name: empty }).waitFor();
    await this.#axe('empty');
    await page.locator('input[type=file][multiple]').setInputFiles([
      { name: 'Film.mkv', mimeType: 'video/x-matroska', buffer: film },
      { name: evilName, mimeType: 'text/plain', buffer: Buffer.from('hola\n') },
    ]);
    await this.#file('Film.mkv').waitFor();
    await this.#file(evilName).waitFor();
    await this.#press(page.getByRole('button', { name: newFolder }));
    await page.getByRole('dialog').getByLabel(name).fill('Cine');
    await this.#axe('new folder');
    await this.#press(page.getByRole('dialog').getByRole('button', { name: make }));
    await this.#file('Cine').waitFor();
    await this.#choose('Film.mkv');
    await this.#press(page.getByRole('toolbar').getByRole('button', { name: move, exact: true }));
    await page.getByRole('dialog').getByLabel(into).fill('/Cine');
    await this.#press(page.getByRole('dialog').getByRole('button', { name: move, exact: true }));
    await this.#file('Film.mkv').waitFor({ state: 'detached' });
    await this.#axe('files');
    await this.#press(this.#file('Cine'));
    await this.#file('Film.mkv').waitFor();
  }

  /** The link that the page gives leads to exactly this file; what the page opens itself lies elsewhere. */
  async handOn(film: Buffer): Promise<void> {
    const { share, gateway, close } = this.#words;
    const page = this.#page;
    await this.#press(page.getByRole('button', { name: `${share}: Film.mkv` }));
    const link = await page.getByRole('dialog').getByLabel(gateway, { exact: true }).inputValue();
    await this.#axe('share');
    const shown = await fetch(link);
    assert.ok(Buffer.from(await shown.arrayBuffer()).equals(film), link);
    await this.#press(page.getByRole('dialog').getByRole('button', { name: close }));
    const [own, content] = [new URL(this.#base).origin, await this.#file('Film.mkv').getAttribute('href')];
    const headers = { authorization: `Bearer ${this.#daemon.token}` };
    const opened = await fetch(new URL(content!, this.#base), { headers });
    assert.notEqual(new URL(opened.url).origin, own);
    assert.ok(Buffer.from(await opened.arrayBuffer()).equals(film));
  }

  /** Kubo reads what is here; what kubo has comes here, and is pinned. */
  async meetKubo(kubo: Kubo, film: Buffer): Promise<void> {
    const { peers, peerAddress, connect, import: add, address, look, go, pinned } = this.#words;
    const page = this.#page;
    await this.#open('peers');
    const at = kubo.addresses().find((known) => known.startsWith('/ip4/127.0.0.1/tcp/'))!;
    await page.getByLabel(peerAddress).fill(at);
    await this.#press(page.getByRole('button', { name: connect, exact: true }));
    await page.getByRole('cell', { name: /^kubo\// }).waitFor();
    await this.#axe(peers);
    const { cid } = await this.#daemon.ask<{ cid: string }>('GET', 'ipfs/entry?path=/Cine/Film.mkv');
    assert.ok(kubo.run('cat', cid).stdout.equals(film));
    const theirs = kubo.sayOf(Buffer.from('son jarocho\n'), 'add', '-Q', '--cid-version=1');
    await page.goto(`${this.#base}#/ipfs`);
    await this.#press(page.getByRole('button', { name: add }));
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(address).fill(`https://dweb.link/ipfs/${theirs}`);
    await this.#press(dialog.getByRole('button', { name: look }));
    await dialog.getByLabel(this.#words.name).fill('son.txt');
    await this.#axe('import');
    await this.#press(dialog.getByRole('button', { name: go, exact: true }));
    await page.getByRole('row').filter({ hasText: 'son.txt' }).getByText(pinned, { exact: true }).waitFor();
  }

  async pinAndExplore(): Promise<void> {
    const { pin, pinned, explore, says, bytes, unpin, sharing } = this.#words;
    const page = this.#page;
    await page.goto(`${this.#base}#/ipfs/files/%2FCine`);
    await this.#choose('Film.mkv');
    await this.#press(page.getByRole('toolbar').getByRole('button', { name: pin, exact: true }));
    await page.getByRole('row').filter({ hasText: 'Film.mkv' }).getByText(pinned, { exact: true }).waitFor();
    await this.#open('pins');
    const line = page.getByRole('row').filter({ hasText: 'Film.mkv' });
    await line.waitFor();
    await this.#axe('pins');
    await this.#press(line.getByRole('link'));
    await page.getByRole('region', { name: says }).getByText('"Links"').waitFor();
    await this.#axe(explore);
    await this.#press(page.getByRole('cell').getByRole('link').first());
    await page
      .getByRole('region', { name: says })
      .getByText(/^000000 {2}/)
      .waitFor();
    assert.equal(
      await page.getByRole('button', { name: bytes }).count(),
      0,
      'plain bytes have no other form',
    );
    await this.#press(page.locator('.crumbs a').first());
    await page.getByRole('region', { name: says }).getByText('"Links"').waitFor();
    await this.#open('pins');
    await this.#press(page.getByRole('button', { name: `${unpin}: Film.mkv` }));
    await line.waitFor({ state: 'detached' });
    await this.#open('sharing');
    await page.locator('main fieldset input').first().waitFor();
    await this.#axe(sharing);
  }

  /** The same content in the other network, and back. */
  async asTorrent(film: Buffer): Promise<void> {
    const { asTorrent, files, offer, gateway, close } = this.#words;
    const page = this.#page;
    await page.goto(`${this.#base}#/ipfs/files/%2FCine`);
    await this.#choose('Film.mkv');
    await this.#press(page.getByRole('toolbar').getByRole('button', { name: asTorrent }));
    await page.getByRole('heading', { name: 'Film.mkv', level: 1 }).waitFor();
    await this.#press(page.getByRole('main').getByRole('link', { name: files, exact: true }));
    await this.#press(page.getByRole('button', { name: offer }));
    const link = await page.getByRole('dialog').getByLabel(gateway, { exact: true }).inputValue();
    const shown = await fetch(link);
    assert.ok(Buffer.from(await shown.arrayBuffer()).equals(film), link);
    await this.#press(page.getByRole('dialog').getByRole('button', { name: close }));
  }

  /** By its address, as a link leads there: its name is not beyond the edge. */
  async #comesToLastTab(): Promise<void> {
    const page = this.#page;
    await page.goto(`${this.#base}#/ipfs/sharing`);
    const tab = page.getByRole('main').getByRole('link', { name: this.#words.sharing, exact: true });
    const isInSight = async (): Promise<boolean> => {
      const box = await tab.boundingBox();
      return box !== null && box.x >= 0 && box.x + box.width <= page.viewportSize()!.width;
    };
    await until('the open tab is in sight', 30_000, isInSight);
  }

  async remove(): Promise<void> {
    const { remove, empty } = this.#words;
    const page = this.#page;
    await this.#comesToLastTab();
    await page.goto(`${this.#base}#/ipfs`);
    await this.#file('Cine').waitFor();
    await page.getByRole('row').first().getByRole('checkbox').check();
    await this.#press(page.getByRole('toolbar').getByRole('button', { name: remove, exact: true }));
    await this.#press(page.getByRole('dialog').getByRole('button', { name: remove, exact: true }));
    await page.getByRole('heading', { name: empty }).waitFor();
    const { entries } = await this.#daemon.ask<{ entries: unknown[] }>('GET', 'ipfs/files?path=/');
    assert.deepEqual(entries, []);
  }

  #file(name: string): Locator {
    return this.#page.getByRole('link', { name, exact: true });
  }

  async #choose(name: string): Promise<void> {
    await this.#page.getByRole('checkbox', { name, exact: true }).check();
  }

  async #open(part: 'pins' | 'peers' | 'sharing'): Promise<void> {
    await this.#press(
      this.#page.getByRole('main').getByRole('link', { name: this.#words[part], exact: true }),
    );
  }

  #press(target: Locator): Promise<void> {
    return this.#isTouch ? target.tap() : target.click();
  }

  async #axe(what: string): Promise<void> {
    const { violations } = await new AxeBuilder({ page: this.#page }).setLegacyMode(true).analyze();
    for (const { id, nodes } of violations)
      this.found.push(`${what}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }
}

/** What one way has left is not in the way of the other. */
async function leaveNothing(daemon: LabDaemon): Promise<void> {
  const ids = (await daemon.torrents()).map(({ id }) => id);
  if (ids.length > 0) await daemon.ask('POST', 'torrents/remove', { ids, removeContent: true });
  type Named = { readonly name: string; readonly cid: string };
  const { entries } = await daemon.ask<{ entries: readonly Named[] }>('GET', 'ipfs/files?path=/');
  const paths = entries.map(({ name }) => `/${name}`);
  if (paths.length > 0) await daemon.ask('POST', 'ipfs/files/remove', { paths });
  const { pins } = await daemon.ask<{ pins: readonly Named[] }>('GET', 'ipfs/pins');
  for (const { cid } of pins) await daemon.ask('POST', 'ipfs/pins/remove', { cid });
}
