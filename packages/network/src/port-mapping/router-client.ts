/** What the three ways of asking a router have in common, towards the machine that chooses among them. */
import type { Endpoint, IpAddress } from '@tequio/kernel';
import type { GrantedMapping, MappingProtocol, WantedPort } from './mapping.ts';
import type { RouterPlace, RouterUrl } from './router-url.ts';

/** A path to the Internet: one address of ours, and the router that packets from it go to. */
export type WayPlace = RouterPlace & {
  readonly family: 4 | 6;
  /** True when the system did not say where the gateway is, and `gateway` is the usual guess. */
  readonly isGuess: boolean;
};

export type ClientEffect =
  | { readonly type: 'send'; readonly to: Endpoint; readonly bytes: Uint8Array }
  | {
      readonly type: 'http';
      readonly id: number;
      readonly url: RouterUrl;
      readonly method: 'GET' | 'POST';
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    };

/** `silent`: no answer; `useless`: one that does not help; `offline`: the router has no public address itself. */
export type AbsenceKind = 'silent' | 'useless' | 'offline';

export type ClientReport =
  /** The router speaks this protocol and can be asked. */
  | { readonly type: 'found'; readonly detail: string }
  /** A search has ended without; or what was found is of no use, and why. */
  | { readonly type: 'absent'; readonly kind: AbsenceKind; readonly reason: string }
  | { readonly type: 'external'; readonly address: IpAddress | null }
  | { readonly type: 'mapped'; readonly wanted: WantedPort; readonly grant: GrantedMapping }
  | { readonly type: 'refused'; readonly wanted: WantedPort; readonly reason: string }
  | { readonly type: 'unmapped'; readonly wanted: WantedPort }
  /** A check has found it as it was. */
  | { readonly type: 'present' }
  /** Mappings made so far may be gone: the router has started anew, or does not answer. */
  | { readonly type: 'forgotten' }
  | { readonly type: 'silent' };

/** One protocol with one router. Reports come out of `drain`, never from inside a call. */
export interface RouterClient {
  readonly protocol: MappingProtocol;
  /** Looks whether the router speaks this protocol; changes nothing there. `found` or `absent` follows. */
  probe(nowMs: number): void;
  /** Asks for a mapping, or renews one. `mapped` or `refused` follows. `externalPort`: the wish. */
  map(wanted: WantedPort, externalPort: number, nowMs: number): void;
  /** `unmapped` follows, also when the router says nothing. */
  unmap(wanted: WantedPort, grant: GrantedMapping, nowMs: number): void;
  /**
   * Looks whether this mapping is still there: `present` (or `mapped`, if asking renews), `forgotten` or
   * `silent` follows, `external` may.
   */
  check(wanted: WantedPort, grant: GrantedMapping, nowMs: number): void;
  handleDatagram(bytes: Uint8Array, from: Endpoint, nowMs: number): void;
  /** `answer` null: no answer, or one of no use. */
  handleHttp(
    id: number,
    answer: { readonly status: number; readonly body: string } | null,
    nowMs: number,
  ): void;
  handleTimeout(nowMs: number): void;
  nextTimeoutMs(): number | null;
  drain(effects: ClientEffect[], reports: ClientReport[]): void;
}
