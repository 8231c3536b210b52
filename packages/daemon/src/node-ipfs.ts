/** The part of a node that keeps IPFS content: in `ipfs` of the data folder, one process at a time. */
import { join } from 'node:path';
import { IpfsService } from '@tequio/ipfs';
import { NodeError } from '@tequio/kernel';
import { type RuntimePorts, readBootId, tryLockFolder } from '@tequio/runtime';

export type NodeIpfs = { readonly service: IpfsService; close(): Promise<void> };

/** @throws NodeError `IPFS_IN_USE`, `DATA_FOLDER`, and of the store */
export async function openNodeIpfs(dataFolder: string, ports: RuntimePorts): Promise<NodeIpfs> {
  const folder = join(dataFolder, 'ipfs');
  const lock = tryLockFolder(join(folder, 'lock'), 'alone');
  if (lock === null) {
    throw new NodeError('IPFS_IN_USE', `Another Tequio works in ${folder}: wait for its end, or stop it.`, {
      op: 'open',
      retry: true,
      data: { folder },
    });
  }
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
