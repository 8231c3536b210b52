/** The page in a real browser, against a real daemon: first steps, and what a screen reader would miss. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';

const browserPath = '/usr/bin/chromium';
const isMissing = !existsSync(browserPath) && process.env['TEQUIO_REQUIRE_PEERS'] !== '1';
const looks: readonly (BrowserContextOptions & { readonly theme: string })[] = [
  { theme: 'light', locale: 'en-US', viewport: { width: 1280, height: 800 } },
  { theme: 'dark', locale: 'es-MX', viewport: { width: 390, height: 844 }, hasTouch: true },
  { theme: 'contrast', locale: 'es-ES', viewport: { width: 1280, height: 800 } },
];

describe('the web page', { skip: isMissing && 'there is no /usr/bin/chromium', timeout: 120_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-page-'));
  const daemon = new LabDaemon(join(work, 'data'));
  const evil = `<img src=x onerror=alert(1)> ${'largo '.repeat(30)}`;
  let browser: Browser;
  let enter = '';
  let known: Awaited<ReturnType<BrowserContext['storageState']>>;
  let id = '';

  before(async () => {
    mkdirSync(join(work, 'content'));
    writeFileSync(join(work, 'content', 'film.bin'), Buffer.alloc(300_000, 7));
    browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
    await daemon.start();
    enter = (JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string }).url;
  });
  after(async () => {
    await browser?.close();
    await daemon.stop();
    rmSync(work, { recursive: true, force: true });
  });

  /** A page that fails the test when anything in it goes wrong. */
  async function open(options: BrowserContextOptions, faults: string[]): Promise<Page> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
    });
    page.on('dialog', (dialog) => faults.push(`a dialog: ${dialog.message()}`));
    return page;
  }

  it('lets in once, is empty, and takes a torrent file with a look inside', async () => {
    const faults: string[] = [];
    const page = await open({ viewport: { width: 1280, height: 800 } }, faults);
    await page.goto(enter);
    await page.getByRole('heading', { name: 'This node' }).waitFor();
    await page.getByRole('button', { name: 'Not now' }).click();
    assert.equal(new URL(page.url()).hash, '', 'the token does not stay in the address');
    known = await page.context().storageState();

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
    const page = await open({ storageState: known }, faults);
    await page.goto(`${enter.replace(/#.*/, '')}#/torrents`);
    await page.getByText('<img src=x onerror=alert(1)>', { exact: false }).waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('opens a magnet link that the browser hands over', async () => {
    const faults: string[] = [];
    const page = await open({ storageState: known }, faults);
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
    const page = await open({ storageState: known, viewport: { width: 1280, height: 800 } }, faults);
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

  for (const { theme, ...options } of looks) {
    it(`has nothing that axe finds: ${theme}, ${options.locale}, ${options.viewport?.width} px`, async () => {
      const faults: string[] = [];
      const page = await open({ ...options, storageState: known }, faults);
      await page.addInitScript((name) => localStorage.setItem('tequio.theme', name), theme);
      const base = enter.replace(/#.*/, '');
      const places = ['home', 'torrents', 'settings', 'log'];
      for (const part of ['overview', 'files', 'peers', 'trackers', 'pieces', 'speed'])
        places.push(`torrents/${id}/${part}`);
      const found: string[] = [];
      await page.goto(base);
      for (const place of places) {
        await page.goto(`${base}#/${place}`);
        await page.locator('h1').waitFor();
        await page.waitForTimeout(150);
        for (const violation of (await new AxeBuilder({ page }).analyze()).violations)
          found.push(`${place}: ${violation.id}: ${violation.nodes.map(({ html }) => html).join(' ')}`);
      }
      assert.deepEqual(found, []);
      assert.deepEqual(faults, []);
      await page.context().close();
    });
  }
});
