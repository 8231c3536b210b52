import { type Endpoint, formatEndpoint, isIpv6, type Prng } from '@tequio/kernel';
import { limits } from '../limits.ts';
import {
  decodeIgdAnswer,
  decodeIgdDescription,
  encodeIgdAction,
  type IgdAction,
  type IgdDescription,
  type IgdService,
  igdActions,
  igdErrors,
  isIgdFault,
  tryReadAddress,
  tryReadPort,
} from './igd.ts';
import { type GrantedMapping, keyOfPort, offlineReason, type WantedPort } from './mapping.ts';
import type { ClientEffect, ClientReport, RouterClient, WayPlace } from './router-client.ts';
import { type RouterUrl, tryParseRouterUrl } from './router-url.ts';
import {
  decodeSsdpAnswer,
  encodeSsdpSearch,
  ssdpGroupIpv4,
  ssdpGroupsIpv6,
  ssdpPort,
  ssdpTargets,
} from './ssdp.ts';

const { leaseSeconds, upnp } = limits.portMapping;

/** A service that can be asked, and where. */
type Control = { readonly service: IgdService; readonly url: RouterUrl; readonly model: string };

/** What waits for its turn: one HTTP request at a time, for many routers can do no more. */
type Job =
  | { readonly type: 'describe'; readonly url: RouterUrl }
  | { readonly type: 'look'; readonly control: Control }
  | {
      readonly type: 'map';
      readonly wanted: WantedPort;
      readonly externalPort: number;
      readonly leaseSeconds: number;
      /** AddAnyPortMapping. */
      readonly isAny: boolean;
      readonly attempt: number;
    }
  | { readonly type: 'pinhole'; readonly wanted: WantedPort }
  | {
      readonly type: 'renew-pinhole';
      readonly wanted: WantedPort;
      readonly id: number;
      readonly isCheck: boolean;
    }
  | { readonly type: 'unmap'; readonly wanted: WantedPort; readonly externalPort: number }
  | { readonly type: 'check'; readonly wanted: WantedPort; readonly externalPort: number }
  | { readonly type: 'address' };

/**
 * UPnP with one router: IPv4 mappings by WANIPConnection 2 or 1 or WANPPPConnection 1, IPv6 pinholes by
 * WANIPv6FirewallControl 1.
 *
 *   searching -> describing (each answer's description) -> looking (is it connected?) -> found
 *
 * Attacker: anybody on the local network can answer the search. What they gain: our requests go to them (but never to
 * a third machine, see `tryParseRouterUrl`), and no port is mapped. A few answers are looked at, one after the other.
 */
export class UpnpClient implements RouterClient {
  readonly protocol = 'upnp';
  readonly #place: WayPlace;
  readonly #prng: Prng;
  readonly #description: string;
  readonly #effects: ClientEffect[] = [];
  readonly #reports: ClientReport[] = [];
  #search: { readonly startMs: number; sentCount: number } | null = null;
  /** Descriptions that were named, in this search. */
  #locations = new Set<string>();
  /** Services that may do, not yet looked at. */
  #candidates: Control[] = [];
  #control: Control | null = null;
  #isOffline = false;
  #queue: Job[] = [];
  #asked: { readonly id: number; readonly job: Job } | null = null;
  #nextId = 1;
  /** UniqueID by key of the port. */
  readonly #pinholes = new Map<string, number>();

  /** @param description what the router's own pages show beside the mapping */
  constructor(place: WayPlace, description: string, prng: Prng) {
    this.#place = place;
    this.#description = description;
    this.#prng = prng;
  }

  probe(nowMs: number): void {
    this.#locations = new Set();
    this.#candidates = [];
    this.#control = null;
    this.#isOffline = false;
    this.#queue = [];
    this.#asked = null;
    this.#search = { startMs: nowMs, sentCount: 0 };
    this.handleTimeout(nowMs);
  }

  map(wanted: WantedPort, externalPort: number): void {
    if (this.#place.family === 6) {
      const id = this.#pinholes.get(keyOfPort(wanted));
      if (id === undefined) this.#enqueue({ type: 'pinhole', wanted });
      else this.#enqueue({ type: 'renew-pinhole', wanted, id, isCheck: false });
      return;
    }
    const isAny = this.#control !== null && this.#control.service.version >= 2;
    this.#enqueue({ type: 'map', wanted, externalPort, leaseSeconds, isAny, attempt: 1 });
  }

