/** A recording is heard while it comes; and the screens around it in every look. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { until } from '../lab/until.ts';
import { cookieOf, desktop, launchChromium, openPage, skipGuide, skipWithoutChromium } from './browser.ts';
import { axeFinds, looks, wear } from './looks.ts';
import { makeSong } from './stage.ts';

const fileName = 'Guelaguetza 1974.wav';

const seconds = 120;

type Player = {
  readonly duration: number;
  readonly currentTime: number;
  readonly error: { readonly message: string } | null;
};

describe('playing in the page', { skip: skipWithoutChromium, timeout: 240_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-play-'));
  const daemon = new LabDaemon(join(work, 'node'));
  const other = new LabDaemon(join(work, 'other'));
  let browser: Browser;
  let enter = '';
  let known: BrowserContextOptions = {};
  let id = '';

  before(async () => {
    [browser] = await Promise.all([launchChromium(), daemon.start(), other.start()]);
    enter = (JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string }).url;
  });
  after(async () => {
    await browser?.close();
    await Promise.all([daemon.stop(), other.stop()]);
    rmSync(work, { recursive: true, force: true });
  });

  /** A node with torrents shows no first steps any more. */
  async function addRecording(): Promise<void> {
    const sound = makeSong(seconds);
    mkdirSync(join(work, 'there'));
    mkdirSync(join(work, 'here'));
    writeFileSync(join(work, 'there', fileName), sound);
    const source = { torrent: makeTorrentFile(fileName, sound, 16_384).toString('base64') };
    // So slow that it is watched long before all of it is here, however slow the machine.
    const limitUp = Math.round(sound.length / 90);
    await other.ask('POST', 'torrents', { source, folder: join(work, 'there'), seed: true, limitUp });
    const wish = { source, folder: join(work, 'here') };
    id = (await daemon.ask<{ id: string }>('POST', 'torrents', wish)).id;
    await daemon.ask('POST', 'torrents/peers', { ids: [id], peers: [`127.0.0.1:${await other.port()}`] });
  }

  async function doneShare(): Promise<number> {
    const { doneBytes, totalBytes } = (await daemon.torrents())[0]!;
    return doneBytes / totalBytes;
  }

  it('has nothing that axe finds on the way in, in any look', async () => {
    const found: string[] = [];
    const base = enter.replace(/#.*/, '');
    for (const look of looks) {
      const page = await openPage(browser, [], look.options);
      await wear(page, look);
      await page.goto(base);
      await page.locator('form').first().waitFor();
      found.push(...(await axeFinds(page, `${look.name}, who is there`)));
      await page.context().close();
    }
    const first = await openPage(browser, [], desktop);
    await first.goto(enter);
    await first.getByRole('dialog').waitFor();
    known = await cookieOf(first);
    await first.context().close();
    for (const look of looks) {
      const page = await openPage(browser, [], { ...look.options, ...known });
      await wear(page, look);
      await page.goto(base);
      const next = page.locator('dialog button[type=submit]');
      for (const step of [1, 2, 3]) {
        await next.waitFor();
        found.push(...(await axeFinds(page, `${look.name}, step ${step}`)));
        if (step < 3) await next.click();
      }
      await page.context().close();
    }
    assert.deepEqual(found, []);
  });

  it('plays while it comes, and what is sought comes first', async () => {
    await addRecording();
    const faults: string[] = [];
    const page = await openPage(browser, faults, { ...desktop, ...known });
    await skipGuide(page);
    await page.goto(`${enter.replace(/#.*/, '')}#/torrents/${id}/files`);
    await page.getByRole('button', { name: `Play: ${fileName}` }).click();
    const isHeardAt = (second: number): Promise<boolean> =>
      page.evaluate(
        ({ second, seconds }) => {
          const { document } = globalThis as unknown as { document: { querySelector(of: string): Player } };
          const { currentTime, duration, error } = document.querySelector('audio');
          if (error !== null) throw new Error(error.message);
          return duration === seconds && currentTime > second;
        },
        { second, seconds },
      );
    await until('it is heard', 60_000, () => isHeardAt(0.2));
    await page.getByText('is here; what is being played comes first.').waitFor();
    await page.evaluate(() => {
      const { document } = globalThis as unknown as {
        document: { querySelector(of: string): { currentTime: number } };
      };
      document.querySelector('audio').currentTime = 100;
    });
    await until('what was sought is heard', 60_000, () => isHeardAt(100.2));
    const share = await doneShare();
    assert.ok(share < 0.95, `${share} of it was here by then`);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('has nothing that axe finds around the player, in any look', async () => {
    const found: string[] = [];
    for (const look of looks) {
      const page = await openPage(browser, [], { ...look.options, ...known });
      await wear(page, look);
      await skipGuide(page);
      await page.goto(`${enter.replace(/#.*/, '')}#/torrents/${id}/files`);
      await page
        .getByRole('button', { name: new RegExp(`: ${fileName}$`) })
        .first()
        .click();
      await page.locator('audio').waitFor();
      found.push(...(await axeFinds(page, `${look.name}, player`)));
      await page.context().close();
    }
    assert.deepEqual(found, []);
  });
});
