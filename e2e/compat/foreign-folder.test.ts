/**
 * The page that Transmission brings, unchanged from its package, served by `tequio run` itself (`web.folder`): it
 * lists, shows details, stops and starts.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { suite, test } from 'node:test';
import { chromium } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { until } from '../lab/until.ts';

const chromiumPath = '/usr/bin/chromium';
const pageFolder = '/usr/share/transmission/web';
const isHere = existsSync(pageFolder) && existsSync(chromiumPath);
const areRequired = env['TEQUIO_REQUIRE_PEERS'] === '1';
const reason = 'not installed here: transmission-daemon or chromium (.ci/peers installs them)';

suite('the web page of Transmission', { skip: isHere || areRequired ? false : reason }, () => {
  test('served by the node, it lists, shows details, stops and starts', { timeout: 180_000 }, async () => {
    const root = mkdtempSync(join(tmpdir(), 'tequio-folder-'));
    const daemon = new LabDaemon(join(root, 'data'));
    mkdirSync(daemon.folder);
    const config = `[web]\nfolder = "${pageFolder}"\npath = "/transmission/web"\n`;
    writeFileSync(join(daemon.folder, 'config.toml'), config);
    writeFileSync(join(root, 'film.bin'), Buffer.alloc(100_000, 7));
    await daemon.start();
    const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
    try {
      const torrent = makeTorrentFile('film.bin', readFileSync(join(root, 'film.bin')), 16_384);
      const { id } = await daemon.ask<{ id: string }>('POST', 'torrents', {
        source: { torrent: torrent.toString('base64') },
        folder: root,
        seed: true,
      });
      const stateIs = (wanted: string): Promise<unknown> =>
        until(`it is ${wanted}`, 60_000, async () =>
          (await daemon.torrents()).some((one) => one.id === id && one.state === wanted),
        );
      await stateIs('seeding');
      const context = await browser.newContext({
        httpCredentials: { username: 'admin', password: daemon.token },
        viewport: { width: 1200, height: 800 },
      });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('console', (message) => {
        if (/Content.Security.Policy|Refused to/.test(message.text())) errors.push(message.text());
      });
      await page.goto(`${daemon.origin}/transmission/web`);
      const row = page.locator('#torrent_list .torrent', { hasText: 'film.bin' });
      await row.waitFor();
      await row.click();
      await page.locator('#toolbar-pause').click();
      await stateIs('paused');
      await page.locator('#toolbar-start').click();
      await stateIs('seeding');
      await page.locator('#toolbar-inspector').click();
      await page
        .locator('#torrent_inspector_name, #inspector-info-hash')
        .first()
        .waitFor({ state: 'attached' });
      await page.getByText(id).first().waitFor();
      assert.deepEqual(errors, []);
    } finally {
      await browser.close();
      await daemon.stop();
      rmSync(root, { recursive: true, force: true });
    }
  });
});
