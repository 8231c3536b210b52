/** The repository in `ipfs` of the data folder, for one command. */
import { join } from 'node:path';
import { IpfsService } from '@tequio/ipfs';
import { type RuntimePorts, readBootId } from '@tequio/runtime';
import { lockRepository } from './repository-lock.ts';

export type CommandIpfs = { readonly service: IpfsService; close(): Promise<void> };

/** @throws NodeError `IPFS_IN_USE`, `DATA_FOLDER`, and of the store */
export async function openCommandIpfs(dataFolder: string, ports: RuntimePorts): Promise<CommandIpfs> {
  const folder = join(dataFolder, 'ipfs');
  const lock = lockRepository(folder);
  try {
    const service = await IpfsService.open({ folder, quotaBytes: null, bootId: readBootId() }, ports);
    const close = async (): Promise<void> => {
      await service.close();
      lock.release();
    };
    return { service, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}
