/** The page in a real browser, against a real daemon: first steps, and what a screen reader would miss. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { cookieOf, desktop, launchChromium, openPage, skipGuide, skipWithoutChromium } from './browser.ts';
import { axeFinds, looks, wear } from './looks.ts';

/** Keys that open a dialog, on any screen. */
const dialogKeys = ['a', 'Control+k', '?'];
const firstLoadBytesMax = 150_000;

describe('the web page', { skip: skipWithoutChromium, timeout: 600_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-page-'));
  const daemon = new LabDaemon(join(work, 'data'));
  const evil = `<img src=x onerror=alert(1)> ${'largo '.repeat(30)}`;
  let browser: Browser;
  let enter = '';
  let known: BrowserContextOptions = {};
  let id = '';

  before(async () => {
    mkdirSync(join(work, 'content'));
    writeFileSync(join(work, 'content', 'film.bin'), Buffer.alloc(300_000, 7));
    [browser] = await Promise.all([launchChromium(), daemon.start()]);
    enter = (JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string }).url;
  });
  after(async () => {
    await browser?.close();
    await daemon.stop();
    rmSync(work, { recursive: true, force: true });
  });

  /** Of somebody who is in, and has seen the first steps. */
  async function open(options: BrowserContextOptions, faults: string[]): Promise<Page> {
    const page = await openPage(browser, faults, options);
    if (options.storageState !== undefined) await skipGuide(page);
    return page;
  }

  it('lets in once, is empty, and takes a torrent file with a look inside', async () => {
    const faults: string[] = [];
    const page = await open(desktop, faults);
    await page.goto(enter);
    await page.getByRole('heading', { name: 'This node' }).waitFor();
    await page.getByRole('button', { name: 'Not now' }).click();
    assert.equal(new URL(page.url()).hash, '', 'the token does not stay in the address');
    known = await cookieOf(page);

    await page.getByRole('link', { name: 'Torrents', exact: true }).click();
    await page.getByText('Nothing here yet').waitFor();
    await page.keyboard.press('a');
    const torrent = makeTorrentFile('film.bin', Buffer.alloc(300_000, 7), 16384);
    await page.locator('dialog input[type=file]').setInputFiles({
      name: 'film.torrent',
      mimeType: 'application/x-bittorrent',
      buffer: torrent,
    });
    await page.getByText('One file, 300 kB').waitFor();
    await page.getByLabel('Folder').fill(join(work, 'content'));
    await page.getByRole('button', { name: 'Add', exact: true }).last().click();
    await page.getByRole('heading', { name: 'film.bin' }).waitFor();
    id = (await daemon.torrents())[0]!.id;
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('lets nobody else in, and not a second time', async () => {
    const faults: string[] = [];
    const page = await open({}, []);
    await page.goto(enter);
    await page.getByText('Who is there?').waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('shows a name that is script as text', async () => {
    const faults: string[] = [];
    await daemon.ask('PATCH', 'torrents', { ids: [id], patch: { name: evil.trim() } });
    const page = await open(known, faults);
    await page.goto(`${enter.replace(/#.*/, '')}#/torrents`);
    await page.getByText('<img src=x onerror=alert(1)>', { exact: false }).waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('shows names that would turn text round, or never end, as text, and nothing breaks', async () => {
    const faults: string[] = [];
    const page = await open({ ...desktop, ...known }, faults);
    const base = enter.replace(/#.*/, '');
    for (const name of [
      `\u202Efdp.exe\u2066 ${'\u202E'.repeat(50)}x`,
      'ñ'.repeat(250),
      '\u0301'.repeat(200),
    ]) {
      await daemon.ask('PATCH', 'torrents', { ids: [id], patch: { name } });
      for (const place of ['torrents', `torrents/${id}`]) {
        await page.goto(`${base}#/${place}`);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.locator('.plain-text').first().waitFor();
        const wide = await page.evaluate(() => {
          const { document } = globalThis as unknown as {
            readonly document: {
              readonly documentElement: { readonly scrollWidth: number; readonly clientWidth: number };
            };
          };
          return document.documentElement.scrollWidth > document.documentElement.clientWidth;
        });
        assert.equal(wide, false, `${place} is as wide as the window`);
        const isolated = await page
          .locator('.plain-text')
          .first()
          .evaluate((element) => {
            const { getComputedStyle } = globalThis as unknown as {
              getComputedStyle(of: unknown): { readonly unicodeBidi: string };
            };
            return getComputedStyle(element).unicodeBidi;
          });
        assert.equal(isolated, 'isolate');
      }
    }
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('shows a torrent whose names have 10,000 characters, before it is added and after', async () => {
    const faults: string[] = [];
    const page = await open({ ...desktop, ...known }, faults);
    const base = enter.replace(/#.*/, '');
    const long = `<b>${'\u202Eñ'.repeat(5000)}</b>`;
    const torrent = makeTorrentFile(long, Buffer.alloc(40_000, 1), 16_384, [
      [`${long}/${'x'.repeat(10_000)}.txt`, 30_000],
      ['notes.txt', 10_000],
    ]);
    const isWide = (): Promise<boolean> =>
      page.evaluate(() => {
        const { document } = globalThis as unknown as {
          document: { documentElement: { scrollWidth: number; clientWidth: number } };
        };
        return document.documentElement.scrollWidth > document.documentElement.clientWidth;
      });
    await page.goto(`${base}#/torrents`);
    await page.keyboard.press('a');
    const dialog = page.getByRole('dialog');
    await dialog
      .locator('input[type=file]')
      .setInputFiles({ name: 'long.torrent', mimeType: 'application/x-bittorrent', buffer: torrent });
    await dialog.getByRole('checkbox', { name: 'notes.txt' }).waitFor();
    assert.equal(await isWide(), false, 'the dialog');
    await dialog.getByLabel('Folder').fill(join(work, 'long'));
    await page.getByRole('button', { name: 'Add', exact: true }).last().click();
    await dialog.waitFor({ state: 'detached' });
    const { id: added } = (await daemon.torrents()).find(({ totalBytes }) => totalBytes === 40_000)!;
    for (const part of ['', '/files', '/peers', '/pieces', '/log']) {
      await page.goto(`${base}#/torrents/${added}${part}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      if (part === '/files') await page.getByText('notes.txt').waitFor();
      assert.equal(await isWide(), false, part);
    }
    await page.goto(`${base}#/torrents`);
    await page.getByRole('row').nth(2).waitFor();
    assert.equal(await isWide(), false, 'the list');
    assert.deepEqual(faults, []);
    await page.context().close();
    await daemon.ask('POST', 'torrents/remove', { ids: [added] });
  });

  it('opens a magnet link that the browser hands over', async () => {
    const faults: string[] = [];
    const page = await open(known, faults);
    const link = `magnet:?xt=urn:btih:${id}`;
    await page.goto(`${enter.replace(/#.*/, '')}?add=${encodeURIComponent(link)}`);
    await page.getByLabel('Magnet link').waitFor();
    assert.equal(await page.getByLabel('Magnet link').inputValue(), link);
    await page.getByText('One file, 300 kB').waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('is worked by keys alone: choose, open, pause, commands', async () => {
    const faults: string[] = [];
    const page = await open({ ...desktop, ...known }, faults);
    await page.goto(`${enter.replace(/#.*/, '')}#/torrents`);
    const grid = page.getByRole('grid');
    await page.getByRole('row').nth(1).waitFor();
    await grid.focus();
    await page.keyboard.press('Space');
    await page.getByText('One chosen').waitFor();
    await page.keyboard.press('Control+k');
    // What is typed before the field has the focus would be lost.
    await page.locator('[role=combobox]:focus').waitFor();
    await page.keyboard.type('pause ·');
    await page.getByRole('option', { selected: true }).getByText('Pause ·').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('gridcell').getByText('Paused').waitFor();
    await grid.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Overview' }).waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('loads no more than it may before it is seen, and what it loads is packed', async () => {
    const page = await open({ ...desktop, ...known }, []);
    const scripts = new Map<string, number>();
    page.on('response', async (response) => {
      if (response.request().resourceType() === 'script')
        scripts.set(response.url(), Number((await response.allHeaders())['content-length']));
    });
    await page.goto(enter.replace(/#.*/, ''));
    await page.getByRole('heading', { level: 1 }).waitFor();
    // The graph is the last part to come.
    await page.locator('canvas').first().waitFor();
    const bytes = [...scripts.values()].reduce((sum, length) => sum + length, 0);
    assert.ok(scripts.size > 0 && bytes > 10_000 && bytes < firstLoadBytesMax, JSON.stringify([...scripts]));
    const [script = ''] = scripts.keys();
    const packed = await fetch(script, { headers: { 'accept-encoding': 'br' } });
    assert.equal(packed.headers.get('content-encoding'), 'br');
    await page.context().close();
  });

  it('is an app: it can be installed, and opens while the node is away', async () => {
    const page = await open({ ...desktop, ...known }, []);
    const base = enter.replace(/#.*/, '');
    await page.goto(base);
    const manifest = await page.evaluate(async () => {
      const { document } = globalThis as unknown as {
        readonly document: { querySelector(query: string): { readonly href: string } };
      };
      const answer = await fetch(document.querySelector('link[rel=manifest]').href);
      return (await answer.json()) as { readonly icons: readonly { readonly src: string }[] };
    });
    for (const { src } of manifest.icons) assert.equal((await fetch(new URL(src, base))).status, 200, src);
    const session = await page.context().newCDPSession(page);
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    // A test's browser has no profile of its own, in which nothing can be installed.
    assert.deepEqual(
      installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'),
      [],
    );
    await page.evaluate(async () => {
      const { navigator } = globalThis as unknown as {
        readonly navigator: { readonly serviceWorker: { readonly ready: Promise<unknown> } };
      };
      await navigator.serviceWorker.ready;
    });
    // Once more, so that the parts are kept as well.
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.context().setOffline(true);
    await page.reload();
    await page.getByText('The node does not answer').waitFor();
    await page.context().setOffline(false);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.context().close();
  });

  for (const look of looks) {
    it(`has nothing that axe finds: ${look.name}`, async () => {
      const faults: string[] = [];
      const found: string[] = [];
      const page = await open({ ...look.options, ...known }, faults);
      await wear(page, look);
      const check = async (what: string): Promise<void> => {
        found.push(...(await axeFinds(page, what)));
      };
      const base = enter.replace(/#.*/, '');
      const places = ['home', 'torrents', 'map', 'settings', 'log'];
      for (const part of ['files', 'pins', 'explore', 'peers', 'sharing']) places.push(`ipfs/${part}`);
      for (const part of ['overview', 'files', 'peers', 'trackers', 'pieces', 'speed', 'log'])
        places.push(`torrents/${id}/${part}`);
      await page.goto(base);
      for (const place of places) {
        await page.goto(`${base}#/${place}`);
        await page.locator('h1').waitFor();
        await page.waitForTimeout(100);
        await check(place);
      }
      for (const key of dialogKeys) {
        await page.keyboard.press(key);
        await page.getByRole('dialog').waitFor();
        await check(`dialog ${key}`);
        await page.keyboard.press('Escape');
        // It is hidden a little before the page hears that it was closed, and takes keys again.
        await page.locator('dialog').waitFor({ state: 'detached' });
      }
      assert.deepEqual(found, []);
      assert.deepEqual(faults, []);
      await page.context().close();
    });
  }
});
