/** The node's port mapping. */
import { join } from 'node:path';
import type { NatHandle, NatPort, NatStatus } from '@tequio/api';
import type { IpAddress, Ports } from '@tequio/kernel';
import { PortMapper } from '@tequio/network/port-mapping';

/** How often `settle` looks. */
const settleTickMs = 50;
const nonceBytes = 12;

export class NodeNat implements NatHandle {
  readonly mapper: PortMapper;
  readonly #ports: Ports;

  /** Makes nothing but a file in the data folder, if that is not there. @throws NodeError `FILE_WRITE` */
  static async create(dataFolder: string, bind: IpAddress | null, ports: Ports): Promise<NodeNat> {
    return new NodeNat(await readNonce(dataFolder, ports), bind, ports);
  }

  private constructor(nonce: Uint8Array, bind: IpAddress | null, ports: Ports) {
    this.#ports = ports;
    this.mapper = new PortMapper({ nonce, description: 'Tequio', bind }, ports);
  }

  /** Begins, with these ports and whatever others want besides. */
  start(wanted: readonly NatPort[] = []): void {
    if (wanted.length > 0) this.mapper.want(wanted);
    this.mapper.start();
  }

  status(): NatStatus {
    return { ways: this.mapper.ways };
  }

  subscribe(listener: () => void): () => void {
    return this.mapper.subscribe(listener);
  }

  async settle(timeoutMs: number): Promise<void> {
    const { clock } = this.#ports;
    const endMs = clock.nowMs() + timeoutMs;
    while (!this.#isSettled() && clock.nowMs() < endMs) {
      await new Promise<void>((resolve) => clock.setTimer(settleTickMs, resolve));
    }
  }

  close(options?: { readonly keep?: boolean }): Promise<void> {
    return this.mapper.close(options);
  }

  #isSettled(): boolean {
    if (!this.mapper.hasLooked) return false;
    return this.mapper.ways.every(
      ({ protocols, mappings, protocol }) =>
        protocols.every(({ state }) => state !== 'asked') &&
        (protocol === null || mappings.every(({ state }) => state !== 'asked')),
    );
  }
}

/** Routers give a PCP mapping only to who knows its nonce: a node that was killed renews its own after the start. */
async function readNonce(dataFolder: string, { files, entropy }: Ports): Promise<Uint8Array> {
  const path = join(dataFolder, 'port-mapping-nonce');
  if ((await files.kind(path)) === 'file') {
    const nonce = await files.readFile(path, 1024);
    if (nonce.length === nonceBytes) return nonce;
  }
  const nonce = entropy.bytes(nonceBytes);
  await files.makeFolder(dataFolder);
  await files.writeFile(path, nonce, { secret: true });
  return nonce;
}
