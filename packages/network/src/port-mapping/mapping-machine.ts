/**
 * Port mapping for the whole node, without I/O: which ways to the Internet there are, and a `RouterWay` for each.
 *
 *   networks (from the system, now and then) ─┐
 *   wanted ports ─────────────────────────────┼─> ways ──> open/close a socket, send, http, changed, stopped
 *   datagrams, http answers, time ────────────┘
 *
 * A way is one address of ours with its gateway: each private IPv4 address that has one (a public one needs no mapping,
 * but its router may still have a firewall that PCP opens: it is asked too), each global IPv6 address.
 */
import {
  addressScope,
  type Endpoint,
  type IpAddress,
  isIpv6,
  type LocalNetwork,
  type Machine,
  type Prng,
} from '@tequio/kernel';
import { limits } from '../limits.ts';
import type { WantedPort } from './mapping.ts';
import { NatPmpClient } from './nat-pmp-client.ts';
import { PcpClient } from './pcp-client.ts';
import type { ClientEffect, RouterClient, WayPlace } from './router-client.ts';
import { RouterWay, type WayStatus } from './router-way.ts';
import { UpnpClient } from './upnp-client.ts';

export type MappingInput =
  | { readonly type: 'networks'; readonly networks: readonly LocalNetwork[] }
  | { readonly type: 'wanted'; readonly ports: readonly WantedPort[] }
  | { readonly type: 'datagram'; readonly way: string; readonly bytes: Uint8Array; readonly from: Endpoint }
  | {
      readonly type: 'http';
      readonly way: string;
      readonly id: number;
      /** Null: no answer, or none of use. */
      readonly answer: { readonly status: number; readonly body: string } | null;
    }
  | { readonly type: 'stop' };

export type MappingEffect =
  /** Open a socket at this address; `way` names it from now on. */
  | { readonly type: 'open'; readonly way: string; readonly local: IpAddress }
  | { readonly type: 'close'; readonly way: string }
  | { readonly type: 'do'; readonly way: string; readonly local: IpAddress; readonly effect: ClientEffect }
  | { readonly type: 'changed' }
  /** After `stop`: everything is removed, or the time for it is over. */
  | { readonly type: 'stopped' };

export type MappingOptions = {
  /** 12 bytes, the same in every run: see `PcpClient`. */
  readonly nonce: Uint8Array;
  /** What a router's own pages show beside the mapping. */
  readonly description: string;
  /** Only this address of ours; null: all. */
  readonly bind: IpAddress | null;
};

const { wayCount, portCount, stopMs } = limits.portMapping;

export class MappingMachine implements Machine<MappingInput, MappingEffect> {
  readonly #options: MappingOptions;
  readonly #prng: Prng;
  readonly #ways = new Map<string, RouterWay>();
  #wanted: readonly WantedPort[] = [];
  readonly #effects: MappingEffect[] = [];
  /** While stopping: until when. */
  #stopAtMs: number | null = null;
  #isStopped = false;

  constructor(options: MappingOptions, prng: Prng) {
    this.#options = options;
    this.#prng = prng;
  }

  /** The preferred way first, as the system has it. */
  get ways(): readonly WayStatus[] {
    return [...this.#ways.values()].map((way) => way.status);
  }

  handle(input: MappingInput, nowMs: number): void {
    if (this.#isStopped) return;
    switch (input.type) {
      case 'networks':
        this.#handleNetworks(input.networks, nowMs);
        break;
      case 'wanted':
        this.#wanted = input.ports.slice(0, portCount);
        for (const way of this.#ways.values()) way.setWanted(this.#wanted, nowMs);
        break;
      case 'datagram':
        this.#ways.get(input.way)?.handleDatagram(input.bytes, input.from, nowMs);
        break;
      case 'http':
        this.#ways.get(input.way)?.handleHttp(input.id, input.answer, nowMs);
        break;
      case 'stop':
        this.#stopAtMs ??= nowMs + stopMs;
        for (const way of this.#ways.values()) way.stop(nowMs);
        break;
    }
    this.#settle(nowMs);
  }

  handleTimeout(nowMs: number): void {
    for (const way of this.#ways.values()) way.handleTimeout(nowMs);
    this.#settle(nowMs);
  }

  nextTimeoutMs(): number | null {
    if (this.#isStopped) return null;
    let nextMs = this.#stopAtMs ?? Number.POSITIVE_INFINITY;
    for (const way of this.#ways.values()) nextMs = Math.min(nextMs, way.nextTimeoutMs() ?? nextMs);
    return Number.isFinite(nextMs) ? nextMs : null;
  }

  drain(out: MappingEffect[]): void {
    out.push(...this.#effects);
    this.#effects.length = 0;
  }

  #handleNetworks(networks: readonly LocalNetwork[], nowMs: number): void {
    if (this.#stopAtMs !== null) return;
    const places = placesOf(networks, this.#options.bind);
    for (const way of this.#ways.keys()) {
      if (places.has(way)) continue;
      // That network is gone, and its router with it: nothing can be removed there.
      this.#ways.delete(way);
      this.#effects.push({ type: 'close', way }, { type: 'changed' });
    }
    for (const [key, place] of places) {
      if (this.#ways.has(key)) continue;
      const way = new RouterWay(place, this.#clientsOf(place), this.#prng.fork());
      this.#ways.set(key, way);
      this.#effects.push({ type: 'open', way: key, local: place.local });
      way.start(nowMs);
      way.setWanted(this.#wanted, nowMs);
    }
  }

  #clientsOf(place: WayPlace): readonly RouterClient[] {
    const { nonce, description } = this.#options;
    const pcp = new PcpClient(place, nonce, this.#prng.fork());
    const upnp = new UpnpClient(place, description, this.#prng.fork());
    return place.family === 6 ? [pcp, upnp] : [pcp, new NatPmpClient(place, this.#prng.fork()), upnp];
  }

  /** Passes on what the ways want, and sees whether stopping is over. */
  #settle(nowMs: number): void {
    const effects: ClientEffect[] = [];
    let isChanged = false;
    for (const [key, way] of this.#ways) {
      effects.length = 0;
      way.drain(effects, nowMs);
      for (const effect of effects) {
        this.#effects.push({ type: 'do', way: key, local: way.place.local, effect });
      }
      if (way.takeChanged()) isChanged = true;
    }
    if (isChanged) this.#effects.push({ type: 'changed' });
    if (this.#stopAtMs === null || this.#isStopped) return;
    const isDone = [...this.#ways.values()].every((way) => way.isStopped);
    if (!isDone && nowMs < this.#stopAtMs) return;
    this.#isStopped = true;
    for (const way of this.#ways.keys()) this.#effects.push({ type: 'close', way });
    this.#effects.push({ type: 'stopped' });
  }
}

function placesOf(networks: readonly LocalNetwork[], bind: IpAddress | null): Map<string, WayPlace> {
  const places = new Map<string, WayPlace>();
  for (const { address: local, prefixBits, gateway, gatewayIsGuess } of networks) {
    if (places.size >= wayCount) break;
    const isOfUse = isIpv6(local)
      ? addressScope(local) === 'global'
      : ['private', 'global'].includes(addressScope(local));
    if (!isOfUse || (bind !== null && bind !== local)) continue;
    // A network without a way out (a cable to another machine, a container's bridge) has no router to ask.
    if (gateway === null && !gatewayIsGuess) continue;
    const family = isIpv6(local) ? 6 : 4;
    places.set(`${local}>${gateway ?? ''}`, { family, local, prefixBits, gateway, isGuess: gatewayIsGuess });
  }
  return places;
}
