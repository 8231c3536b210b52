/**
 * The naive twin of the peer list: one array, every answer by scanning. What chance decides (jitter, ties) it takes
 * from the list it is compared with, after checking that it was permitted.
 */
import { addressScope, type Endpoint, formatEndpoint } from '@tequio/kernel';
import type { PeerSource } from './peer-list.ts';

const trustOf: Record<PeerSource, number> = {
  user: 7,
  magnet: 6,
  saved: 5,
  incoming: 4,
  tracker: 3,
  local: 3,
  dht: 2,
  pex: 1,
};

export type ModelPeer = {
  readonly endpoint: Endpoint;
  readonly key: string;
  state: 'idle' | 'dialing' | 'connected';
  sources: PeerSource[];
  failCount: number;
  wasConnected: boolean;
  connectedMs: number;
  isSeed: boolean;
  /** Earliest and latest time that the rules permit, until the real one is known. */
  nextDialMs: readonly [number, number];
};

export class PeerListModel {
  peers: ModelPeer[] = [];
  isSeeding = false;
  readonly #unwelcome = new Set<string>();
  readonly #own = new Set<string>();
  readonly #peersMax: number;

  constructor(peersMax: number) {
    this.#peersMax = peersMax;
  }

  find(endpoint: Endpoint): ModelPeer | undefined {
    return this.peers.find((peer) => peer.key === formatEndpoint(endpoint));
  }

  /** @param isKept whether the real list still has a peer: tells which of several equals had to go */
  add(
    endpoint: Endpoint,
    source: PeerSource,
    nowMs: number,
    isFromLocal: boolean,
    isKept: (peer: ModelPeer) => boolean,
  ): string {
    const known = this.find(endpoint);
    if (known !== undefined) {
      if (!known.sources.includes(source)) known.sources.push(source);
      return 'known';
    }
    if (!this.#isPermitted(endpoint, source, isFromLocal)) return 'refused';
    if (this.peers.length >= this.#peersMax) {
      const idle = this.peers.filter((peer) => peer.state === 'idle');
      const least = Math.min(...idle.map((peer) => this.worthOf(peer)));
      if (idle.length === 0 || least >= 100 + trustOf[source]) return 'full';
      const worst = idle.filter((peer) => this.worthOf(peer) === least);
      const victim = worst.find((peer) => !isKept(peer));
      if (victim === undefined) return `one of ${worst.map((peer) => peer.key).join(' ')} should have gone`;
      this.#remove(victim);
    }
    this.peers.push({
      endpoint,
      key: formatEndpoint(endpoint),
      state: 'idle',
      sources: [source],
      failCount: 0,
      wasConnected: false,
      connectedMs: 0,
      isSeed: false,
      nextDialMs: [nowMs, nowMs],
    });
    return 'added';
  }

  worthOf(peer: ModelPeer): number {
    const trust = Math.max(...peer.sources.map((source) => trustOf[source]));
    const base = peer.wasConnected ? 200 : peer.failCount === 0 ? 100 : 0;
    return base + trust - Math.min(peer.failCount, 40) / 50;
  }

  /** Those that may be picked now; call with known times only. */
  dialable(nowMs: number): ModelPeer[] {
    const due = this.#waiting().filter((peer) => peer.nextDialMs[0] <= nowMs);
    const best = Math.max(...due.map((peer) => this.worthOf(peer)));
    return due.filter((peer) => this.worthOf(peer) === best);
  }

  nextDialMs(): number | null {
    const times = this.#waiting().map((peer) => peer.nextDialMs[0]);
    return times.length === 0 ? null : Math.min(...times);
  }

  markDialing(endpoint: Endpoint): void {
    const peer = this.find(endpoint);
    if (peer?.state === 'idle') peer.state = 'dialing';
  }

  markConnected(endpoint: Endpoint, nowMs: number, isProven: boolean): void {
    const peer = this.find(endpoint);
    if (peer === undefined) return;
    peer.state = 'connected';
    peer.wasConnected ||= isProven;
    peer.connectedMs = nowMs;
  }

  markFailed(endpoint: Endpoint, nowMs: number): void {
    const peer = this.find(endpoint);
    if (peer === undefined) return;
    peer.state = 'idle';
    this.#fail(peer, nowMs);
  }

  markClosed(endpoint: Endpoint, nowMs: number): void {
    const peer = this.find(endpoint);
    if (peer?.state !== 'connected') return;
    peer.state = 'idle';
    if (nowMs - peer.connectedMs < 30_000) {
      this.#fail(peer, nowMs);
      return;
    }
    peer.failCount = 0;
    peer.nextDialMs = [nowMs + 22_500, nowMs + 37_500];
  }

  hurry(nowMs: number): void {
    for (const peer of this.peers) if (peer.nextDialMs[0] > nowMs) peer.nextDialMs = [nowMs, nowMs];
  }

  ban(endpoint: Endpoint): void {
    this.#unwelcome.add(endpoint.address);
  }

  isWelcome(endpoint: Endpoint): boolean {
    return !this.#unwelcome.has(endpoint.address);
  }

  forget(endpoint: Endpoint): void {
    this.peers = this.peers.filter((peer) => peer.key !== formatEndpoint(endpoint));
  }

  markOwn(endpoint: Endpoint): void {
    this.#own.add(formatEndpoint(endpoint));
    this.peers = this.peers.filter((peer) => peer.key !== formatEndpoint(endpoint));
  }

  #fail(peer: ModelPeer, nowMs: number): void {
    peer.failCount++;
    if (peer.failCount >= 8 && !peer.wasConnected && !peer.sources.includes('user')) {
      this.#remove(peer);
      return;
    }
    const waitMs = Math.min(
      (peer.sources.includes('user') ? 1000 : 30_000) * 2 ** (peer.failCount - 1),
      3_600_000,
    );
    peer.nextDialMs = [nowMs + 0.75 * waitMs, nowMs + 1.25 * waitMs];
  }

  #remove(peer: ModelPeer): void {
    this.peers = this.peers.filter((other) => other !== peer);
  }

  #waiting(): ModelPeer[] {
    return this.peers.filter((peer) => peer.state === 'idle' && !(this.isSeeding && peer.isSeed));
  }

  #isPermitted(endpoint: Endpoint, source: PeerSource, isFromLocal: boolean): boolean {
    if (endpoint.port === 0 || !this.isWelcome(endpoint) || this.#own.has(formatEndpoint(endpoint)))
      return false;
    const scope = addressScope(endpoint.address);
    const ports = this.peers.filter((peer) => peer.endpoint.address === endpoint.address).length;
    if (ports >= 8 && scope !== 'loopback' && source !== 'user') return false;
    if (scope === 'multicast' || scope === 'unspecified') return false;
    if (scope === 'global' || isFromLocal) return true;
    if (source === 'tracker') return scope === 'private';
    return source !== 'dht' && source !== 'pex';
  }
}
