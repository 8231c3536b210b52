/** The way through the page in Chromium, on a desktop and on a phone. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { desktop, launchChromium, openPage, phone, skipWithoutChromium } from './browser.ts';
import { type Ears, english, Journey, spanish, type Words } from './journey.ts';
import { Stage } from './stage.ts';
import { ChromiumWalker } from './walker.ts';

const journeys: readonly (readonly [string, BrowserContextOptions, Words])[] = [
  ['a desktop, in English, with the mouse', { ...desktop, locale: 'en-US' }, english],
  ['a phone, in Spanish, by touch', { ...phone, locale: 'es-MX' }, spanish],
];
const ears: Ears = (audio) => `${audio}?.duration === 12 && ${audio}.currentTime > 0.2`;

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
        const walker = new ChromiumWalker(page, options.hasTouch === true);
        const journey = new Journey(walker, stage, words, ears);
        await journey.go();
        assert.deepEqual(faults, []);
        await journey.restart();
        await page.context().close();
      } finally {
        await stage.stop();
      }
    });
  }
});
