/** Settings that are lists of things with parts, hours of slow mode and watched folders: their forms, by keys alone. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { until } from '../lab/until.ts';
import {
  cookieOf,
  desktop,
  launchChromium,
  openPage,
  phone,
  skipGuide,
  skipWithoutChromium,
} from './browser.ts';
import { axeFinds } from './looks.ts';

const english = {
  schedule: 'Slow mode by the clock',
  watch: 'Watched folders',
  add: 'Add',
  remove: 'Remove',
  empty: 'The list is empty.',
  path: 'Folder to watch',
  category: 'Category',
  tags: 'Tags',
  paused: 'Add, but do not start',
  action: 'The file, afterwards',
  keep: 'Leave it',
  days: 'Days',
  sunday: 'Sunday',
  saturday: 'Saturday',
  from: 'From',
  to: 'To',
  wrong: 'That does not fit here. It is written like this: /home/ana/inbox',
  noDay: 'Choose at least one day.',
  everyDay: /^Every day, 10:30\sPM – 6:00\sAM the next day$/,
  weekdays: /^Mon – Fri, 10:30\sPM – 11:00\sPM$/,
};
const spanish: typeof english = {
  schedule: 'Modo lento por horario',
  watch: 'Carpetas vigiladas',
  add: 'Añadir',
  remove: 'Quitar',
  empty: 'La lista está vacía.',
  path: 'Carpeta vigilada',
  category: 'Categoría',
  tags: 'Etiquetas',
  paused: 'Añadir sin empezar',
  action: 'El archivo, después',
  keep: 'Dejarlo',
  days: 'Días',
  sunday: 'domingo',
  saturday: 'sábado',
  from: 'Desde',
  to: 'Hasta',
  wrong: 'Eso no sirve aquí. Se escribe así: /home/ana/inbox',
  noDay: 'Elige al menos un día.',
  everyDay: /^Todos los días, 10:30\sp\.\s?m\. – 6:00\sa\.\s?m\. del día siguiente$/,
  weekdays: /^lun – vie, 10:30\sp\.\s?m\. – 11:00\sp\.\s?m\.$/,
};
const tongues: readonly (readonly [typeof english, BrowserContextOptions])[] = [
  [english, { locale: 'en-US', ...desktop }],
  [spanish, { locale: 'es-MX', ...phone }],
];

type Settings = {
  readonly altLimits: { readonly schedule: readonly object[] };
  readonly watch: readonly object[];
};

describe('forms of settings', { skip: skipWithoutChromium, timeout: 300_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-forms-'));
  const daemon = new LabDaemon(join(work, 'data'));
  const inbox = join(work, 'inbox');
  let browser: Browser;
  let known: BrowserContextOptions = {};

  before(async () => {
    mkdirSync(inbox);
    [browser] = await Promise.all([launchChromium(), daemon.start()]);
    const none = { down: null, up: null };
    await daemon.ask('PUT', 'categories', {
      name: 'Sones',
      folder: null,
      finishedFolder: null,
      limits: none,
      shareGoal: null,
    });
    const page = await openPage(browser, [], desktop);
    await page.goto((JSON.parse(daemon.running.stdout.split('\n')[0]!) as { url: string }).url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    known = await cookieOf(page);
    await page.context().close();
  });
  after(async () => {
    await browser?.close();
    await daemon.stop();
    rmSync(work, { recursive: true, force: true });
  });

  async function holds(part: (settings: Settings) => readonly object[], wanted: readonly object[]) {
    await until(`the node has ${JSON.stringify(wanted)}`, 30_000, async () => {
      const now = part(await daemon.ask<Settings>('GET', 'settings'));
      return JSON.stringify(now) === JSON.stringify(wanted);
    });
  }

  async function open(options: BrowserContextOptions, faults: string[]): Promise<Page> {
    const page = await openPage(browser, faults, { ...options, ...known });
    await skipGuide(page);
    await page.goto(`${daemon.origin}/#/settings`);
    return page;
  }

  for (const [words, options] of tongues) {
    it(`hours of slow mode are added, changed and taken away (${options.locale})`, async () => {
      const hours = (settings: Settings) => settings.altLimits.schedule;
      const faults: string[] = [];
      const page = await open(options, faults);
      const list = page.getByRole('group', { name: words.schedule, exact: true });
      await list.getByText(words.empty).waitFor();
      const begin = list.getByRole('button', { name: `${words.add}: ${words.schedule}` });
      await begin.press('Enter');
      const form = list.getByRole('group', { name: `${words.add}: ${words.schedule}` });
      const days = form.getByRole('group', { name: words.days });
      await hasFocus(days.getByRole('checkbox').first());
      // Not all is said yet.
      const add = form.getByRole('button', { name: words.add, exact: true });
      await add.press('Enter');
      await hasFocus(form.getByLabel(words.from));
      await form.getByLabel(words.from).fill('22:30');
      await form.getByLabel(words.to).fill('06:00');
      assert.deepEqual(await axeFinds(page, words.schedule), []);
      await add.press('Enter');
      const [night, evening] = [
        { days: [0, 1, 2, 3, 4, 5, 6], fromMinute: 1350, toMinute: 360 },
        { days: [1, 2, 3, 4, 5], fromMinute: 1350, toMinute: 1380 },
      ];
      await holds(hours, [night]);
      await hasFocus(begin);

      const line = list.locator('summary');
      assert.match(await line.innerText(), words.everyDay);
      await line.press('Enter');
      for (const day of [words.sunday, words.saturday]) await list.getByLabel(day).press('Space');
      await list.getByLabel(words.to).fill('23:00');
      await list.getByLabel(words.to).press('Enter');
      await holds(hours, [evening]);
      await list.getByText(words.weekdays).waitFor();
      assert.deepEqual(await axeFinds(page, words.schedule), []);

      const checked = list.getByRole('checkbox', { checked: true });
      for (let first = 1; first < 5; first++) {
        await checked.first().press('Space');
        await holds(hours, [{ ...evening, days: evening.days.slice(first) }]);
      }
      await until('one is left', 30_000, async () => (await checked.count()) === 1);
      await checked.first().press('Space');
      assert.equal(await saidWrong(checked.first()), words.noDay);
      await holds(hours, [{ ...evening, days: [5] }]);
      await list.getByRole('button', { name: `${words.remove}: ` }).press('Enter');
      await holds(hours, []);
      await hasFocus(begin);
      assert.deepEqual(faults, []);
      await page.context().close();
    });

    it(`watched folders are added, and torrents come out of them (${options.locale})`, async () => {
      const folders = (settings: Settings) => settings.watch;
      const faults: string[] = [];
      const page = await open(options, faults);
      const list = page.getByRole('group', { name: words.watch, exact: true });
      const begin = list.getByRole('button', { name: `${words.add}: ${words.watch}` });
      await begin.press('Enter');
      const form = list.getByRole('group', { name: `${words.add}: ${words.watch}` });
      const path = form.getByLabel(words.path);
      await hasFocus(path);
      await path.fill('inbox');
      const add = form.getByRole('button', { name: words.add, exact: true });
      await add.press('Enter');
      assert.equal(await saidWrong(path), words.wrong);
      await path.fill(inbox);
      await form.getByLabel(words.category).selectOption('Sones');
      // Not pressed: what stands there was meant.
      await form.getByRole('textbox', { name: `${words.add}: ${words.tags}` }).fill('Oaxaca');
      await form.getByLabel(words.paused).press('Space');
      await form.getByLabel(words.action).selectOption(words.keep);
      assert.deepEqual(await axeFinds(page, words.watch), []);
      await add.press('Enter');
      const wanted = {
        path: inbox,
        folder: null,
        category: 'Sones',
        tags: ['Oaxaca'],
        paused: true,
        action: 'keep',
      };
      await holds(folders, [wanted]);
      await hasFocus(begin);

      const name = `watched ${options.locale}.bin`;
      writeFileSync(
        join(inbox, `${name}.torrent`),
        makeTorrentFile(name, Buffer.alloc(40_000, name), 16_384),
      );
      await until('it has come out of the folder', 30_000, async () =>
        (await daemon.torrents()).some(
          (torrent) => torrent.name === name && torrent.category === 'Sones' && torrent.tags[0] === 'Oaxaca',
        ),
      );
      await list.locator('summary').press('Enter');
      await list.getByLabel(words.paused).press('Space');
      await list.getByLabel(words.category).selectOption('');
      await holds(folders, [{ ...wanted, category: null, paused: false }]);
      assert.deepEqual(await axeFinds(page, words.watch), []);
      await list.getByRole('button', { name: `${words.remove}: ${inbox}` }).press('Enter');
      await holds(folders, []);
      await list.getByText(words.empty).waitFor();
      await hasFocus(begin);
      assert.deepEqual(faults, []);
      await page.context().close();
    });
  }
});

async function hasFocus(what: Locator): Promise<void> {
  await until('it has the focus', 30_000, () =>
    what.evaluate(
      (element) =>
        element === (globalThis as { document?: { activeElement: unknown } }).document?.activeElement,
    ),
  );
}

function saidWrong(field: Locator): Promise<string> {
  return field.evaluate(
    (element) => (element as unknown as { readonly validationMessage: string }).validationMessage,
  );
}
