import { type Endpoint, formatEndpoint, type IpAddress, type Prng } from '@tequio/kernel';
import { limits } from '../limits.ts';
import { DatagramRequests } from './datagram-requests.ts';
import { type GrantedMapping, keyOfPort, portOfKey, type WantedPort } from './mapping.ts';
import {
  decodeNatPmpResponse,
  describeNatPmpResult,
  encodeNatPmpAddress,
  encodeNatPmpMap,
  type NatPmpResponse,
  natPmpResults,
} from './nat-pmp.ts';
import { pcpServerPort } from './pcp.ts';
import type { ClientEffect, ClientReport, RouterClient, WayPlace } from './router-client.ts';
import { ServerEpoch } from './server-epoch.ts';

const { leaseSeconds, natPmpProbe, natPmpRequest, removal } = limits.portMapping;

/** NAT-PMP with one router, IPv4 only. Whoever holds our address may remove what we asked for: it has no secret. */
export class NatPmpClient implements RouterClient {
  readonly protocol = 'nat-pmp';
  readonly #server: Endpoint | null;
  readonly #requests: DatagramRequests;
  readonly #reports: ClientReport[] = [];
  readonly #epoch = new ServerEpoch();
  #externalAddress: IpAddress | null = null;

  constructor(place: WayPlace, prng: Prng) {
    this.#server = place.gateway === null ? null : { address: place.gateway, port: pcpServerPort };
    this.#requests = new DatagramRequests(prng);
  }

  probe(nowMs: number): void {
    this.#requests.clear();
    if (this.#server === null)
      this.#reports.push({ type: 'absent', kind: 'silent', reason: 'the gateway is not known' });
    else this.#requests.ask('probe', encodeNatPmpAddress(), [this.#server], natPmpProbe, nowMs);
  }

  map(wanted: WantedPort, externalPort: number, nowMs: number): void {
    this.#askMap(`map ${keyOfPort(wanted)}`, wanted, externalPort, leaseSeconds, nowMs);
  }

  unmap(wanted: WantedPort, _grant: GrantedMapping, nowMs: number): void {
    this.#askMap(`unmap ${keyOfPort(wanted)}`, wanted, 0, 0, nowMs);
  }

  /** The epoch of any answer shows whether mappings are kept. */
  check(_wanted: WantedPort, _grant: GrantedMapping, nowMs: number): void {
    this.#requests.ask('check', encodeNatPmpAddress(), this.#servers(), natPmpRequest, nowMs);
  }

  handleDatagram(bytes: Uint8Array, from: Endpoint, nowMs: number): void {
    if (this.#server === null || formatEndpoint(from) !== formatEndpoint(this.#server)) return;
    const decoded = decodeNatPmpResponse(bytes);
    if (!decoded.ok) return;
    const response = decoded.value;
    // Our questions have the version that every server knows: this is the answer to PCP's, from the same socket.
    if (response.result === natPmpResults.unsupportedVersion) return;
    const isForgotten = this.#epoch.handleEpoch(response.epochSeconds, nowMs);
    if (response.type === 'address') this.#handleAddress(response);
    else this.#handleMap(response);
    if (isForgotten) this.#reports.push({ type: 'forgotten' });
  }

  handleHttp(): void {}

  handleTimeout(nowMs: number): void {
    for (const key of this.#requests.handleTimeout(nowMs)) {
      const [what, port] = key.split(' ') as [string, string | undefined];
      if (what === 'probe') this.#reports.push({ type: 'absent', kind: 'silent', reason: 'no answer' });
      else if (what === 'unmap') this.#reports.push({ type: 'unmapped', wanted: portOfKey(port!) });
      else this.#reports.push({ type: 'silent' });
    }
  }

  nextTimeoutMs(): number | null {
    return this.#requests.nextTimeoutMs();
  }

  drain(effects: ClientEffect[], reports: ClientReport[]): void {
    this.#requests.drain(effects);
    reports.push(...this.#reports);
    this.#reports.length = 0;
  }

  #servers(): readonly Endpoint[] {
    return this.#server === null ? [] : [this.#server];
  }

  #askMap(
    key: string,
    wanted: WantedPort,
    externalPort: number,
    lifetimeSeconds: number,
    nowMs: number,
  ): void {
    const { transport, port: internalPort } = wanted;
    const bytes = encodeNatPmpMap({ transport, internalPort, externalPort, lifetimeSeconds });
    this.#requests.ask(key, bytes, this.#servers(), lifetimeSeconds === 0 ? removal : natPmpRequest, nowMs);
  }

  #handleAddress({ result, address }: NatPmpResponse & { readonly type: 'address' }): void {
    const isGood = result === natPmpResults.success;
    if (isGood) this.#externalAddress = address === '0.0.0.0' ? null : address;
    if (this.#requests.settle('probe')) {
      const kind = result === natPmpResults.networkFailure ? 'offline' : 'useless';
      if (!isGood) this.#reports.push({ type: 'absent', kind, reason: describeNatPmpResult(result) });
      else this.#reports.push({ type: 'found', detail: 'NAT-PMP' });
    }
    if (isGood) this.#reports.push({ type: 'external', address: this.#externalAddress });
    if (this.#requests.settle('check')) this.#reports.push({ type: isGood ? 'present' : 'forgotten' });
  }

  #handleMap(response: NatPmpResponse & { readonly type: 'map' }): void {
    const wanted = { transport: response.transport, port: response.internalPort };
    const key = keyOfPort(wanted);
    const isRemoval = response.result === natPmpResults.success && response.lifetimeSeconds === 0;
    if (isRemoval || !this.#requests.isWaiting(`map ${key}`)) {
      if (this.#requests.settle(`unmap ${key}`)) this.#reports.push({ type: 'unmapped', wanted });
      return;
    }
    this.#requests.settle(`map ${key}`);
    const { result, externalPort, lifetimeSeconds } = response;
    if (result !== natPmpResults.success || externalPort === 0) {
      this.#reports.push({ type: 'refused', wanted, reason: describeNatPmpResult(result) });
      return;
    }
    const externalAddress = this.#externalAddress;
    this.#reports.push({
      type: 'mapped',
      wanted,
      grant: { externalPort, externalAddress, leaseSeconds: lifetimeSeconds },
    });
  }
}
