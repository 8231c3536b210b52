import type { Management, NodeApi } from '@tequio/api';

/** What a front is started with, besides the settings that the node has. */
export type HttpFrontOptions = {
  /** Absolute; `token` (0600, for programs) and what else a front remembers lie in it. */
  readonly dataFolder: string;
  readonly version: string;
};

/** Page, API and the interfaces that other programs know, over HTTP. */
export interface HttpFront {
  /**
   * Listens as `settings.http` says.
   * @returns the address to open, with a token that lets in once
   * @throws NodeError `NET_LISTEN`, `HTTP_NO_PASSWORD` (another address than this machine's, and no password)
   */
  start(
    node: NodeApi & { readonly management: Management },
    options: HttpFrontOptions,
  ): Promise<{ readonly url: string }>;
  /** Ends streams with a last word, and takes no new ones; two seconds at most. */
  close(): Promise<void>;
}
