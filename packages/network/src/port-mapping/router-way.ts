/**
 * One path to the Internet and its router: which protocol is used, what is mapped, when to look again.
 *
 *   searching ── a protocol answers ──> mapping ── all asked ──> resting
 *       ^  ^                              │  refuses all: the next protocol that answers
 *       │  └── pause ── nothing found ────┤
 *       └── the router is silent ─────────┴── it has forgotten: all asked again
 *
 * Rules
 * - All protocols are probed at once, and a probe changes nothing in the router. The first that answers does the
 *   mapping, and if it refuses all ports, the next does. So no port is mapped twice, by two protocols, which
 *   routers that keep one table for all (miniupnpd) would confuse on removal.
 * - Ports are asked for one after the other, TCP before UDP of the same number: then UDP can wish for the external
 *   port that TCP got, for peers are told one number for both.
 * - Leases are renewed at half of their life. One mapping is looked at every 20 s: a router that was restarted (its
 *   epoch goes back, its entry is gone) or has another address gets all of them again; one that is silent is searched
 *   for every 12 s. Together that keeps the time without mapping, once the router works, under a minute.
 * - What a router says about its address is shown, and never believed beyond that: whether others reach us, others say.
 * Cost: two datagrams, or two small HTTP requests, in 20 s.
 */
import { type Endpoint, type IpAddress, isLocalAddress, type Prng } from '@tequio/kernel';
import { limits } from '../limits.ts';
import { type GrantedMapping, keyOfPort, type MappingProtocol, type WantedPort } from './mapping.ts';
import type { AbsenceKind, ClientEffect, ClientReport, RouterClient, WayPlace } from './router-client.ts';

const { portMapping } = limits;

/** What became of a protocol. */
export type ProtocolStatus = {
  readonly protocol: MappingProtocol;
  readonly state: 'asked' | 'found' | AbsenceKind;
  /** What was found, or why it is of no use. */
  readonly detail: string;
};

export type MappingStatus = WantedPort & {
  readonly state: 'asked' | 'mapped' | 'refused';
  readonly externalPort: number | null;
  /** Of a refusal; else ''. */
  readonly reason: string;
};

export type WayStatus = WayPlace & {
  /** The one that maps; null: none yet. */
  readonly protocol: MappingProtocol | null;
  readonly protocols: readonly ProtocolStatus[];
  /** What the router says. */
  readonly externalAddress: IpAddress | null;
  /**
   * True when that address is none of the Internet, or the router says that it has none: there is another router, of
   * the provider perhaps, behind it (or, in the second case, it is offline).
   */
  readonly isDoubleNat: boolean;
  readonly mappings: readonly MappingStatus[];
};

type Entry = {
  readonly wanted: WantedPort;
  state: 'asked' | 'mapped' | 'refused';
  grant: GrantedMapping | null;
  reason: string;
  /** When it is asked for (again). */
  dueMs: number;
  isAsked: boolean;
};

type Finding = { state: ProtocolStatus['state']; detail: string };

export class RouterWay {
  readonly place: WayPlace;
  readonly #clients: readonly RouterClient[];
  readonly #prng: Prng;
  readonly #findings = new Map<RouterClient, Finding>();
  /** That have answered and not failed, in the order of their answers. */
  #found: RouterClient[] = [];
  #chosen: RouterClient | null = null;
  #externalAddress: IpAddress | null = null;
  readonly #entries = new Map<string, Entry>();
  #checkAtMs = Number.POSITIVE_INFINITY;
  #searchAtMs = Number.POSITIVE_INFINITY;
  #searchPauseMs: number = portMapping.searchPauseMs;
  #searchEagerlyUntilMs = Number.NEGATIVE_INFINITY;
  /** Keys of what is being removed. */
  readonly #leaving = new Set<string>();
  #isStopping = false;
  #isChanged = false;

  constructor(place: WayPlace, clients: readonly RouterClient[], prng: Prng) {
    this.place = place;
    this.#clients = clients;
    this.#prng = prng;
  }

