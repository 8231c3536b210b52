/**
 * What the system hands to the installed page, as its manifest says: a file or a text that is shared, a magnet link, a
 * file that is opened with it. The browser sends what is shared as a form, whose answer is the service worker's.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import {
  cookieOf,
  desktop,
  launchChromium,
  launchProfile,
  openPage,
  skipGuide,
  skipWithoutChromium,
} from './browser.ts';

type Manifest = {
  readonly protocol_handlers: readonly { readonly protocol: string; readonly url: string }[];
  readonly file_handlers: readonly {
    readonly action: string;
    readonly accept: Readonly<Record<string, readonly string[]>>;
  }[];
  readonly share_target: {
    readonly action: string;
    readonly method: string;
    readonly enctype: string;
    readonly params: {
      readonly title: string;
      readonly text: string;
      readonly url: string;
      readonly files: readonly { readonly name: string; readonly accept: readonly string[] }[];
    };
  };
};
/** What the browser's types are about, which are not those of Node.js. */
type Form = {
  action: string;
  method: string;
  enctype: string;
  append(...parts: unknown[]): void;
  submit(): void;
};
type Input = { type: string; name: string; value: string; files: unknown };
type World = {
  readonly document: {
    querySelector(query: string): { readonly href: string };
    createElement(name: 'form'): Form;
    createElement(name: 'input'): Input;
    readonly body: { append(part: unknown): void };
  };
  readonly navigator: {
    readonly serviceWorker: { readonly ready: Promise<unknown>; readonly controller: unknown };
  };
  readonly DataTransfer: new () => { readonly items: { add(file: File): void }; readonly files: unknown };
};

const magnet = 'magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=Sones%20%26%20jarabes';

