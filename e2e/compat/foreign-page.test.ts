/**
 * The web page that qBittorrent brings, in a browser, with `tequio run` in the place of its API: it logs in, lists,
 * shows details and acts. The page's files come from qBittorrent itself.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { makeContent } from '../lab/content.ts';
import { freePort } from '../lab/free-port.ts';
import { versionOf } from '../lab/programs.ts';
import { cleanEnvironment, Running } from '../lab/running.ts';
import { runTequio } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';
import { qbittorrentClient } from './api-clients.ts';
import { TequioDaemon } from './daemon.ts';
import { PageProxy } from './page-proxy.ts';

const chromiumPath = '/usr/bin/chromium';
const resultsFolder = fileURLToPath(new URL('../results/compat/', import.meta.url));
const isHere = versionOf('qBittorrent') !== null && existsSync(chromiumPath);
const areRequired = env['TEQUIO_REQUIRE_PEERS'] === '1';
const reason = 'not installed here: qbittorrent-nox or chromium (.ci/peers installs them)';

suite('the web page of qBittorrent', { skip: isHere || areRequired ? false : reason }, () => {
  let folder: string;
  let daemon: TequioDaemon;
  let nox: Running;
  let proxy: PageProxy;
  let browser: Browser;
  let page: Page;
  let infoHash: string;
  const calls = new Map<string, number>();
  const errors: string[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tequio-page-'));
    makeContent(join(folder, 'source/pair'), [{ path: 'one.bin', bytes: 200_000 }], 1);
    const file = join(folder, 'pair.torrent');
    assert.equal((await runTequio(['create', join(folder, 'source/pair'), '-o', file], folder)).code, 0);
    const shown = await runTequio(['show', file, '--json'], folder);
    infoHash = (JSON.parse(shown.stdout) as { infoHashV1: string }).infoHashV1;
    daemon = await TequioDaemon.start(folder, join(folder, 'source'));
    const form = new FormData();
    form.set('torrents', new Blob([await readFile(file)]), 'pair.torrent');
    const headers = { authorization: `Bearer ${daemon.token}` };
    const added = await fetch(`${daemon.origin}/api/v2/torrents/add`, {
      method: 'POST',
      body: form,
      headers,
    });
    assert.equal(await added.text(), 'Ok.');
    const port = await freePort();
    nox = startNox(folder, port);
    const origin = `http://127.0.0.1:${port}`;
    await until('qBittorrent serves its page', 15_000, async () => (await fetch(origin)).ok);
    proxy = await PageProxy.listen(origin, daemon.origin, '/api/v2/');
    browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('response', (response) => {
      const path = new URL(response.url()).pathname;
      if (!path.startsWith('/api/v2/')) return;
      const name = path.slice('/api/v2/'.length);
      calls.set(name, Math.max(calls.get(name) ?? 0, response.status()));
    });
  });
  after(async () => {
    await browser?.close();
    proxy?.close();
    await nox?.stop('SIGKILL');
    await daemon?.stop();
    if (areRequired) {
      mkdirSync(resultsFolder, { recursive: true });
      const client = `page of qBittorrent ${versionOf('qBittorrent')}`;
      const results = { client, test: 'e2e/compat/foreign-page.test.ts', calls: [...calls.keys()].sort() };
      writeFileSync(`${resultsFolder}calls-page.json`, `${JSON.stringify(results, null, 2)}\n`);
    }
    rmSync(folder, { recursive: true, force: true });
  });

  test('logs in, lists, shows details, stops and starts', { timeout: 60_000 }, async () => {
    const login = await page.request.post(`${proxy.origin}/api/v2/auth/login`, {
      form: { username: 'admin', password: daemon.token },
      headers: { origin: proxy.origin },
    });
    assert.equal(await login.text(), 'Ok.');
    await page.goto(proxy.origin);
    const row = page.locator('#torrentsTableDiv tbody tr', { hasText: 'pair' });
    await row.waitFor({ timeout: 20_000 });
    assert.match(await row.innerText(), /pair[\s\S]*100/);
    await row.click();
    const ours = qbittorrentClient(daemon.origin, daemon.token);
    const stateIs = (wanted: RegExp): Promise<unknown> =>
      until(`its state is ${wanted}`, 10_000, async () => {
        const [torrent] = (await ours('torrents/info', { hashes: infoHash })) as { state: string }[];
        return wanted.test(torrent!.state);
      });
    await page.locator('#pauseButton').click();
    await stateIs(/^stoppedUP$/);
    await page.locator('#resumeButton').click();
    await stateIs(/UP$/);
    for (const tab of [
      'PropGeneralLink',
      'PropTrackersLink',
      'PropPeersLink',
      'PropWebSeedsLink',
      'PropFilesLink',
    ]) {
      await page.locator(`#${tab}`).click();
      await page.waitForTimeout(700);
    }
    await page
      .locator('#torrentFilesTableDiv, #prop_files')
      .filter({ hasText: 'one.bin' })
      .first()
      .waitFor({ timeout: 10_000 });
    assert.deepEqual(
      [...calls].filter(([, status]) => status >= 400),
      [],
    );
    assert.ok(['sync/maindata', 'torrents/properties', 'torrents/files'].every((name) => calls.has(name)));
    assert.deepEqual(errors, []);
  });
});

function startNox(folder: string, port: number): Running {
  const config = join(folder, 'profile/qBittorrent/config');
  mkdirSync(config, { recursive: true });
  writeFileSync(
    join(config, 'qBittorrent.conf'),
    `[LegalNotice]
Accepted=true

[BitTorrent]
Session\\DHTEnabled=false
Session\\LSDEnabled=false
Session\\Port=0

[Network]
PortForwardingEnabled=false

[Preferences]
WebUI\\Address=127.0.0.1
WebUI\\CSRFProtection=false
WebUI\\HostHeaderValidation=false
WebUI\\LocalHostAuth=false
WebUI\\Port=${port}
`,
  );
  return new Running('qbittorrent-nox', [`--profile=${join(folder, 'profile')}`], {
    env: cleanEnvironment(folder),
  });
}
