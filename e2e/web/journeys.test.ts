/**
 * The ways that people go through the page, on a new node with a seeder of other people's: the first steps, a magnet
 * link, which files, watching it come, playing, limits, pauses, settings, language and colours, a restart of the node
 * under the open page.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { until } from '../lab/until.ts';
import { desktop, launchChromium, openPage, phone, skipWithoutChromium } from './browser.ts';
import { notesPath, Stage, songPath } from './stage.ts';

type Words = Readonly<Record<keyof typeof english, string>>;
const english = {
  welcome: 'Welcome',
  folder: 'Folder',
  next: 'Next',
  upload: 'Upload, KiB/s',
  local: 'Look for peers on the local network, and be found there.',
  begin: 'Begin',
  add: 'Add',
  link: 'Magnet link, info-hash or web address',
  look: 'Look inside',
  sharing: 'Sharing',
  files: 'Files',
  play: 'Play',
  close: 'Close',
  overview: 'Overview',
  download: 'Download, KiB/s',
  pause: 'Pause',
  start: 'Start',
  pauseAll: 'Pause all',
  forHour: 'For an hour',
  goOn: 'Go on',
  settings: 'Settings',
  uploadLimit: 'Upload limit (KiB/s)',
  saved: 'Saved.',
  appearance: 'Appearance',
  offline: 'The node does not answer',
  home: 'Home',
};
const spanish: Words = {
  welcome: 'Te damos la bienvenida',
  folder: 'Carpeta',
  next: 'Siguiente',
  upload: 'Subida, KiB/s',
  local: 'Buscar pares en la red local, y dejarse encontrar en ella.',
  begin: 'Empezar',
  add: 'Añadir',
  link: 'Enlace magnet, info-hash o dirección web',
  look: 'Mirar dentro',
  sharing: 'Compartiendo',
  files: 'Archivos',
  play: 'Reproducir',
  close: 'Cerrar',
  overview: 'Resumen',
  download: 'Descarga, KiB/s',
  pause: 'Pausar',
  start: 'Empezar',
  pauseAll: 'Pausar todo',
  forHour: 'Durante una hora',
  goOn: 'Continuar',
  settings: 'Ajustes',
  uploadLimit: 'Límite de subida (KiB/s)',
  saved: 'Guardado.',
  appearance: 'Aspecto',
  offline: 'El nodo no responde',
  home: 'Inicio',
};

type Settings = {
  readonly folders: { readonly download: string };
  readonly bittorrent: { readonly limitUp: number | null; readonly lsd: boolean };
};

const journeys: readonly (readonly [string, BrowserContextOptions, Words])[] = [
  ['a desktop, in English, with the mouse', { ...desktop, locale: 'en-US' }, english],
  ['a phone, in Spanish, by touch', { ...phone, locale: 'es-MX' }, spanish],
];

describe('the page, from the first start on', { skip: skipWithoutChromium, timeout: 280_000 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser?.close());

  for (const [name, options, words] of journeys) {
    it(`works on ${name}`, { timeout: 140_000 }, async () => {
      const stage = new Stage();
      try {
        const faults: string[] = [];
        const enter = await stage.start();
        const page = await openPage(browser, faults, options);
        await page.goto(enter);
        const way = new Journey(page, stage, words, options.hasTouch === true);
        await way.firstSteps();
        await way.addMagnet();
        await way.watchItCome();
        await way.play();
        await way.limit();
        await way.pause();
        await way.changeSettings();
        assert.deepEqual(faults, []);
        await way.restart();
        await page.context().close();
      } finally {
        await stage.stop();
      }
    });
  }
});

class Journey {
  readonly #page: Page;
  readonly #stage: Stage;
  readonly #words: Words;
  readonly #isTouch: boolean;

  constructor(page: Page, stage: Stage, words: Words, isTouch: boolean) {
    this.#page = page;
    this.#stage = stage;
    this.#words = words;
    this.#isTouch = isTouch;
  }

  async firstSteps(): Promise<void> {
    const { welcome, folder, next, upload, local, begin } = this.#words;
    const dialog = this.#page.getByRole('dialog', { name: welcome });
    await dialog.getByLabel(folder).fill(this.#stage.folder);
    await this.#press(dialog.getByRole('button', { name: next }));
    await dialog.getByLabel(upload).fill('500');
    await this.#press(dialog.getByRole('button', { name: next }));
    assert.ok(await dialog.getByLabel(local).isDisabled(), 'what a flag has set cannot be changed');
    await this.#press(dialog.getByRole('button', { name: begin }));
    await dialog.waitFor({ state: 'hidden' });
    const { folders, bittorrent } = await this.#settings();
    assert.deepEqual(folders.download, this.#stage.folder);
    assert.deepEqual(bittorrent.limitUp, 500 * 1024);
  }

  /** What is in it is shown before it starts; one of two files is taken. */
  async addMagnet(): Promise<void> {
    const { add, link, look } = this.#words;
    await this.#press(this.#page.getByRole('banner').getByRole('button', { name: add }));
    const dialog = this.#page.getByRole('dialog');
    await dialog.getByLabel(link).fill(this.#stage.magnet);
    await this.#press(dialog.getByRole('button', { name: look }));
    await dialog.getByRole('heading', { name: 'Fonoteca' }).waitFor();
    await this.#press(dialog.getByRole('checkbox', { name: 'notes.txt' }));
    assert.equal(await dialog.getByRole('checkbox', { name: 'Istmo' }).isChecked(), false);
    await this.#press(dialog.getByRole('button', { name: add, exact: true }));
    await this.#page.getByRole('heading', { name: 'Fonoteca', level: 1 }).waitFor();
  }

  async watchItCome(): Promise<void> {
    await this.#page.getByText(this.#words.sharing, { exact: true }).waitFor();
    const content = join(this.#stage.folder, 'Fonoteca');
    assert.ok(readFileSync(join(content, songPath)).equals(this.#stage.song));
    assert.ok(
      !existsSync(join(content, notesPath)) ||
        !readFileSync(join(content, notesPath)).equals(this.#stage.notes),
      'what was not wanted has not come',
    );
  }

  async play(): Promise<void> {
    const { files, play, close } = this.#words;
    await this.#press(this.#page.getByRole('link', { name: files }));
    await this.#press(this.#page.getByRole('button', { name: `${play}: 01 Sandunga.wav` }));
    const audio = this.#page.locator('audio');
    await until('the song is heard', 30_000, () =>
      audio.evaluate((element) => {
        const player = element as unknown as { readonly duration: number; readonly currentTime: number };
        return player.duration === 12 && player.currentTime > 0.2;
      }),
    );
    await this.#press(this.#page.getByRole('dialog').getByRole('button', { name: close }));
  }

  async limit(): Promise<void> {
    const { overview, download } = this.#words;
    await this.#press(this.#page.getByRole('link', { name: overview }));
    await this.#page.getByLabel(download).fill('100');
    await this.#page.getByLabel(download).blur();
    await until('the limit holds', 30_000, async () => {
      const { limitDown } = await this.#stage.daemon.ask<{ limitDown: number | null }>(
        'GET',
        `torrents/${this.#stage.id}`,
      );
      return limitDown === 100 * 1024;
    });
  }

  async pause(): Promise<void> {
    const { pause, start, pauseAll, forHour, goOn } = this.#words;
    const [main, banner] = [this.#page.getByRole('main'), this.#page.getByRole('banner')];
    await this.#press(main.getByRole('button', { name: pause, exact: true }));
    await this.#press(main.getByRole('button', { name: start, exact: true }));
    await main.getByRole('button', { name: pause, exact: true }).waitFor();
    await this.#press(banner.getByRole('button', { name: pauseAll }));
    await this.#press(this.#page.getByRole('button', { name: forHour }));
    const resume = banner.getByRole('button', { name: goOn });
    await resume.waitFor();
    const { paused } = await this.#stage.daemon.ask<{ paused: { untilMs: number } | null }>('GET', 'status');
    assert.ok(paused !== null && paused.untilMs > Date.now());
    await this.#press(resume);
    await banner.getByRole('button', { name: pauseAll }).waitFor();
  }

  /** Then the other language, and dark. */
  async changeSettings(): Promise<void> {
    const { settings, uploadLimit, saved, appearance } = this.#words;
    const page = this.#page;
    const language = page.locator('#settings-page select').first();
    await this.#press(page.getByRole('link', { name: settings }));
    await page.getByLabel(uploadLimit).fill('250');
    await page.getByLabel(uploadLimit).blur();
    await page.getByText(saved).waitFor();
    assert.equal((await this.#settings()).bittorrent.limitUp, 250 * 1024);
    await page.getByLabel(appearance).selectOption('dark');
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    const isSpanish = settings === spanish.settings;
    await language.selectOption(isSpanish ? 'en' : 'es');
    const other = isSpanish ? english : spanish;
    await page.getByRole('heading', { name: other.settings, level: 1 }).waitFor();
    await language.selectOption(isSpanish ? 'es' : 'en');
    await page.getByRole('heading', { name: settings, level: 1 }).waitFor();
  }

  /** The page says that the node is away, and goes on by itself when it is back; nobody logs in again. */
  async restart(): Promise<void> {
    const { offline, home } = this.#words;
    await this.#press(this.#page.getByRole('link', { name: home }));
    await this.#stage.daemon.stop();
    const alert = this.#page.getByRole('alert').filter({ hasText: offline });
    await alert.waitFor();
    await this.#stage.daemon.start();
    await alert.waitFor({ state: 'hidden' });
    const link = this.#page.getByRole('navigation').getByRole('link', { name: 'Torrents' });
    await this.#press(link);
    await this.#press(this.#page.getByRole('grid').getByRole('link', { name: 'Fonoteca' }));
    await this.#page.getByRole('heading', { name: 'Fonoteca', level: 1 }).waitFor();
  }

  #press(what: Locator): Promise<void> {
    return this.#isTouch ? what.tap() : what.click();
  }

  #settings(): Promise<Settings> {
    return this.#stage.daemon.ask('GET', 'settings');
  }
}
