/** What kubo's verbs work with, made of a node's parts. */
import { join } from 'node:path';
import type { LogLine, Settings, SettingsPatch } from '@tequio/api';
import type { Clock, FilesPort, Hashes } from '@tequio/kernel';
import type { NodeIpfs } from '../../ipfs/node-ipfs.ts';
import { KuboConfig } from './kubo-config.ts';
import type { KuboDeps } from './kubo-verb.ts';
import { TopicBook } from './topic-book.ts';

export type KuboNodeParts = {
  readonly ipfs: NodeIpfs;
  readonly dataFolder: string;
  readonly files: FilesPort;
  readonly hashes: Hashes;
  readonly clock: Clock;
  readonly log: { subscribe(listener: (line: LogLine) => void): () => void };
  readonly settings: () => Settings;
  readonly patchSettings: (changes: SettingsPatch) => Promise<unknown>;
  readonly version: string;
  shutdown(): void;
};

/** Opens IPFS for one call. */
export function createKuboOpener(parts: KuboNodeParts): () => Promise<KuboDeps> {
  const { ipfs, dataFolder, files, hashes, clock, log, settings, version } = parts;
  const repositoryFolder = join(dataFolder, 'ipfs');
  const config = new KuboConfig({
    files,
    path: join(repositoryFolder, 'kubo-config.json'),
    settings,
    change: parts.patchSettings,
    peer: async () => (await (await ipfs.open()).keys.get('self')).peer,
  });
  const topics = new TopicBook();
  const node = { log, clock, settings, repositoryFolder, shutdown: () => parts.shutdown() };
  return async () => {
    const open = await ipfs.open();
    return { ...open, ...ipfs.read(open), config, topics, node, hashes, version };
  };
}
