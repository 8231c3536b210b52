/**
 * A page that was made for another program, served beside our own or in its place. It talks to that program's
 * interface, which we have (compat/), with the rights of whoever logs in there; it may run what it brings, and load
 * nothing else.
 */
import type { WebResponse } from '@tequio/kernel';
import type { PageFiles } from './page-files.ts';
import { foreignPagePolicy } from './security-headers.ts';

export class ForeignPage {
  /** Without a slash at the end; empty: in place of ours. */
  readonly #path: string;
  readonly #files: PageFiles;

  constructor(path: string, files: PageFiles) {
    this.#path = path === '/' ? '' : path;
    this.#files = files;
  }

  /** Null: this is no path of it. */
  tryAnswer(path: string, headers: Readonly<Record<string, string>>, basePath: string): WebResponse | null {
    // What it loads is named relative to its folder.
    if (path === this.#path && path !== '')
      return { status: 308, headers: { location: `${basePath}${this.#path}/` }, body: null };
    if (!path.startsWith(`${this.#path}/`)) return null;
    return this.#files.answer(path.slice(this.#path.length), headers, foreignPagePolicy);
  }
}
