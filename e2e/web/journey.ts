/**
 * The way of people through the page, on a new node with a seeder of other people's: the first steps, a magnet link,
 * which files, watching it come, playing, limits, pauses, settings, language and colours, a restart of the node under
 * the open page. One description for all browsers, sizes and languages.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../lab/until.ts';
import { notesPath, type Stage, songPath } from './stage.ts';
import type { Walker } from './walker.ts';

export type Words = Readonly<Record<keyof typeof english, string>>;

export const english = {
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
  speed: 'Speed',
  appearance: 'Appearance',
  dark: 'Dark',
  language: 'Language',
  thisPage: 'This page',
  offline: 'The node does not answer',
  home: 'Home',
};
export const spanish: Words = {
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
  speed: 'Velocidad',
  appearance: 'Aspecto',
  dark: 'Oscuro',
  language: 'Idioma',
  thisPage: 'Esta página',
  offline: 'El nodo no responde',
  home: 'Inicio',
};

type Settings = {
  readonly folders: { readonly download: string };
  readonly bittorrent: { readonly limitUp: number | null; readonly lsd: boolean };
};

/** With an expression of the page's that says whether sound is heard. */
export type Ears = (audio: string) => string;

export class Journey {
  readonly #walker: Walker;
  readonly #stage: Stage;
  readonly #words: Words;
  readonly #ears: Ears;

  constructor(walker: Walker, stage: Stage, words: Words, ears: Ears) {
    this.#walker = walker;
    this.#stage = stage;
    this.#words = words;
    this.#ears = ears;
  }

  /** All of it, but for the restart. */
  async go(): Promise<void> {
    await this.#firstSteps();
    await this.#addMagnet();
    await this.#watchItCome();
    await this.#play();
    await this.#limit();
    await this.#pause();
    await this.#changeSettings();
  }

  async #firstSteps(): Promise<void> {
    const { welcome, folder, next, upload, local, begin } = this.#words;
    const walker = this.#walker;
    await walker.see('dialog', welcome);
    await walker.write('textbox', folder, this.#stage.folder);
    await walker.press('button', next);
    await walker.write('spinbutton', upload, '500');
    await walker.press('button', next);
    assert.equal(
      await walker.propertyOf('checkbox', local, 'disabled'),
      true,
      'what a flag has set cannot be changed',
    );
    await walker.press('button', begin);
    await walker.waitFor('the first steps are over', `!document.querySelector('dialog')`);
    const { folders, bittorrent } = await this.#settings();
    assert.deepEqual(folders.download, this.#stage.folder);
    assert.deepEqual(bittorrent.limitUp, 500 * 1024);
  }

  /** What is in it is shown before it starts; one of two files is taken. */
  async #addMagnet(): Promise<void> {
    const { add, link, look } = this.#words;
    const walker = this.#walker;
    await walker.press('button', add, ['banner']);
    await walker.write('textbox', link, this.#stage.magnet, ['dialog']);
    await walker.press('button', look, ['dialog']);
    await walker.see('heading', 'Fonoteca', ['dialog']);
    await walker.press('checkbox', 'notes.txt', ['dialog']);
    assert.equal(await walker.propertyOf('checkbox', 'Istmo', 'checked', ['dialog']), false);
    await walker.press('button', add, ['dialog']);
    await walker.see('heading', 'Fonoteca', ['main']);
  }

  async #watchItCome(): Promise<void> {
    await this.#walker.waitFor('it is shared', saysExactly(this.#words.sharing));
    const content = join(this.#stage.folder, 'Fonoteca');
    assert.ok(readFileSync(join(content, songPath)).equals(this.#stage.song));
    assert.ok(
      !existsSync(join(content, notesPath)) ||
        !readFileSync(join(content, notesPath)).equals(this.#stage.notes),
      'what was not wanted has not come',
    );
  }

  async #play(): Promise<void> {
    const { files, play, close } = this.#words;
    await this.#walker.press('link', files, ['main']);
    await this.#walker.press('button', `${play}: 01 Sandunga.wav`);
    await this.#walker.waitFor('the song is heard', this.#ears(`document.querySelector('audio')`));
    await this.#walker.press('button', close, ['dialog']);
  }

  async #limit(): Promise<void> {
    const { overview, download } = this.#words;
    await this.#walker.press('link', overview);
    await this.#walker.write('spinbutton', download, '100', ['main']);
    await until('the limit holds', 30_000, async () => {
      const { limitDown } = await this.#stage.daemon.ask<{ limitDown: number | null }>(
        'GET',
        `torrents/${this.#stage.id}`,
      );
      return limitDown === 100 * 1024;
    });
  }

  async #pause(): Promise<void> {
    const { pause, start, pauseAll, forHour, goOn } = this.#words;
    const walker = this.#walker;
    await walker.press('button', pause, ['main']);
    await walker.press('button', start, ['main']);
    await walker.see('button', pause, ['main']);
    await walker.press('button', pauseAll, ['banner']);
    await walker.press('button', forHour);
    await walker.see('button', goOn, ['banner']);
    const { paused } = await this.#stage.daemon.ask<{ paused: { untilMs: number } | null }>('GET', 'status');
    assert.ok(paused !== null && paused.untilMs > Date.now());
    await walker.press('button', goOn, ['banner']);
    await walker.see('button', pauseAll, ['banner']);
  }

  /** Then dark, and the other language. */
  async #changeSettings(): Promise<void> {
    const { settings, speed, uploadLimit, saved, appearance, dark } = this.#words;
    const walker = this.#walker;
    await walker.press('link', settings);
    await walker.write('textbox', uploadLimit, '250', ['group', speed]);
    await walker.waitFor('it is saved', `document.body.innerText.includes(${JSON.stringify(saved)})`);
    assert.equal((await this.#settings()).bittorrent.limitUp, 250 * 1024);
    await walker.choose(appearance, dark);
    await walker.waitFor('it is dark', `document.documentElement.dataset.theme === 'dark'`);
    const other = settings === spanish.settings ? english : spanish;
    await this.#speak(this.#words, other);
    await this.#speak(other, this.#words);
  }

  async #speak(now: Words, next: Words): Promise<void> {
    await this.#walker.choose(now.language, next === spanish ? 'Español' : 'English', [
      'group',
      now.thisPage,
    ]);
    await this.#walker.see('heading', next.settings, ['main']);
  }

  /** The page says that the node is away, and goes on by itself when it is back; nobody logs in again. */
  async restart(): Promise<void> {
    const { offline, home } = this.#words;
    const walker = this.#walker;
    await walker.press('link', home);
    await this.#stage.daemon.stop();
    const alert = `document.querySelector('[role=alert]')?.innerText.includes(${JSON.stringify(offline)})`;
    await walker.waitFor('it says that the node is away', alert);
    await this.#stage.daemon.start();
    await walker.waitFor('it goes on', `!${alert}`);
    await walker.press('link', 'Torrents', ['navigation']);
    await walker.press('link', 'Fonoteca', ['grid']);
    await walker.see('heading', 'Fonoteca', ['main']);
  }

  #settings(): Promise<Settings> {
    return this.#stage.daemon.ask('GET', 'settings');
  }
}

/** A text that stands by itself. */
function saysExactly(text: string): string {
  return `[...document.querySelectorAll('main *')].some((part) => part.childElementCount === 0 && part.textContent.trim() === ${JSON.stringify(text)})`;
}
