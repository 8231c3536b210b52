/** A browser that tests drive, and pages that remember what went wrong in them. */
import { existsSync } from 'node:fs';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';

const browserPath = '/usr/bin/chromium';
export const isChromiumMissing = !existsSync(browserPath) && process.env['TEQUIO_REQUIRE_PEERS'] !== '1';
/** As `skip` of a test wants it. */
export const skipWithoutChromium = isChromiumMissing && `there is no ${browserPath}`;

export const desktop: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
export const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
};

/** By condition, not by the clock: the machine may be slow. */
const waitMs = 30_000;

export function launchChromium(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', ...args] });
}

/** A browser with a folder of its own, in which pages can be installed. */
export function launchProfile(folder: string, env: NodeJS.ProcessEnv): Promise<BrowserContext> {
  const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return chromium.launchPersistentContext(folder, {
    executablePath: browserPath,
    args: ['--no-sandbox'],
    env: Object.fromEntries(known),
  });
}

/** A page, in a context of its own, whose faults go into the list: a test ends with it being empty. */
export async function openPage(
  browser: Browser,
  faults: string[],
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(waitMs);
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // Labs of other tests make network interfaces meanwhile: the browser then ends what is on its way.
    if (message.text().includes('net::ERR_NETWORK_CHANGED')) return;
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('dialog', (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return page;
}

/** The cookie alone, without what the page remembers by itself. */
export async function cookieOf(page: Page): Promise<BrowserContextOptions> {
  return { storageState: { ...(await page.context().storageState()), origins: [] } };
}

/** Does not show the first steps. */
export async function skipGuide(page: Page): Promise<void> {
  await page.addInitScript(() => localStorage.setItem('tequio.guided', 'yes'));
}