describe('what is handed to the page', { skip: skipWithoutChromium, timeout: 300_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-handed-'));
  const daemon = new LabDaemon(join(work, 'data'));
  const torrent = makeTorrentFile('film.bin', Buffer.alloc(300_000, 7), 16_384);
  let browser: Browser;
  let known: BrowserContextOptions = {};
  let manifest: Manifest;
  let manifestUrl = '';
  let cookies: Awaited<ReturnType<BrowserContext['cookies']>> = [];

  before(async () => {
    [browser] = await Promise.all([launchChromium(), daemon.start()]);
    const page = await openPage(browser, [], desktop);
    await page.goto((JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string }).url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    known = await cookieOf(page);
    cookies = await page.context().cookies();
    manifestUrl = await page.evaluate(
      () => (globalThis as unknown as World).document.querySelector('link[rel=manifest]').href,
    );
    manifest = (await (await fetch(manifestUrl)).json()) as Manifest;
    await page.context().close();
  });
  after(async () => {
    await browser?.close();
    await daemon.stop();
    // A browser's helpers may end a little after it.
    rmSync(work, { recursive: true, force: true, maxRetries: 20 });
  });

  /** A page whose service worker answers for it, as that of an installed page does. */
  async function open(faults: string[]): Promise<Page> {
    const page = await openPage(browser, faults, { ...desktop, ...known });
    await skipGuide(page);
    await page.goto(`${daemon.origin}/`);
    await page.evaluate(() =>
      (globalThis as unknown as World).navigator.serviceWorker.ready.then(() => null),
    );
    await page.reload();
    await page.waitForFunction(
      () => (globalThis as unknown as World).navigator.serviceWorker.controller !== null,
    );
    return page;
  }

  /** As the browser does it: it goes to the address with a form that has these fields. */
  async function share(
    page: Page,
    fields: Readonly<Record<string, string>>,
    file: Buffer | null,
  ): Promise<void> {
    const { action, method, enctype, params } = manifest.share_target;
    const [{ name, accept } = { name: '', accept: [] }] = params.files;
    const form = {
      action: new URL(action, manifestUrl).href,
      method,
      enctype,
      fields: Object.entries(fields),
      file: file === null ? null : { name, type: accept[0]!, text: file.toString('base64') },
    };
    await page.evaluate((wish) => {
      const { document, DataTransfer } = globalThis as unknown as World;
      const sent = document.createElement('form');
      Object.assign(sent, { action: wish.action, method: wish.method, enctype: wish.enctype });
      for (const [field, value] of wish.fields) {
        const input = document.createElement('input');
        Object.assign(input, { type: 'hidden', name: field, value });
        sent.append(input);
      }
      if (wish.file !== null) {
        const bytes = Uint8Array.from(atob(wish.file.text), (letter) => letter.charCodeAt(0));
        const chosen = new DataTransfer();
        chosen.items.add(new File([bytes], 'film.torrent', { type: wish.file.type }));
        const input = document.createElement('input');
        Object.assign(input, { type: 'file', name: wish.file.name });
        input.files = chosen.files;
        sent.append(input);
      }
      document.body.append(sent);
      sent.submit();
    }, form);
  }

  /** Shown, and nothing added yet; a reload does not show it again. */
  async function isAsked(page: Page, source: string | null): Promise<void> {
    const dialog = page.getByRole('dialog');
    if (source === null) await dialog.getByText('One file, 300 kB').waitFor();
    else {
      await dialog.getByLabel('Magnet link').waitFor();
      assert.equal(await dialog.getByLabel('Magnet link').inputValue(), source);
    }
    assert.equal(new URL(page.url()).search, '', 'the address is clean');
    assert.deepEqual(await daemon.torrents(), []);
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.equal(await dialog.count(), 0);
  }

  it('takes a torrent file that is shared', async () => {
    const faults: string[] = [];
    const page = await open(faults);
    await share(page, { [manifest.share_target.params.title]: 'film' }, torrent);
    await isAsked(page, null);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('takes a link that is shared, wherever the other program has put it', async () => {
    const faults: string[] = [];
    const page = await open(faults);
    const { title, text, url } = manifest.share_target.params;
    await share(page, { [title]: 'Sones', [text]: `Listen: ${magnet}`, [url]: '' }, null);
    await isAsked(page, magnet);
    await share(page, { [title]: '', [text]: '', [url]: magnet }, null);
    await isAsked(page, magnet);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('takes a magnet link, at the address that the manifest gives for them', async () => {
    const faults: string[] = [];
    const page = await open(faults);
    const { url } = manifest.protocol_handlers.find(({ protocol }) => protocol === 'magnet')!;
    await page.goto(new URL(url.replace('%s', encodeURIComponent(magnet)), manifestUrl).href);
    await isAsked(page, magnet);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('is installed, and takes a torrent file that the system opens with it', async () => {
    assert.deepEqual(manifest.file_handlers[0]!.accept, { 'application/x-bittorrent': ['.torrent'] });
    const path = join(work, 'film.torrent');
    writeFileSync(path, torrent);
    const context = await launchAtHome(join(work, 'home'));
    try {
      context.setDefaultTimeout(30_000);
      await context.addCookies(cookies);
      await context.addInitScript(() => localStorage.setItem('tequio.guided', 'yes'));
      const page = await context.newPage();
      await page.goto(`${daemon.origin}/`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      const session = await context.newCDPSession(page);
      const { appId: manifestId = '' } = await session.send('Page.getAppId');
      await session.send('PWA.install', { manifestId });
      const [window] = await Promise.all([
        context.waitForEvent('page'),
        session.send('PWA.launchFilesInApp', { manifestId, files: [path] }),
      ]);
      await isAsked(window, null);
    } finally {
      await context.close();
    }
  });
});

/** Installed pages go into the menus of whoever is at home there: not into those of whom the tests run for. */
function launchAtHome(home: string): Promise<BrowserContext> {
  mkdirSync(home);
  const own = {
    ...env,
    HOME: home,
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
  };
  return launchProfile(join(home, 'profile'), own);
}
