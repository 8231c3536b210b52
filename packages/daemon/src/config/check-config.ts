import { join } from 'node:path';
import type { ConfigReport, DaemonStart } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import { createFiles } from '@tequio/runtime';
import { usualDataFolder } from '../data-folder.ts';
import { problemsOf, readConfigFile } from './config-file.ts';
import { settingsOfEnvironment } from './environment.ts';

/** Reads what a daemon would read, and says all that is wrong with it. @throws NodeError of files */
export async function checkConfig(
  { dataFolder, configPath }: Pick<DaemonStart, 'dataFolder' | 'configPath'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ConfigReport> {
  const path = configPath ?? join(dataFolder ?? usualDataFolder(env, process.platform), 'config.toml');
  const files = createFiles();
  const exists = (await files.realPath(path)) !== null;
  const problems: { key: string; message: string }[] = [];
  const collect = async (key: string, read: () => unknown): Promise<void> => {
    try {
      problems.push(...problemsOf(await read()));
    } catch (error) {
      if (!(error instanceof NodeError) || !error.code.startsWith('CONFIG_')) throw error;
      problems.push({ key, message: error.message });
    }
  };
  await collect(path, async () => (await readConfigFile(path, files)).sections);
  await collect('environment', () => settingsOfEnvironment(env));
  return { path, exists, problems };
}
