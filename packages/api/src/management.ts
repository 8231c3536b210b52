import type { BridgeApi } from './bridge-api.ts';
import type { DhtQuestions } from './dht-questions.ts';
import type { EventsApi } from './events-api.ts';
import type { IpfsNodeApi } from './ipfs-node-api.ts';
import type { LogApi } from './log-api.ts';
import type { NetworkApi } from './network-api.ts';
import type { RssApi } from './rss-api.ts';
import type { SettingsApi } from './settings-api.ts';
import type { HistoryApi } from './speed-history-api.ts';
import type { StatusApi } from './status-api.ts';
import type { TorrentsApi } from './torrents-api.ts';
import type { Identity, UsersApi } from './users-api.ts';

/**
 * A node as people run it: what can be seen and done, in one place. The page, the command line, the HTTP API and the
 * interfaces that other programs know are all calls on this.
 */
export interface Management {
  readonly torrents: TorrentsApi;
  readonly status: StatusApi;
  readonly history: HistoryApi;
  readonly events: EventsApi;
  readonly log: LogApi;
  readonly settings: SettingsApi;
  readonly rss: RssApi;
  readonly users: UsersApi;
  readonly network: NetworkApi;
  readonly dht: DhtQuestions;
  readonly ipfs: IpfsNodeApi;
  readonly bridge: BridgeApi;
  /**
   * The same node with somebody's rights: their torrents only, and NodeError `USER_RIGHT` for what their scope does not
   * allow. Whoever lets somebody in calls this once and hands on the result.
   */
  as(identity: Identity): Management;
}
