/** A film is watched while it comes, and sought in, in Chromium and Firefox. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { Firefox, skipWithoutFirefox } from '../lab/firefox.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { desktop, launchChromium, openPage, skipGuide, skipWithoutChromium } from './browser.ts';
import { makeFilm } from './film.ts';
import { ChromiumWalker, FirefoxWalker, type Walker } from './walker.ts';

const fileName = 'Día de plaza.webm';
const seconds = 120;
const soughtSecond = 100;

describe('a film in the page', { skip: skipWithoutChromium, timeout: 280_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-film-'));
  const other = new LabDaemon(join(work, 'other'));
  let browser: Browser;
  let torrent = '';
  let filmBytes = 0;

  before(async () => {
    [browser] = await Promise.all([launchChromium(), other.start()]);
    const page = await openPage(browser, []);
    await page.goto(other.origin);
    const film = await makeFilm(page, seconds);
    await page.context().close();
    filmBytes = film.length;
    mkdirSync(join(work, 'there'));
    writeFileSync(join(work, 'there', fileName), film);
    torrent = makeTorrentFile(fileName, film, 16_384).toString('base64');
    // So slow that it is watched long before all of it is here, however slow the machine.
    const limitUp = Math.round(film.length / 90);
    const wish = { source: { torrent }, folder: join(work, 'there'), seed: true, limitUp };
    await other.ask('POST', 'torrents', wish);
  });
  after(async () => {
    await browser?.close();
    await other.stop();
    rmSync(work, { recursive: true, force: true });
  });

  /** A new node that begins to download it, and a way in. */
  async function onNode(
    name: string,
    watch: (daemon: LabDaemon, enter: string, place: string) => Promise<void>,
  ): Promise<void> {
    const daemon = new LabDaemon(join(work, name));
    try {
      await daemon.start();
      const enter = (JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string }).url;
      const wish = { source: { torrent }, folder: join(work, `${name} here`) };
      const { id } = await daemon.ask<{ id: string }>('POST', 'torrents', wish);
      await daemon.ask('POST', 'torrents/peers', {
        ids: [id],
        peers: [`127.0.0.1:${await other.port()}`],
      });
      await watch(daemon, enter, `${daemon.origin}/#/torrents/${id}/files`);
    } finally {
      await daemon.stop();
    }
  }

  /** It runs, is sought in, and runs there: with pictures, and before all of it is here. */
  async function watchIt(daemon: LabDaemon, walker: Walker): Promise<void> {
    const video = `document.querySelector('video')`;
    const runsAt = (second: number): string =>
      `${video}?.duration === ${seconds} && ${video}.currentTime > ${second} && !${video}.seeking && ` +
      `${video}.videoWidth === 160 && ${video}.getVideoPlaybackQuality().totalVideoFrames > 0`;
    await walker.press('button', `Play: ${fileName}`);
    await walker.waitFor('it runs', runsAt(0.3));
    await walker.waitFor('it is sought in', `(${video}.currentTime = ${soughtSecond})`);
    await walker.waitFor('it runs there', runsAt(soughtSecond + 0.3));
    const { doneBytes } = (await daemon.torrents())[0]!;
    const share = doneBytes / filmBytes;
    assert.ok(share > 0 && share < 0.95, `${share} of it was here by then`);
  }

  it('runs in Chromium while it comes, from where it is sought', async () => {
    await onNode('chromium', async (daemon, enter, place) => {
      const faults: string[] = [];
      const page = await openPage(browser, faults, { ...desktop, locale: 'en-US' });
      await skipGuide(page);
      await page.goto(enter);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.goto(place);
      await watchIt(daemon, new ChromiumWalker(page, false));
      assert.deepEqual(faults, []);
      await page.context().close();
    });
  });

  it('runs in Firefox while it comes, from where it is sought', { skip: skipWithoutFirefox }, async () => {
    await onNode('firefox', async (daemon, enter, place) => {
      const options = { width: 1280, height: 900, language: 'en-US', autoplay: true };
      const firefox = await Firefox.start(options);
      try {
        await firefox.open(enter);
        await firefox.waitFor('the page is there', `document.querySelector('h1')`);
        await firefox.open(place);
        await watchIt(daemon, new FirefoxWalker(firefox));
      } finally {
        await firefox.stop();
      }
    });
  });
});
