import type { Management } from './management.ts';
import type { NodeApi } from './node-api.ts';
import type { SettingsPatch } from './settings-api.ts';

/** With what a daemon is started, besides the environment. */
export type DaemonStart = {
  /** Absolute folder of all that the node remembers; null: the system's usual place. */
  readonly dataFolder: string | null;
  /** Absolute; null: `config.toml` in the data folder. */
  readonly configPath: string | null;
  /** Over config file and environment. */
  readonly flags: SettingsPatch;
  /** Every line of the log from `warn` on. */
  readonly onTrouble?: (line: string) => void;
};

/** A node with management, in this process. */
export type RunningDaemon = NodeApi & {
  readonly management: Management;
  /** Of page and API, with a token that lets in once; null: HTTP is off. */
  readonly url: string | null;
  /** Settles when somebody has asked the node, over its API, to end. */
  readonly ended: Promise<void>;
};

/** What a config file was found to be. */
export type ConfigReport = {
  readonly path: string;
  readonly exists: boolean;
  /** Empty: it is good. */
  readonly problems: readonly { readonly key: string; readonly message: string }[];
};
