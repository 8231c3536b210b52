/** What is dropped or pasted anywhere on the page is something to add: a torrent file, a link. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { cookieOf, desktop, launchChromium, openPage, skipGuide, skipWithoutChromium } from './browser.ts';

const magnet = `magnet:?xt=urn:btih:${'5a'.repeat(20)}&dn=film`;
const torrent = makeTorrentFile('film.bin', Buffer.alloc(300_000, 7), 16384).toString('base64');

/** Of the browser, in words that Node's types do not have. */
type Transfer = { setData(type: string, text: string): void; readonly items: { add(file: File): void } };
type World = {
  readonly DataTransfer: new () => Transfer;
  readonly DragEvent: new (type: string, options: object) => unknown;
  readonly ClipboardEvent: new (type: string, options: object) => unknown;
  readonly document: { querySelector(query: string): { dispatchEvent(event: unknown): void } };
};
type Brought = { readonly file: string } | { readonly text: string };

describe('dropping and pasting', { skip: skipWithoutChromium, timeout: 240_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-drop-'));
  const daemon = new LabDaemon(join(work, 'data'));
  let browser: Browser;
  let known: BrowserContextOptions = {};

  before(async () => {
    [browser] = await Promise.all([launchChromium(), daemon.start()]);
    const page = await openPage(browser, [], desktop);
    await skipGuide(page);
    await page.goto((JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string }).url);
    await page.getByRole('heading', { name: 'This node' }).waitFor();
    known = await cookieOf(page);
    await page.context().close();
  });
  after(async () => {
    await browser?.close();
    await daemon.stop();
    rmSync(work, { recursive: true, force: true });
  });

  function bring(page: Page, how: 'drop' | 'paste', what: Brought): Promise<void> {
    return page.evaluate(
      ([kind, brought]) => {
        const world = globalThis as unknown as World;
        const data = new world.DataTransfer();
        if ('text' in brought) data.setData('text/plain', brought.text);
        else {
          const bytes = Uint8Array.from(atob(brought.file), (letter) => letter.charCodeAt(0));
          data.items.add(new File([bytes], 'film.torrent', { type: 'application/x-bittorrent' }));
        }
        const options = { bubbles: true, cancelable: true };
        const event =
          kind === 'drop'
            ? new world.DragEvent('drop', { ...options, dataTransfer: data })
            : new world.ClipboardEvent('paste', { ...options, clipboardData: data });
        world.document.querySelector('h1').dispatchEvent(event);
      },
      [how, what] as const,
    );
  }

  for (const how of ['drop', 'paste'] as const) {
    it(`takes a torrent file and a link by ${how}, with a look inside`, async () => {
      const faults: string[] = [];
      const page = await openPage(browser, faults, { ...desktop, ...known });
      await skipGuide(page);
      await page.goto(`${daemon.origin}/#/torrents`);
      await page.getByText('Nothing here yet').waitFor();
      const asked = page.getByRole('dialog');
      await bring(page, how, { file: torrent });
      await asked.getByText('One file, 300 kB').waitFor();
      await page.keyboard.press('Escape');
      await asked.waitFor({ state: 'detached' });
      await bring(page, how, { text: ` ${magnet}\n` });
      assert.equal(await asked.getByLabel('Magnet link').inputValue(), magnet);
      assert.deepEqual(await daemon.torrents(), [], 'nothing is added before somebody says so');
      assert.deepEqual(faults, []);
      await page.context().close();
    });
  }
});
