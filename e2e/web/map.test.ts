/** The map of the world draws a place for each country with peers, and its table says the same in words. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { until } from '../lab/until.ts';
import { desktop, launchChromium, openPage, skipGuide, skipWithoutChromium } from './browser.ts';

type Canvas = { width: number; height: number; toDataURL(): string };
type World = {
  readonly document: { querySelector(query: string): Canvas | null; createElement(name: 'canvas'): Canvas };
};

let browser: Browser;
const work = mkdtempSync(join(tmpdir(), 'tequio-map-'));
const daemon = new LabDaemon(join(work, 'data'));
const options = { skip: skipWithoutChromium, timeout: 180_000 };

before(async () => {
  if (skipWithoutChromium !== false) return;
  [browser] = await Promise.all([launchChromium(), daemon.start()]);
});
after(async () => {
  await browser?.close();
  await daemon.stop();
  rmSync(work, { recursive: true, force: true });
});

/** The map as it is seen; empty: nothing is drawn. */
function pictureOf(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { document } = globalThis as unknown as World;
    const canvas = document.querySelector('canvas.world-map');
    if (canvas === null) return '';
    const blank = document.createElement('canvas');
    Object.assign(blank, { width: canvas.width, height: canvas.height });
    const picture = canvas.toDataURL();
    return picture === blank.toDataURL() ? '' : picture;
  });
}

it('draws peers where they are', options, async () => {
  const faults: string[] = [];
  const page = await openPage(browser, faults, desktop);
  await skipGuide(page);
  // Peers of these tests live in private networks, of which no country knows: the node's answer is given here.
  let places: object[] = [];
  await page.route('**/peer-places', (route) => route.fulfill({ json: places }));
  const { url } = JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string };
  await page.goto(url);
  await page.getByRole('heading', { name: 'This node' }).waitFor();
  await page.goto(`${daemon.origin}/#/map`);
  await until('the empty world is drawn', 30_000, async () => (await pictureOf(page)) !== '');
  const empty = await pictureOf(page);
  assert.equal(await page.locator('table').count(), 0);

  places = [
    { country: 'MX', peerCount: 12, downRate: 2_000_000, upRate: 0 },
    { country: 'DE', peerCount: 3, downRate: 0, upRate: 500_000 },
    { country: null, peerCount: 1, downRate: 0, upRate: 0 },
  ];
  await page.getByRole('row').nth(3).waitFor();
  assert.match(await page.getByRole('row').nth(1).innerText(), /^Mexico\t12\t2\W+MB\/s/);
  assert.match(await page.getByRole('row').nth(3).innerText(), /^Not known, or nearby\t1/);
  await until('two places are drawn', 30_000, async () => (await pictureOf(page)) !== empty);
  assert.deepEqual(faults, []);
});
