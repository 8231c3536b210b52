/** A few real nodes whose datagrams reach each other at once, and time that passes when a test says so. */
import { type Endpoint, formatEndpoint, isIpv6, Prng } from '@tequio/kernel';
import { addressOf, testHashes, testSignatures } from './dht.fixture.ts';
import type { DhtEffect } from './dht-effect.ts';
import { DhtNode, type DhtNodeOptions } from './node.ts';

type Effect<Type> = Extract<DhtEffect, { type: Type }>;

export class Member {
  readonly endpoint: Endpoint;
  /** Of a machine with addresses in both families. */
  endpoint6: Endpoint | null = null;
  readonly node: DhtNode;
  /** Everything but datagrams. */
  readonly effects: DhtEffect[] = [];
  readonly sent: { readonly bytes: Uint8Array; readonly to: Endpoint }[] = [];

  constructor(address: string, port: number, node: DhtNode) {
    this.endpoint = { address: addressOf(address), port };
    this.node = node;
  }

  of<Type extends DhtEffect['type']>(type: Type): Effect<Type>[] {
    return this.effects.filter((effect): effect is Effect<Type> => effect.type === type);
  }
}

export class DhtNet {
  nowMs = 1000;
  readonly members = new Map<string, Member>();
  readonly #prng: Prng;

  constructor(seed = 1) {
    this.#prng = new Prng(seed);
  }

  add(address: string, options: Partial<DhtNodeOptions> = {}, port = 6881): Member {
    const node = new DhtNode(
      { families: [address.includes(':') ? 6 : 4], ...options },
      {
        prng: this.#prng.fork(),
        secret: this.#prng.bytes(32),
        hashes: testHashes,
        signatures: testSignatures,
      },
    );
    const member = new Member(address, port, node);
    this.members.set(formatEndpoint(member.endpoint), member);
    node.start(this.nowMs);
    return member;
  }

  /** The member has an IPv6 address besides. */
  moveIn(member: Member, address: string): void {
    member.endpoint6 = { address: addressOf(address), port: member.endpoint.port };
    this.members.set(formatEndpoint(member.endpoint6), member);
  }

  /** `count` nodes that know each other by way of the first. @param address the n-th one's */
  grow(count: number, address: (n: number) => string): Member[] {
    const members = Array.from({ length: count }, (_, n) => this.add(address(n)));
    for (const member of members.slice(1)) member.node.addHost(members[0]!.endpoint, this.nowMs);
    this.run(60_000);
    return members;
  }

  /** Delivers until nothing is on its way, then lets time pass to the next timer; until `ms` are over. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      this.deliver();
      const next = Math.min(
        ...[...this.members.values()].map(({ node }) => node.nextTimeoutMs() ?? Number.POSITIVE_INFINITY),
      );
      if (next > endMs) break;
      this.nowMs = Math.max(next, this.nowMs + 1);
      for (const { node } of this.members.values())
        if ((node.nextTimeoutMs() ?? Number.POSITIVE_INFINITY) <= this.nowMs) node.handleTimeout(this.nowMs);
    }
    this.nowMs = endMs;
  }

  deliver(): void {
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (const member of this.members.values()) {
        const out: DhtEffect[] = [];
        member.node.drain(out);
        for (const effect of out) {
          if (effect.type !== 'send') {
            member.effects.push(effect);
            continue;
          }
          isBusy = true;
          member.sent.push(effect);
          const from = isIpv6(effect.to.address) ? (member.endpoint6 ?? member.endpoint) : member.endpoint;
          this.members.get(formatEndpoint(effect.to))?.node.handleDatagram(effect.bytes, from, this.nowMs);
        }
      }
    }
  }
}
