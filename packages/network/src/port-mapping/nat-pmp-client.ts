import { type Endpoint, formatEndpoint, type IpAddress, type Prng } from '@tequio/kernel';
import { limits } from '../limits.ts';
import { DatagramClient } from './datagram-client.ts';
import type { GrantedMapping, WantedPort } from './mapping.ts';
import {
  decodeNatPmpResponse,
  describeNatPmpResult,
  encodeNatPmpAddress,
  encodeNatPmpMap,
  type NatPmpResponse,
  natPmpResults,
} from './nat-pmp.ts';
import { pcpServerPort } from './pcp.ts';
import type { RouterClient, WayPlace } from './router-client.ts';
import { ServerEpoch } from './server-epoch.ts';

const { natPmpProbe, natPmpRequest, removal } = limits.portMapping;

/** NAT-PMP with one router, IPv4 only. Whoever holds our address may remove what we asked for: it has no secret. */
export class NatPmpClient extends DatagramClient implements RouterClient {
  readonly protocol = 'nat-pmp';
  readonly #server: Endpoint | null;
  readonly #epoch = new ServerEpoch();
  #externalAddress: IpAddress | null = null;

  constructor(place: WayPlace, prng: Prng) {
    super(prng);
    this.#server = place.gateway === null ? null : { address: place.gateway, port: pcpServerPort };
  }

  probe(nowMs: number): void {
    this.requests.clear();
    if (this.#server === null)
      this.reports.push({ type: 'absent', kind: 'silent', reason: 'the gateway is not known' });
    else this.requests.ask('probe', encodeNatPmpAddress(), [this.#server], natPmpProbe, nowMs);
  }

  /** The epoch of any answer shows whether mappings are kept. */
  check(_wanted: WantedPort, _grant: GrantedMapping, nowMs: number): void {
    this.requests.ask('check', encodeNatPmpAddress(), this.#servers(), natPmpRequest, nowMs);
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
    if (isForgotten) this.reports.push({ type: 'forgotten' });
  }

  #servers(): readonly Endpoint[] {
    return this.#server === null ? [] : [this.#server];
  }

  protected override askMap(
    key: string,
    wanted: WantedPort,
    externalPort: number,
    lifetimeSeconds: number,
    nowMs: number,
  ): void {
    const { transport, port: internalPort } = wanted;
    const bytes = encodeNatPmpMap({ transport, internalPort, externalPort, lifetimeSeconds });
    this.requests.ask(key, bytes, this.#servers(), lifetimeSeconds === 0 ? removal : natPmpRequest, nowMs);
  }

  #handleAddress({ result, address }: NatPmpResponse & { readonly type: 'address' }): void {
    const isGood = result === natPmpResults.success;
    if (isGood) this.#externalAddress = address === '0.0.0.0' ? null : address;
    if (this.requests.settle('probe')) {
      const kind = result === natPmpResults.networkFailure ? 'offline' : 'useless';
      if (!isGood) this.reports.push({ type: 'absent', kind, reason: describeNatPmpResult(result) });
      else this.reports.push({ type: 'found', detail: 'NAT-PMP' });
    }
    if (isGood) this.reports.push({ type: 'external', address: this.#externalAddress });
    if (this.requests.settle('check')) this.reports.push({ type: isGood ? 'present' : 'forgotten' });
  }

  #handleMap(response: NatPmpResponse & { readonly type: 'map' }): void {
    const { result, externalPort } = response;
    const isRefused =
      result !== natPmpResults.success || (externalPort === 0 && response.lifetimeSeconds !== 0);
    const refusal = isRefused ? describeNatPmpResult(result) : null;
    this.handleMap({ ...response, refusal, externalAddress: this.#externalAddress });
  }
}
