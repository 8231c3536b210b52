/** The way through the page in Firefox, on a desktop and on a phone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Firefox, type FirefoxOptions, skipWithoutFirefox } from '../lab/firefox.ts';
import { type Ears, english, Journey, spanish, type Words } from './journey.ts';
import { Stage } from './stage.ts';
import { FirefoxWalker } from './walker.ts';

const journeys: readonly (readonly [string, FirefoxOptions, Words])[] = [
  ['a desktop, in English, with the mouse', { width: 1280, height: 900, language: 'en-US' }, english],
  ['a phone, in Spanish, by touch', { width: 390, height: 844, language: 'es-MX', isTouch: true }, spanish],
];
/** Without a sound card Firefox plays no sound: it is there to be played. */
const ears: Ears = (audio) => `${audio}?.duration === 12 && ${audio}.readyState >= 3`;

describe('the page in Firefox', { skip: skipWithoutFirefox, timeout: 280_000 }, () => {
  for (const [name, options, words] of journeys) {
    it(`works on ${name}`, { timeout: 140_000 }, async () => {
      const stage = new Stage();
      let firefox: Firefox | null = null;
      try {
        const [enter, started] = await Promise.all([stage.start(), Firefox.start(options)]);
        firefox = started;
        await firefox.open(enter);
        await firefox.evaluate(
          `globalThis.faults = []; addEventListener('error', (event) => faults.push(event.message)); 0`,
        );
        const journey = new Journey(new FirefoxWalker(firefox), stage, words, ears);
        await journey.go();
        await firefox.press('link', words.home);
        await firefox.waitFor('the page fits', 'document.documentElement.scrollWidth <= innerWidth');
        await journey.restart();
        assert.equal(await firefox.evaluate('faults.join()'), '');
      } finally {
        await firefox?.stop();
        await stage.stop();
      }
    });
  }
});
