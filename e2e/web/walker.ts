/** Whoever goes through the page: what a person does there and what is seen, whichever the browser. */
import type { Locator, Page } from 'playwright-core';
import type { Firefox } from '../lab/firefox.ts';
import { until } from '../lab/until.ts';

export type Place = readonly [role: Role, name?: string];
export type Role =
  | 'alert'
  | 'banner'
  | 'button'
  | 'checkbox'
  | 'combobox'
  | 'dialog'
  | 'grid'
  | 'group'
  | 'heading'
  | 'link'
  | 'main'
  | 'navigation'
  | 'spinbutton'
  | 'textbox';

const waitMs = 30_000;

/** Names are what a screen reader says, whole; of several the last is meant, which is in the dialog on top. */
export interface Walker {
  press(role: Role, name: string, within?: Place): Promise<void>;
  /** In place of what the field says, and on to the next one. */
  write(role: 'textbox' | 'spinbutton', name: string, text: string, within?: Place): Promise<void>;
  choose(name: string, option: string, within?: Place): Promise<void>;
  /** Waits for it. */
  see(role: Role, name: string, within?: Place): Promise<void>;
  /** A property of what is seen. */
  propertyOf(role: Role, name: string, property: string, within?: Place): Promise<unknown>;
  /** Waits until an expression is true in the page. */
  waitFor(what: string, expression: string): Promise<void>;
}

export class ChromiumWalker implements Walker {
  readonly #page: Page;
  readonly #isTouch: boolean;

  constructor(page: Page, isTouch: boolean) {
    this.#page = page;
    this.#isTouch = isTouch;
  }

  press(role: Role, name: string, within?: Place): Promise<void> {
    const found = this.#find(role, name, within);
    return this.#isTouch ? found.tap() : found.click();
  }

  async write(role: 'textbox' | 'spinbutton', name: string, text: string, within?: Place): Promise<void> {
    const found = this.#find(role, name, within);
    await found.fill(text);
    await found.blur();
  }

  async choose(name: string, option: string, within?: Place): Promise<void> {
    await this.#find('combobox', name, within).selectOption({ label: option });
  }

  see(role: Role, name: string, within?: Place): Promise<void> {
    return this.#find(role, name, within).waitFor();
  }

  propertyOf(role: Role, name: string, property: string, within?: Place): Promise<unknown> {
    return this.#find(role, name, within).evaluate(
      (element, key) => (element as unknown as Record<string, unknown>)[key],
      property,
    );
  }

  async waitFor(what: string, expression: string): Promise<void> {
    await until(what, waitMs, () => this.#page.evaluate(`Boolean(${expression})`) as Promise<boolean>);
  }

  #find(role: Role, name: string, within?: Place): Locator {
    const around =
      within === undefined
        ? this.#page
        : this.#page.getByRole(within[0], within[1] === undefined ? {} : { name: within[1], exact: true });
    return around.getByRole(role, { name, exact: true }).last();
  }
}

export class FirefoxWalker implements Walker {
  readonly #firefox: Firefox;

  constructor(firefox: Firefox) {
    this.#firefox = firefox;
  }

  press(role: Role, name: string, within?: Place): Promise<void> {
    return this.#firefox.press(role, name, within);
  }

  write(role: 'textbox' | 'spinbutton', name: string, text: string, within?: Place): Promise<void> {
    return this.#firefox.write(role, name, text, within);
  }

  choose(name: string, option: string, within?: Place): Promise<void> {
    return this.#firefox.choose(name, option, within);
  }

  async see(role: Role, name: string, within?: Place): Promise<void> {
    await this.#firefox.find(role, name, within);
  }

  propertyOf(role: Role, name: string, property: string, within?: Place): Promise<unknown> {
    return this.#firefox.propertyOf(role, name, property, within);
  }

  waitFor(what: string, expression: string): Promise<void> {
    return this.#firefox.waitFor(what, expression);
  }
}
