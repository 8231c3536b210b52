import type { Command } from 'commander';
import type { Messages } from './messages/en.ts';
import type { Session } from './session.ts';

/** Gives a commander command its arguments, options, help and action. */
export type DefineCommand = (command: Command, session: Session) => void;

/** Each command's file is loaded only when it is called: `show` must not wait for what `demo` needs. */
const loaders: Readonly<Record<string, () => Promise<DefineCommand>>> = {
  run: async () => (await import('./commands/run.ts')).defineRun,
  get: async () => (await import('./commands/get.ts')).defineGet,
  seed: async () => (await import('./commands/seed.ts')).defineSeed,
  create: async () => (await import('./commands/create.ts')).defineCreate,
  show: async () => (await import('./commands/show.ts')).defineShow,
  verify: async () => (await import('./commands/verify.ts')).defineVerify,
  tracker: async () => (await import('./commands/tracker.ts')).defineTracker,
  dht: async () => (await import('./commands/dht.ts')).defineDht,
  status: async () => (await import('./commands/status.ts')).defineStatus,
  bans: async () => (await import('./commands/bans.ts')).defineBans,
  ipfs: async () => (await import('./commands/ipfs.ts')).defineIpfs,
  nat: async () => (await import('./commands/nat.ts')).defineNat,
  list: async () => (await import('./commands/list.ts')).defineList,
  add: async () => (await import('./commands/add.ts')).defineAdd,
  info: async () => (await import('./commands/info.ts')).defineInfo,
  pause: async () => (await import('./commands/torrent-actions.ts')).definePause,
  resume: async () => (await import('./commands/torrent-actions.ts')).defineResume,
  remove: async () => (await import('./commands/torrent-actions.ts')).defineRemove,
  twin: async () => (await import('./commands/twin.ts')).defineTwin,
  settings: async () => (await import('./commands/settings.ts')).defineSettings,
  log: async () => (await import('./commands/log.ts')).defineLog,
  keys: async () => (await import('./commands/keys.ts')).defineKeys,
  users: async () => (await import('./commands/users.ts')).defineUsers,
  password: async () => (await import('./commands/password.ts')).definePassword,
  open: async () => (await import('./commands/open.ts')).defineOpen,
  stop: async () => (await import('./commands/stop.ts')).defineStop,
  service: async () => (await import('./commands/service.ts')).defineService,
  completions: async () => (await import('./commands/completions.ts')).defineCompletions,
  man: async () => (await import('./commands/man.ts')).defineMan,
  config: async () => (await import('./commands/config.ts')).defineConfig,
  demo: async () => (await import('./commands/demo.ts')).defineDemo,
};

/** In the order of the help. */
export const commandNames: readonly string[] = Object.keys(loaders);

export function loadCommand(name: string): Promise<DefineCommand> {
  return loaders[name]!();
}

export function summaryOf(name: string, messages: Messages): string {
  const { help } = messages;
  type Named = { [Key in keyof typeof help]: (typeof help)[Key] extends { summary: string } ? Key : never };
  return help[name as Named[keyof Named]].summary;
}
