import type { IpAddress, Prng } from '@tequio/kernel';
import { limits } from '../limits.ts';
import { DatagramRequests } from './datagram-requests.ts';
import { type GrantedMapping, keyOfPort, portOfKey, type WantedPort } from './mapping.ts';
import type { ClientEffect, ClientReport } from './router-client.ts';

const { leaseSeconds } = limits.portMapping;

/** What both protocols say about a mapping that was asked for. */
export type MapAnswer = {
  readonly transport: WantedPort['transport'];
  readonly internalPort: number;
  readonly externalPort: number;
  readonly lifetimeSeconds: number;
  /** Null: it was granted. */
  readonly refusal: string | null;
  readonly externalAddress: IpAddress | null;
};

/** What NAT-PMP and its successor PCP have in common: a datagram asks, one answers, and silence is asked again. */
export abstract class DatagramClient {
  protected readonly requests: DatagramRequests;
  protected readonly reports: ClientReport[] = [];

  protected constructor(prng: Prng) {
    this.requests = new DatagramRequests(prng);
  }

  map(wanted: WantedPort, externalPort: number, nowMs: number): void {
    this.askMap(`map ${keyOfPort(wanted)}`, wanted, externalPort, leaseSeconds, nowMs);
  }

  unmap(wanted: WantedPort, _grant: GrantedMapping, nowMs: number): void {
    this.askMap(`unmap ${keyOfPort(wanted)}`, wanted, 0, 0, nowMs);
  }

  handleHttp(): void {}

  handleTimeout(nowMs: number): void {
    for (const key of this.requests.handleTimeout(nowMs)) {
      const [what, port] = key.split(' ') as [string, string | undefined];
      if (what === 'probe') this.reports.push({ type: 'absent', kind: 'silent', reason: 'no answer' });
      else if (what === 'unmap') this.reports.push({ type: 'unmapped', wanted: portOfKey(port!) });
      else this.reports.push({ type: 'silent' });
    }
  }

  nextTimeoutMs(): number | null {
    return this.requests.nextTimeoutMs();
  }

  drain(effects: ClientEffect[], reports: ClientReport[]): void {
    this.requests.drain(effects);
    reports.push(...this.reports);
    this.reports.length = 0;
  }

  protected handleMap(answer: MapAnswer): void {
    const { transport, internalPort, externalPort, externalAddress, lifetimeSeconds, refusal } = answer;
    const wanted = { transport, port: internalPort };
    const key = keyOfPort(wanted);
    const isRemoval = refusal === null && lifetimeSeconds === 0;
    if (isRemoval || !this.requests.isWaiting(`map ${key}`)) {
      if (this.requests.settle(`unmap ${key}`)) this.reports.push({ type: 'unmapped', wanted });
      return;
    }
    this.requests.settle(`map ${key}`);
    if (refusal !== null) this.reports.push({ type: 'refused', wanted, reason: refusal });
    else {
      const grant = { externalPort, externalAddress, leaseSeconds: lifetimeSeconds };
      this.reports.push({ type: 'mapped', wanted, grant });
    }
  }

  /** @param lifetimeSeconds 0 takes it back */
  protected abstract askMap(
    key: string,
    wanted: WantedPort,
    externalPort: number,
    lifetimeSeconds: number,
    nowMs: number,
  ): void;
}
