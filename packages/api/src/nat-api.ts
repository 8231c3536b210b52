/**
 * One address of the node with the router that its packets go through: what the router can do, and what it has been
 * asked for. Words as in `@tequio/network`.
 */
export type NatWay = {
  readonly family: 4 | 6;
  /** Ours. */
  readonly local: string;
  /** Null: not known, or none. */
  readonly gateway: string | null;
  /** The system did not say where the gateway is. */
  readonly isGuess: boolean;
  /** Which protocol maps ports; null: none does. */
  readonly protocol: NatProtocol | null;
  readonly protocols: readonly NatProtocolState[];
  /** What the router says. */
  readonly externalAddress: string | null;
  /** The router itself is behind another one (or offline): it cannot let anybody in. */
  readonly isDoubleNat: boolean;
  readonly mappings: readonly NatMapping[];
};

export type NatProtocol = 'pcp' | 'nat-pmp' | 'upnp';

export type NatProtocolState = {
  readonly protocol: NatProtocol;
  /** `silent`: no answer; `useless`: one that does not help; `offline`: the router has no public address. */
  readonly state: 'asked' | 'found' | 'silent' | 'useless' | 'offline';
  /** What was found, or why it does not help; may hold the router's own words. */
  readonly detail: string;
};

export type NatPort = { readonly transport: 'tcp' | 'udp'; readonly port: number };

export type NatMapping = NatPort & {
  readonly state: 'asked' | 'mapped' | 'refused';
  /** The one that others dial. */
  readonly externalPort: number | null;
  /** Of a refusal; else ''. */
  readonly reason: string;
};

/** Whether others can come to us, how that is known, and what to do: see `ReachabilityJudge` in `@tequio/network`. */
export type NatReachability = {
  readonly family: 4 | 6;
  readonly transport: 'tcp' | 'udp';
  readonly state: 'unknown' | 'open' | 'mapped' | 'punchable' | 'closed';
  readonly basis:
    | 'incoming'
    | 'mapping'
    | 'same-port'
    | 'different-ports'
    | 'no-address'
    | 'not-listening'
    | 'nobody-came'
    | 'nothing';
  /** Somebody has come in, lately. */
  readonly isSeen: boolean;
  readonly advice: 'none' | 'wait' | 'name-port' | 'forward-port' | 'open-firewall' | 'ask-provider';
  /** `address:port` at which others reach us, or would, as far as that is known; null: it is not. */
  readonly endpoint: string | null;
};

/** What is known about the routers. A picture of now. */
export type NatStatus = { readonly ways: readonly NatWay[] };

/** Port mapping at work, until `close`. */
export interface NatHandle {
  status(): NatStatus;
  /** Calls back whenever a way has changed; the returned function ends that. */
  subscribe(listener: () => void): () => void;
  /** Until every protocol was found or given up and every port mapped or refused, but no longer than so. */
  settle(timeoutMs: number): Promise<void>;
  /** Removes the mappings, unless they shall be kept until the router forgets them; takes two seconds at most. */
  close(options?: { readonly keep?: boolean }): Promise<void>;
}

export type NatOptions = {
  /** Asked of every router. Empty: only looks. */
  readonly ports: readonly NatPort[];
};
