import type { BanSnapshot } from '@tequio/bittorrent/contract';
import type { NatStatus } from './nat-api.ts';

/** An address filter, as it was read. */
export type AddressFilterReport = {
  readonly rangeCount: number;
  /** Lines that could not be read and are left out; the first of them, with a sentence each. */
  readonly badLineCount: number;
  readonly badLines: readonly { readonly line: number; readonly message: string }[];
};

/** With whom the node has nothing to do, and the routers before it. */
export interface NetworkApi {
  bans(): Promise<readonly BanSnapshot[]>;
  ban(address: string, message: string): Promise<void>;
  /** False: it was not banned. */
  unban(address: string): Promise<boolean>;
  /** Null: there is none. */
  addressFilter(): Promise<(AddressFilterReport & { readonly readAtMs: number }) | null>;
  /**
   * Reads the list again, from where the settings say.
   * @throws NodeError `ADDRESS_FILTER`, and those of files and of the web
   */
  refreshAddressFilter(): Promise<AddressFilterReport>;
  /** Null: port mapping is off. */
  routers(): Promise<NatStatus | null>;
}
