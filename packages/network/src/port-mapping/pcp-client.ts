import { bytesEqual, type Endpoint, formatEndpoint, type IpAddress, isIpv6, type Prng } from '@tequio/kernel';
import { limits } from '../limits.ts';
import { DatagramClient } from './datagram-client.ts';
import type { GrantedMapping, WantedPort } from './mapping.ts';
import {
  decodePcpResponse,
  describePcpResult,
  encodePcpAnnounce,
  encodePcpMap,
  type PcpResponse,
  pcpResults,
  pcpServerPort,
} from './pcp.ts';
import type { AbsenceKind, RouterClient, WayPlace } from './router-client.ts';
import { ServerEpoch } from './server-epoch.ts';

const { pcpProbe, pcpRequest, removal } = limits.portMapping;

/** RFC 7723: a PCP server anywhere on the way out, where the gateway is not known for sure. */
const anycastIpv4 = '192.0.0.9' as IpAddress;
const anycastIpv6 = '2001:1::1' as IpAddress;

/**
 * PCP with one router. A mapping belongs to who knows its nonce, so the nonce outlives the process: a node that was
 * killed can renew and remove what it had asked for.
 */
export class PcpClient extends DatagramClient implements RouterClient {
  readonly protocol = 'pcp';
  readonly #place: WayPlace;
  readonly #nonce: Uint8Array;
  #epoch = new ServerEpoch();
  /** Who may be the server; after an answer, who is. */
  #servers: readonly Endpoint[];

  constructor(place: WayPlace, nonce: Uint8Array, prng: Prng) {
    super(prng);
    this.#place = place;
    this.#nonce = nonce;
    this.#servers = serversOf(place);
  }

  probe(nowMs: number): void {
    this.#servers = serversOf(this.#place);
    this.requests.clear();
    if (this.#servers.length === 0)
      this.reports.push({ type: 'absent', kind: 'silent', reason: 'the gateway is not known' });
    else this.requests.ask('probe', encodePcpAnnounce(this.#place.local), this.#servers, pcpProbe, nowMs);
  }

  /**
   * IPv4: asks for the same again, which shows epoch and external address, and mends what is broken. IPv6: only the
   * epoch is asked for. There is no other address to see, and miniupnpd 2.3.1 forgets the nonce of a pinhole that is
   * renewed: it could not be removed any more.
   */
  check(wanted: WantedPort, grant: GrantedMapping, nowMs: number): void {
    if (this.#place.family === 4) this.map(wanted, grant.externalPort, nowMs);
    else this.requests.ask('check', encodePcpAnnounce(this.#place.local), this.#servers, pcpRequest, nowMs);
  }

  handleDatagram(bytes: Uint8Array, from: Endpoint, nowMs: number): void {
    const server = this.#servers.find((one) => formatEndpoint(one) === formatEndpoint(from));
    if (server === undefined) return;
    const decoded = decodePcpResponse(bytes);
    if (!decoded.ok) {
      if (decoded.fault.code === 'NETWORK_PCP_VERSION' && this.requests.settle('probe')) {
        this.reports.push({ type: 'absent', kind: 'useless', reason: 'the router does not speak it' });
      }
      return;
    }
    const response = decoded.value;
    if (response.type === 'map' && !bytesEqual(response.nonce, this.#nonce)) return;
    const isForgotten = this.#epoch.handleEpoch(response.epochSeconds, nowMs);
    if (response.type === 'announce') this.#handleAnnounce(response.result, server);
    else this.#handleMap(response);
    if (isForgotten) this.reports.push({ type: 'forgotten' });
  }

  protected override askMap(
    key: string,
    wanted: WantedPort,
    externalPort: number,
    lifetimeSeconds: number,
    nowMs: number,
  ): void {
    const bytes = encodePcpMap({
      clientAddress: this.#place.local,
      nonce: this.#nonce,
      transport: wanted.transport,
      internalPort: wanted.port,
      externalPort,
      lifetimeSeconds,
    });
    this.requests.ask(key, bytes, this.#servers, lifetimeSeconds === 0 ? removal : pcpRequest, nowMs);
  }

  #handleAnnounce(result: number, server: Endpoint): void {
    if (this.requests.settle('check')) this.reports.push({ type: 'present' });
    if (!this.requests.settle('probe')) return;
    // A server that does not know ANNOUNCE has shown nevertheless that it is one.
    if (result === pcpResults.success || result === pcpResults.unsupportedOpcode) {
      this.#servers = [server];
      this.reports.push({ type: 'found', detail: 'PCP' });
    } else this.reports.push({ type: 'absent', kind: kindOf(result), reason: describePcpResult(result) });
  }

  #handleMap(response: PcpResponse & { readonly type: 'map' }): void {
    const { result, externalPort, externalAddress } = response;
    const isRefused = result !== pcpResults.success || (externalPort === 0 && response.lifetimeSeconds !== 0);
    const refusal = isRefused ? describePcpResult(result) : null;
    const isKnown = isIpv6(externalAddress) === (this.#place.family === 6);
    this.handleMap({ ...response, refusal, externalAddress: isKnown ? externalAddress : null });
  }
}

function kindOf(result: number): AbsenceKind {
  return result === pcpResults.networkFailure ? 'offline' : 'useless';
}

function serversOf({ family, gateway, isGuess }: WayPlace): readonly Endpoint[] {
  const addresses: IpAddress[] = gateway === null ? [] : [gateway];
  if (isGuess || gateway === null) addresses.push(family === 6 ? anycastIpv6 : anycastIpv4);
  return addresses.map((address) => ({ address, port: pcpServerPort }));
}