  get status(): WayStatus {
    return {
      ...this.place,
      protocol: this.#chosen?.protocol ?? null,
      protocols: this.#clients.map((client) => {
        const { state, detail } = this.#findings.get(client) ?? { state: 'asked', detail: '' };
        return { protocol: client.protocol, state, detail };
      }),
      externalAddress: this.#externalAddress,
      isDoubleNat: this.#isDoubleNat(),
      mappings: [...this.#entries.values()].map(({ wanted, state, grant, reason }) => ({
        ...wanted,
        state,
        externalPort: grant?.externalPort ?? null,
        reason,
      })),
    };
  }

  #isDoubleNat(): boolean {
    if (this.#externalAddress !== null) return isLocalAddress(this.#externalAddress);
    return [...this.#findings.values()].some(({ state }) => state === 'offline');
  }

  /** True once after something that `status` shows has changed. */
  takeChanged(): boolean {
    const was = this.#isChanged;
    this.#isChanged = false;
    return was;
  }

  /** Nothing is left to remove. Only after `stop`. */
  get isStopped(): boolean {
    return this.#isStopping && this.#leaving.size === 0;
  }

  start(nowMs: number): void {
    this.#search(nowMs);
  }

  /** The ports that shall be mapped from now on; those no longer wanted are removed. */
  setWanted(wanted: readonly WantedPort[], nowMs: number): void {
    const keys = new Set(wanted.map(keyOfPort));
    for (const [key, { wanted: port, grant }] of this.#entries) {
      if (keys.has(key)) continue;
      if (grant !== null) this.#unmap(port, grant, nowMs);
      this.#entries.delete(key);
    }
    for (const port of wanted) {
      if (this.#entries.has(keyOfPort(port))) continue;
      const entry = {
        wanted: port,
        state: 'asked',
        grant: null,
        reason: '',
        dueMs: nowMs,
        isAsked: false,
      } as const;
      this.#entries.set(keyOfPort(port), entry);
    }
    this.#isChanged = true;
    this.#askNext(nowMs);
  }

  /** Removes everything; `isStopped` when that is done. */
  stop(nowMs: number): void {
    this.#isStopping = true;
    for (const entry of this.#entries.values()) {
      // Also what was asked for and not answered yet: the router may be about to grant it.
      if (entry.grant === null && !entry.isAsked) continue;
      const externalPort = this.#wishFor(entry);
      this.#unmap(
        entry.wanted,
        entry.grant ?? { externalPort, externalAddress: null, leaseSeconds: 0 },
        nowMs,
      );
    }
  }

  handleDatagram(bytes: Uint8Array, from: Endpoint, nowMs: number): void {
    for (const client of this.#clients) client.handleDatagram(bytes, from, nowMs);
  }

  handleHttp(
    id: number,
    answer: { readonly status: number; readonly body: string } | null,
    nowMs: number,
  ): void {
    for (const client of this.#clients) client.handleHttp(id, answer, nowMs);
  }

  handleTimeout(nowMs: number): void {
    for (const client of this.#clients) client.handleTimeout(nowMs);
    if (this.#isStopping) return;
    if (nowMs >= this.#searchAtMs) this.#search(nowMs);
    if (nowMs >= this.#checkAtMs) this.#check(nowMs);
    this.#askNext(nowMs);
  }

  nextTimeoutMs(): number | null {
    let nextMs = Math.min(this.#checkAtMs, this.#searchAtMs);
    for (const client of this.#clients) nextMs = Math.min(nextMs, client.nextTimeoutMs() ?? nextMs);
    if (this.#chosen !== null && !this.#isAsking()) {
      for (const { dueMs } of this.#entries.values()) nextMs = Math.min(nextMs, dueMs);
    }
    return Number.isFinite(nextMs) ? nextMs : null;
  }

  /** Effects of the clients, after their reports were taken in. */
  drain(effects: ClientEffect[], nowMs: number): void {
    const reports: ClientReport[] = [];
    for (let isStill = false; !isStill; ) {
      isStill = true;
      for (const client of this.#clients) {
        client.drain(effects, reports);
        for (const report of reports) this.#handleReport(client, report, nowMs);
        if (reports.length > 0) isStill = false;
        reports.length = 0;
      }
    }
  }

  #search(nowMs: number): void {
    this.#chosen = null;
    this.#found = [];
    this.#leaving.clear();
    this.#externalAddress = null;
    this.#checkAtMs = Number.POSITIVE_INFINITY;
    const isEager = nowMs < this.#searchEagerlyUntilMs;
    this.#searchAtMs = nowMs + (isEager ? portMapping.searchAgainMs : this.#searchPauseMs);
    if (!isEager) this.#searchPauseMs = Math.min(2 * this.#searchPauseMs, portMapping.searchPauseMsMax);
    for (const entry of this.#entries.values()) {
      Object.assign(entry, { state: 'asked', grant: null, isAsked: false, dueMs: nowMs });
    }
    for (const client of this.#clients) {
      this.#findings.set(client, { state: 'asked', detail: '' });
      client.probe(nowMs);
    }
    this.#isChanged = true;
  }

  #handleReport(client: RouterClient, report: ClientReport, nowMs: number): void {
    switch (report.type) {
      case 'found':
        this.#setFinding(client, { state: 'found', detail: report.detail });
        this.#found.push(client);
        if (this.#chosen === null) this.#choose(client, nowMs);
        return;
      case 'absent':
        this.#setFinding(client, { state: report.kind, detail: report.reason });
        return;
      case 'unmapped':
        this.#leaving.delete(keyOfPort(report.wanted));
        return;
    }
    if (client !== this.#chosen || this.#isStopping) {
      // Only for show: a protocol that is not used may tell the address too.
      if (report.type === 'external' && this.#externalAddress === null)
        this.#setExternal(report.address, nowMs);
      return;
    }
    this.#handleChosen(report, nowMs);
  }

  /** Reports of the client that maps. */
  #handleChosen(
    report: Exclude<ClientReport, { readonly type: 'found' | 'absent' | 'unmapped' }>,
    nowMs: number,
  ): void {
    switch (report.type) {
      case 'external':
        this.#setExternal(report.address, nowMs);
        break;
      case 'mapped':
        this.#handleMapped(report.wanted, report.grant, nowMs);
        break;
      case 'refused':
        this.#handleRefused(report.wanted, report.reason, nowMs);
        break;
      case 'present':
        break;
      case 'forgotten':
        this.#askAll(nowMs);
        break;
      case 'silent':
        this.#handleSilence(nowMs);
    }
  }

  #handleSilence(nowMs: number): void {
    if (!this.#hasGrant()) {
      this.#giveUpChosen('the router stopped answering', nowMs);
      return;
    }
    this.#searchEagerlyUntilMs = nowMs + portMapping.searchEagerlyMs;
    this.#search(nowMs);
  }

  #setFinding(client: RouterClient, finding: Finding): void {
    this.#findings.set(client, finding);
    this.#isChanged = true;
  }

  #choose(client: RouterClient | null, nowMs: number): void {
    this.#chosen = client;
    this.#isChanged = true;
    if (client === null) return;
    this.#searchAtMs = Number.POSITIVE_INFINITY;
    this.#askAll(nowMs);
  }

  /** It refused, or fell silent, before it mapped anything: whoever else has answered, or answers later. */
  #giveUpChosen(reason: string, nowMs: number): void {
    const client = this.#chosen!;
    this.#setFinding(client, { state: 'useless', detail: reason });
    this.#found = this.#found.filter((other) => other !== client);
    this.#choose(this.#found[0] ?? null, nowMs);
    if (this.#chosen === null) this.#searchAtMs = nowMs + this.#searchPauseMs;
  }

  #setExternal(address: IpAddress | null, nowMs: number): void {
    if (address === this.#externalAddress) return;
    const isNew = this.#externalAddress !== null && address !== null;
    this.#externalAddress = address;
    this.#isChanged = true;
    if (isNew) this.#askAll(nowMs);
  }

  #handleMapped(wanted: WantedPort, grant: GrantedMapping, nowMs: number): void {
    const entry = this.#entries.get(keyOfPort(wanted));
    if (entry === undefined) {
      // It was taken out of the set while the router answered.
      this.#unmap(wanted, grant, nowMs);
      return;
    }
    const isNews = entry.state !== 'mapped' || entry.grant?.externalPort !== grant.externalPort;
    const lifeMs = grant.leaseSeconds === 0 ? Number.POSITIVE_INFINITY : grant.leaseSeconds * 1000;
    const renewMs = Math.max(portMapping.renewMsMin, lifeMs * portMapping.renewPart * this.#spread());
    Object.assign(entry, { state: 'mapped', grant, reason: '', isAsked: false, dueMs: nowMs + renewMs });
    if (isNews) this.#isChanged = true;
    this.#searchPauseMs = portMapping.searchPauseMs;
    if (!Number.isFinite(this.#checkAtMs)) this.#checkAtMs = nowMs + portMapping.checkMs * this.#spread();
    if (grant.externalAddress !== null) this.#setExternal(grant.externalAddress, nowMs);
    this.#askNext(nowMs);
  }

  #handleRefused(wanted: WantedPort, reason: string, nowMs: number): void {
    const entry = this.#entries.get(keyOfPort(wanted));
    if (entry === undefined) return;
    const dueMs = nowMs + portMapping.refusedMs;
    Object.assign(entry, { state: 'refused', grant: null, reason, isAsked: false, dueMs });
    this.#isChanged = true;
    this.#askNext(nowMs);
    if (!this.#hasGrant() && !this.#isAsking()) this.#giveUpChosen(reason, nowMs);
  }

  #unmap(wanted: WantedPort, grant: GrantedMapping, nowMs: number): void {
    if (this.#chosen === null) return;
    this.#leaving.add(keyOfPort(wanted));
    this.#chosen.unmap(wanted, grant, nowMs);
  }

  #askAll(nowMs: number): void {
    for (const entry of this.#entries.values()) {
      entry.isAsked = false;
      entry.dueMs = nowMs;
    }
    this.#askNext(nowMs);
  }

  #hasGrant(): boolean {
    for (const { grant } of this.#entries.values()) if (grant !== null) return true;
    return false;
  }

  #isAsking(): boolean {
    for (const { isAsked } of this.#entries.values()) if (isAsked) return true;
    return false;
  }

  /** The next port that is due, unless the answer for another is awaited. */
  #askNext(nowMs: number): void {
    if (this.#chosen === null || this.#isStopping || this.#isAsking()) return;
    for (const entry of this.#entries.values()) {
      if (entry.dueMs > nowMs) continue;
      entry.isAsked = true;
      this.#chosen.map(entry.wanted, this.#wishFor(entry), nowMs);
      return;
    }
  }

  /** The external port that it had, or that the other transport of the same port has, or the port itself. */
  #wishFor({ wanted, grant }: Entry): number {
    if (grant !== null) return grant.externalPort;
    for (const other of this.#entries.values()) {
      if (other.wanted.port === wanted.port && other.grant !== null) return other.grant.externalPort;
    }
    return wanted.port;
  }

  #check(nowMs: number): void {
    this.#checkAtMs = nowMs + portMapping.checkMs * this.#spread();
    for (const { wanted, grant } of this.#entries.values()) {
      if (grant === null) continue;
      this.#chosen?.check(wanted, grant, nowMs);
      return;
    }
  }

  /** A tenth more or less: nodes that a router serves do not ask in step. */
  #spread(): number {
    return 0.9 + 0.2 * this.#prng.nextFloat();
  }
}
