/** What the page asks of the node while nobody looks at it, and what it has missed when somebody does again. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { until } from '../lab/until.ts';
import { desktop, launchChromium, openPage, skipGuide, skipWithoutChromium } from './browser.ts';

describe('a page that nobody looks at', { skip: skipWithoutChromium, timeout: 120_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-quiet-'));
  const daemon = new LabDaemon(join(work, 'data'));
  let browser: Browser;
  let enter = '';

  before(async () => {
    mkdirSync(join(work, 'content'));
    [browser] = await Promise.all([launchChromium(), daemon.start()]);
    enter = (JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string }).url;
  });
  after(async () => {
    await browser?.close();
    await daemon.stop();
    rmSync(work, { recursive: true, force: true });
  });

  async function add(name: string): Promise<string> {
    const bytes = Buffer.from(name.padEnd(40_000, '.'));
    writeFileSync(join(work, 'content', name), bytes);
    const torrent = makeTorrentFile(name, bytes, 16_384).toString('base64');
    const wish = { source: { torrent }, folder: join(work, 'content'), seed: true };
    return (await daemon.ask<{ id: string }>('POST', 'torrents', wish)).id;
  }

  /** As when another tab is in front: what the browser says of the page is all that the page goes by. */
  async function show(page: Page, isShown: boolean): Promise<void> {
    await page.evaluate((hidden) => {
      const { document, Event } = globalThis as unknown as {
        readonly document: { dispatchEvent(event: object): void };
        readonly Event: new (name: string) => object;
      };
      Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }, !isShown);
  }

  it('asks for nothing and draws nothing, on any screen', async () => {
    const id = await add('before.bin');
    const places = ['home', 'torrents', 'map', 'log', `torrents/${id}/pieces`, `torrents/${id}/speed`];
    for (const part of ['files', 'pins', 'peers', 'sharing']) places.push(`ipfs/${part}`);
    await Promise.all(places.map((place) => staysQuiet(place)));
  });

  async function staysQuiet(place: string): Promise<void> {
    const faults: string[] = [];
    const page = await openPage(browser, faults, desktop);
    await skipGuide(page);
    // Counted in the page itself: every frame that is asked for, and everything that is drawn on a canvas.
    await page.addInitScript(() => {
      const page = globalThis as unknown as {
        drawn: number;
        requestAnimationFrame: (callback: unknown) => number;
        CanvasRenderingContext2D: { readonly prototype: Record<string, unknown> };
      };
      page.drawn = 0;
      for (const name of ['fill', 'stroke', 'fillRect', 'clearRect']) {
        const real = page.CanvasRenderingContext2D.prototype[name] as (...args: unknown[]) => unknown;
        page.CanvasRenderingContext2D.prototype[name] = function (...args: unknown[]) {
          page.drawn++;
          return real.apply(this, args);
        };
      }
    });
    const asked: string[] = [];
    const ended: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('requestfailed', (request) => ended.push(request.url()));
    const { token } = await daemon.ask<{ token: string }>('POST', 'session/one-time-token');
    await page.goto(`${enter.replace(/#.*/, '')}#token=${token}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${page.url().replace(/#.*/, '')}#/${place}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    const drawn = (): Promise<number> =>
      page.evaluate(() => (globalThis as unknown as { readonly drawn: number }).drawn);
    await show(page, false);
    await until(`${place}: its streams are closed`, 30_000, async () => {
      const open = asked.filter((url) => url.includes('/api/v1/events')).length;
      return ended.filter((url) => url.includes('/api/v1/events')).length >= open;
    });
    // What was on its way comes, and then there is silence for longer than anything waits.
    let [askedCount, drawnCount] = [-1, -1];
    await until(`${place}: silence for five seconds`, 60_000, async () => {
      const before = [askedCount, drawnCount];
      [askedCount, drawnCount] = [asked.length, await drawn()];
      if (before[0] === askedCount && before[1] === drawnCount) return true;
      await new Promise((resolve) => setTimeout(resolve, 5000));
      return false;
    });
    await show(page, true);
    await until(`${place}: it asks again`, 30_000, () => asked.length > askedCount);
    assert.deepEqual(faults, []);
    await page.context().close();
  }

  it('has missed nothing when it is looked at again, or the machine wakes up', async () => {
    const faults: string[] = [];
    const page = await openPage(browser, faults, desktop);
    await skipGuide(page);
    const { token } = await daemon.ask<{ token: string }>('POST', 'session/one-time-token');
    await page.goto(`${enter.replace(/#.*/, '')}#token=${token}`);
    await page.getByRole('link', { name: 'Torrents', exact: true }).click();
    await page.getByText('before.bin').waitFor();
    await show(page, false);
    const id = await add('while hidden.bin');
    await show(page, true);
    await page.getByText('while hidden.bin').waitFor();
    // The network is gone as after sleep: what happens meanwhile is there when it is back.
    await page.context().setOffline(true);
    await add('while asleep.bin');
    await daemon.ask('POST', 'torrents/remove', { ids: [id] });
    await page.context().setOffline(false);
    await page.getByText('while asleep.bin').waitFor();
    await page.getByText('while hidden.bin').waitFor({ state: 'detached' });
    assert.deepEqual(
      faults.filter((fault) => !fault.includes('ERR_INTERNET_DISCONNECTED')),
      [],
    );
    await page.context().close();
  });
});
