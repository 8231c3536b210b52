/** The repository of the process that is killed, and of those who look at what is left. */
import { createHash } from 'node:crypto';
import { IpfsRepository } from '@tequio/ipfs';
import { createRuntimePorts, type RuntimePorts } from '@tequio/runtime';

export type OpenRepository = { readonly repository: IpfsRepository; readonly ports: RuntimePorts };

export async function openRepository(folder: string): Promise<OpenRepository> {
  const ports = createRuntimePorts();
  // Small segments, so that collections have something to write anew.
  const options = { folder, quotaBytes: null, bootId: 'this boot', segmentBytes: 8_000_000 };
  return { repository: await IpfsRepository.open(options, ports), ports };
}

/** Bytes that no two seeds share. */
export function seededBytes(seed: number, length: number): Uint8Array {
  return createHash('shake128', { outputLength: length }).update(String(seed)).digest();
}
