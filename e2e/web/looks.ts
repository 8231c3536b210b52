/** Every look of the page: each theme in each language, desktop and phone by turns, and what axe finds there. */
import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { desktop, phone } from './browser.ts';

export type Look = {
  readonly name: string;
  readonly theme: string;
  readonly options: BrowserContextOptions;
};

export const looks: readonly Look[] = ['light', 'dark', 'contrast'].flatMap((theme, index) =>
  ['en-US', 'es-MX'].map((locale, language) => {
    const isDesktop = (index + language) % 2 === 0;
    return {
      name: `${theme}, ${locale}, ${isDesktop ? 'desktop' : 'phone'}`,
      theme,
      options: { locale, ...(isDesktop ? desktop : phone) },
    };
  }),
);

/** Before the page loads. */
export async function wear(page: Page, { theme }: Look): Promise<void> {
  await page.addInitScript((chosen) => localStorage.setItem('tequio.theme', chosen), theme);
}

/** A line for each rule that is broken. */
export async function axeFinds(page: Page, place: string): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  return violations.map(({ id, nodes }) => `${place}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
