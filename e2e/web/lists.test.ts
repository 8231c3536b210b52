/** Settings that are lists, in the page: by keys alone, in both languages, with what is wrong said at the field. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Locator } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { until } from '../lab/until.ts';
import { desktop, launchChromium, openPage, phone, skipGuide, skipWithoutChromium } from './browser.ts';
import { axeFinds } from './looks.ts';

const tongues = [
  {
    options: { locale: 'en-US', ...desktop },
    gateways: 'Get blocks from gateways',
    add: 'Add',
    remove: 'Remove',
    wrong: 'That does not fit here. It is written like this: https://gateway.example.org',
    empty: 'The list is empty.',
  },
  {
    options: { locale: 'es-MX', ...phone },
    gateways: 'Obtener bloques de pasarelas',
    add: 'Añadir',
    remove: 'Quitar',
    wrong: 'Eso no sirve aquí. Se escribe así: https://gateway.example.org',
    empty: 'La lista está vacía.',
  },
];

describe('settings that are lists', { skip: skipWithoutChromium, timeout: 300_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-lists-'));
  const daemon = new LabDaemon(join(work, 'data'));
  let browser: Browser;

  before(async () => {
    [browser] = await Promise.all([launchChromium(), daemon.start()]);
  });
  after(async () => {
    await browser?.close();
    await daemon.stop();
    rmSync(work, { recursive: true, force: true });
  });

  async function holds(gateways: readonly string[]): Promise<void> {
    const wanted = JSON.stringify(gateways);
    await until(`the node has ${wanted}`, 30_000, async () => {
      const { ipfs } = await daemon.ask<{ ipfs: { gateways: readonly string[] } }>('GET', 'settings');
      return JSON.stringify(ipfs.gateways) === wanted;
    });
  }

  const hasFocus = (what: Locator): Promise<void> =>
    until('it has the focus', 30_000, () =>
      what.evaluate(
        (element) =>
          element === (globalThis as { document?: { activeElement: unknown } }).document?.activeElement,
      ),
    ).then(() => {});

  it('are added to, changed and taken from', async () => {
    const login = await openPage(browser, [], desktop);
    await login.goto((JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string }).url);
    await login.getByRole('heading', { level: 1 }).waitFor();
    const { storageState } = { storageState: { ...(await login.context().storageState()), origins: [] } };
    await login.context().close();
    for (const { options, gateways, add, remove, wrong, empty } of tongues) {
      const faults: string[] = [];
      const page = await openPage(browser, faults, { ...options, storageState });
      await skipGuide(page);
      await page.goto(`${daemon.origin}/#/settings`);
      const list = page.getByRole('group', { name: gateways });
      await list.getByText(empty).waitFor();
      const fresh = list.getByRole('textbox', { name: `${add}: ${gateways}` });

      await fresh.fill('gateway.example.org');
      await fresh.press('Enter');
      assert.equal(
        await fresh.evaluate(
          (input) => (input as unknown as { validationMessage: string }).validationMessage,
        ),
        wrong,
      );
      await fresh.fill('https://one.example');
      await fresh.press('Enter');
      await holds(['https://one.example']);
      await hasFocus(fresh);
      await until('it is ready for another', 30_000, async () => (await fresh.inputValue()) === '');

      // Several, as they are copied from somewhere else.
      await fresh.evaluate((input) => {
        const world = globalThis as unknown as {
          DataTransfer: new () => { setData(type: string, text: string): void };
          ClipboardEvent: new (type: string, options: object) => unknown;
        };
        const clipboardData = new world.DataTransfer();
        clipboardData.setData('text/plain', 'https://two.example\n  https://three.example \n');
        const event = new world.ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
        (input as unknown as { dispatchEvent(event: unknown): void }).dispatchEvent(event);
      });
      await holds(['https://one.example', 'https://two.example', 'https://three.example']);

      const second = list.getByRole('textbox', { name: `${gateways} 2` });
      await second.fill('https://zwei.example');
      // Two changes at once: neither is lost.
      await list.getByRole('button', { name: `${remove}: https://one.example` }).click();
      await holds(['https://zwei.example', 'https://three.example']);
      await hasFocus(list.getByRole('button', { name: `${remove}: https://zwei.example` }));
      assert.deepEqual(await axeFinds(page, gateways), []);

      await page.keyboard.press('Enter');
      await holds(['https://three.example']);
      await hasFocus(list.getByRole('button', { name: `${remove}: https://three.example` }));
      const last = list.getByRole('textbox', { name: `${gateways} 1` });
      await last.fill('');
      await last.press('Enter');
      await holds([]);
      await list.getByText(empty).waitFor();
      await hasFocus(fresh);
      assert.deepEqual(faults, []);
      await page.context().close();
    }
  });
});