  unmap(wanted: WantedPort, grant: GrantedMapping): void {
    this.#enqueue({ type: 'unmap', wanted, externalPort: grant.externalPort });
  }

  check(wanted: WantedPort, grant: GrantedMapping): void {
    const id = this.#pinholes.get(keyOfPort(wanted));
    if (this.#place.family === 4) {
      this.#enqueue({ type: 'check', wanted, externalPort: grant.externalPort });
      this.#enqueue({ type: 'address' });
    } else if (id === undefined) this.#reports.push({ type: 'forgotten' });
    else this.#enqueue({ type: 'renew-pinhole', wanted, id, isCheck: true });
  }

  handleDatagram(bytes: Uint8Array, from: Endpoint): void {
    // Port and sender are not those that were asked: the group was.
    if (this.#search === null || isIpv6(from.address) !== (this.#place.family === 6)) return;
    const answer = decodeSsdpAnswer(bytes);
    if (!answer.ok || this.#locations.has(answer.value.location)) return;
    if (this.#locations.size >= upnp.locationCountMax) return;
    this.#locations.add(answer.value.location);
    const url = tryParseRouterUrl(answer.value.location, this.#place);
    if (url !== null) this.#enqueue({ type: 'describe', url });
  }

  handleHttp(id: number, answer: { readonly status: number; readonly body: string } | null): void {
    if (this.#asked?.id !== id) return;
    const { job } = this.#asked;
    this.#asked = null;
    this.#handleAnswer(job, answer);
    this.#next();
  }

  handleTimeout(nowMs: number): void {
    const search = this.#search;
    if (search === null) return;
    while (search.sentCount < upnp.searchAtMs.length && nowMs >= this.#searchDueMs(search)) {
      search.sentCount++;
      this.#sendSearch();
    }
    if (nowMs < search.startMs + upnp.searchMs) return;
    this.#search = null;
    this.#tryGiveUp();
  }

  nextTimeoutMs(): number | null {
    if (this.#search === null) return null;
    return Math.min(this.#searchDueMs(this.#search), this.#search.startMs + upnp.searchMs);
  }

  drain(effects: ClientEffect[], reports: ClientReport[]): void {
    effects.push(...this.#effects);
    reports.push(...this.#reports);
    this.#effects.length = 0;
    this.#reports.length = 0;
  }

  #searchDueMs({ startMs, sentCount }: { startMs: number; sentCount: number }): number {
    return startMs + (upnp.searchAtMs[sentCount] ?? Number.POSITIVE_INFINITY);
  }

  #sendSearch(): void {
    const groups = this.#place.family === 4 ? [ssdpGroupIpv4] : ssdpGroupsIpv6;
    for (const address of groups) {
      for (const target of ssdpTargets) {
        const bytes = encodeSsdpSearch(address, target);
        this.#effects.push({ type: 'send', to: { address, port: ssdpPort }, bytes });
      }
    }
  }

  #enqueue(job: Job): void {
    if (this.#queue.length < upnp.queueCountMax) this.#queue.push(job);
    this.#next();
  }

  #next(): void {
    const job = this.#asked === null ? this.#queue.shift() : undefined;
    if (job === undefined) return;
    const id = this.#nextId++;
    this.#asked = { id, job };
    if (job.type === 'describe') {
      this.#effects.push({ type: 'http', id, url: job.url, method: 'GET', headers: {}, body: '' });
      return;
    }
    const control = job.type === 'look' ? job.control : this.#control;
    if (control === null) {
      // The router was given up while this waited.
      this.#asked = null;
      this.#handleAnswer(job, null);
      this.#next();
      return;
    }
    const action = this.#actionOf(job);
    const { type } = control.service;
    this.#effects.push({
      type: 'http',
      id,
      url: control.url,
      method: 'POST',
      headers: { 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${type}#${action.name}"` },
      body: encodeIgdAction(type, action),
    });
  }

  #actionOf(job: Exclude<Job, { type: 'describe' }>): IgdAction {
    const { local, family } = this.#place;
    switch (job.type) {
      case 'look':
        return family === 4 ? igdActions.externalAddress() : igdActions.firewallStatus();
      case 'address':
        return igdActions.externalAddress();
      case 'map': {
        const { wanted, externalPort, isAny } = job;
        const { transport, port: internalPort } = wanted;
        const description = this.#description;
        return igdActions.addMapping(
          {
            transport,
            internalPort,
            externalPort,
            client: local,
            leaseSeconds: job.leaseSeconds,
            description,
          },
          isAny,
        );
      }
      case 'check':
        return igdActions.getMapping(job.wanted.transport, job.externalPort);
      case 'pinhole':
        return igdActions.addPinhole(job.wanted.transport, job.wanted.port, local, leaseSeconds);
      case 'renew-pinhole':
        return igdActions.updatePinhole(job.id, leaseSeconds);
      case 'unmap': {
        const id = this.#pinholes.get(keyOfPort(job.wanted));
        if (family === 6) return igdActions.deletePinhole(id ?? 0);
        return igdActions.deleteMapping(job.wanted.transport, job.externalPort);
      }
    }
  }

  #handleAnswer(job: Job, answer: { readonly status: number; readonly body: string } | null): void {
    if (job.type === 'describe') {
      const description = answer?.status === 200 ? decodeIgdDescription(answer.body) : null;
      if (description?.ok) this.#handleDescription(description.value, job.url);
      if (this.#control === null) this.#tryNextCandidate();
      return;
    }
    const result =
      answer === null ? null : decodeIgdAnswer(answer.status, answer.body, this.#actionOf(job).name);
    const values = result?.ok ? result.value : null;
    const fault = result === null || result.ok ? null : result.fault;
    const error = fault !== null && isIgdFault(fault) ? fault.igdError : null;
    if (answer === null && job.type !== 'look' && job.type !== 'unmap') {
      this.#reports.push({ type: 'silent' });
      return;
    }
    switch (job.type) {
      case 'look':
        this.#handleLook(job.control, values, error);
        break;
      case 'address':
        if (values !== null) this.#reportAddress(values);
        break;
      case 'map':
        this.#handleMapped(job, values, error, fault?.message ?? '');
        break;
      case 'check':
        this.#handleChecked(values, error);
        break;
      case 'pinhole':
        this.#handlePinhole(job.wanted, values, fault?.message ?? '');
        break;
      case 'renew-pinhole':
        this.#handleRenewed(job, values);
        break;
      case 'unmap':
        this.#pinholes.delete(keyOfPort(job.wanted));
        this.#reports.push({ type: 'unmapped', wanted: job.wanted });
    }
  }

  #handleDescription({ model, services }: IgdDescription, from: RouterUrl): void {
    const names =
      this.#place.family === 4 ? ['WANIPConnection', 'WANPPPConnection'] : ['WANIPv6FirewallControl'];
    const base = `http://${formatEndpoint(from)}${from.path}`;
    const usable = services.filter(({ name }) => names.includes(name));
    // The newer version first; a router of version 2 may show both.
    for (const service of usable.toSorted((a, b) => b.version - a.version)) {
      const absolute = URL.parse(service.controlUrl, base)?.href ?? '';
      const url = tryParseRouterUrl(absolute, this.#place);
      // Only where the description came from: it is not for a third machine to be told what to do.
      const isSame = url !== null && url.address === from.address;
      if (isSame && this.#candidates.length < upnp.candidateCountMax)
        this.#candidates.push({ service, url, model });
    }
  }

  #tryNextCandidate(): void {
    const control = this.#candidates.shift();
    if (control === undefined) this.#tryGiveUp();
    else this.#enqueueFirst({ type: 'look', control });
  }

  #enqueueFirst(job: Job): void {
    this.#queue.unshift(job);
    this.#next();
  }

  #handleLook(control: Control, values: ReadonlyMap<string, string> | null, error: number | null): void {
    if (this.#control !== null) return;
    // It answered in good form that it has no address, or (501) that it will not do anything without one.
    if (this.#place.family === 4 && (values !== null || error === igdErrors.actionFailed))
      this.#isOffline = true;
    const { name, version } = control.service;
    const isConnected =
      values !== null &&
      (this.#place.family === 4 ? hasAddress(values) : values.get('InboundPinholeAllowed') !== '0');
    if (!isConnected) {
      this.#tryNextCandidate();
      return;
    }
    this.#control = control;
    this.#search = null;
    this.#reports.push({
      type: 'found',
      detail: `${name}:${version}${control.model === '' ? '' : ` ${control.model}`}`,
    });
    if (this.#place.family === 4) this.#reportAddress(values);
  }

  /** When the search is over and nothing is left to look at. */
  #tryGiveUp(): void {
    const isBusy = this.#search !== null || this.#asked !== null || this.#queue.length > 0;
    if (this.#control !== null || isBusy) return;
    if (this.#isOffline) this.#reports.push({ type: 'absent', kind: 'offline', reason: offlineReason });
    else if (this.#locations.size === 0)
      this.#reports.push({ type: 'absent', kind: 'silent', reason: 'no answer' });
    else
      this.#reports.push({ type: 'absent', kind: 'useless', reason: 'no gateway among those that answered' });
  }

  #reportAddress(values: ReadonlyMap<string, string>): void {
    this.#reports.push({ type: 'external', address: tryReadAddress(values.get('NewExternalIPAddress')) });
  }

  #handleMapped(
    job: Job & { type: 'map' },
    values: ReadonlyMap<string, string> | null,
    error: number | null,
    reason: string,
  ): void {
    const { wanted } = job;
    if (values !== null) {
      const reserved = job.isAny ? tryReadPort(values.get('NewReservedPort')) : null;
      const grant = {
        externalPort: reserved ?? job.externalPort,
        externalAddress: null,
        leaseSeconds: job.leaseSeconds,
      };
      this.#reports.push({ type: 'mapped', wanted, grant });
      return;
    }
    const again = error === null ? null : this.#anotherWay(job, error);
    if (again !== null && job.attempt < upnp.mapAttemptCount) {
      this.#enqueueFirst({ ...job, ...again, attempt: job.attempt + 1 });
    } else this.#reports.push({ type: 'refused', wanted, reason });
  }

  /** What to change after an error, or null. */
  #anotherWay(job: Job & { type: 'map' }, error: number): Partial<Job & { type: 'map' }> | null {
    switch (error) {
      case igdErrors.onlyPermanentLeases:
        return { leaseSeconds: 0 };
      case igdErrors.samePortsRequired:
        return job.externalPort === job.wanted.port ? null : { externalPort: job.wanted.port };
      case igdErrors.conflict:
        return { externalPort: this.#prng.between(upnp.randomPortMin, upnp.randomPortMax) };
      case igdErrors.invalidAction:
        return job.isAny ? { isAny: false } : null;
      case igdErrors.invalidArguments:
      case igdErrors.actionFailed:
        // Old routers say so to what they do not know: first the action of version 2, then a lease.
        if (job.isAny) return { isAny: false };
        return job.leaseSeconds > 0 ? { leaseSeconds: 0 } : null;
      default:
        return null;
    }
  }

  #handleChecked(values: ReadonlyMap<string, string> | null, error: number | null): void {
    const client = tryReadAddress(values?.get('NewInternalClient'));
    if (values === null) {
      // Some cannot tell about single mappings: then only leases keep it.
      this.#reports.push({ type: error === igdErrors.noSuchEntry ? 'forgotten' : 'present' });
    } else this.#reports.push({ type: client === this.#place.local ? 'present' : 'forgotten' });
  }

  #handlePinhole(wanted: WantedPort, values: ReadonlyMap<string, string> | null, reason: string): void {
    const text = values?.get('UniqueID') ?? '';
    if (!/^\d{1,5}$/.test(text)) {
      this.#reports.push({ type: 'refused', wanted, reason });
      return;
    }
    this.#pinholes.set(keyOfPort(wanted), Number(text));
    this.#reportPinhole(wanted);
  }

  #handleRenewed(job: Job & { type: 'renew-pinhole' }, values: ReadonlyMap<string, string> | null): void {
    if (values !== null) {
      this.#reportPinhole(job.wanted);
      return;
    }
    this.#pinholes.delete(keyOfPort(job.wanted));
    if (job.isCheck) this.#reports.push({ type: 'forgotten' });
    else this.#enqueueFirst({ type: 'pinhole', wanted: job.wanted });
  }

  #reportPinhole(wanted: WantedPort): void {
    const grant = { externalPort: wanted.port, externalAddress: this.#place.local, leaseSeconds };
    this.#reports.push({ type: 'mapped', wanted, grant });
  }
}

function hasAddress(values: ReadonlyMap<string, string>): boolean {
  return tryReadAddress(values.get('NewExternalIPAddress')) !== null;
}
