/**
 * Peers come, go and change; every listener keeps the picture that the messages give it. The naive twin is the set that
 * the rules let it be told, computed anew each time.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { addressScope, type Endpoint, formatEndpoint, Prng, tryParseEndpoint } from '@tequio/kernel';
import { type PexMessage, pexFlag, pexLimits } from '../wire/pex.ts';
import { type ExchangePeer, PeerExchange, peerExchangeLimits } from './peer-exchange.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 60);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

type Picture = { readonly known: Map<string, Endpoint>; lastMs: number };

class Fuzz {
  readonly #prng: Prng;
  readonly #exchange: PeerExchange;
  readonly #peers = new Map<number, ExchangePeer>();
  readonly #pictures = new Map<number, Picture>();
  #nowMs = 0;
  #nextKey = 1;
  messageCount = 0;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    this.#exchange = new PeerExchange(this.#prng.fork());
  }

  run(): void {
    const peerCountMax = this.#prng.pick([3, 20, 150]);
    for (let i = 0; i < 300; i++) {
      const doing = this.#prng.below(10);
      if (doing < 4 && this.#peers.size < peerCountMax) this.#join();
      else if (doing < 6) this.#leave();
      else if (doing < 8) this.#change();
      else this.#pass(this.#prng.below(90_000));
    }
    // Quiet: enough messages of fifty for everything that is still untold.
    for (let i = 0; i < 8; i++) this.#pass(peerExchangeLimits.intervalMs + peerExchangeLimits.jitterMs);
    this.#assertSettled();
  }

  #anyPeer(): ExchangePeer {
    const prng = this.#prng;
    const address = prng.pick([`203.0.${prng.below(40)}.1`, `10.0.0.${prng.below(40)}`, '127.0.0.1']);
    const contact = tryParseEndpoint(`${address}:${prng.between(1, 5)}`)!;
    return {
      remote: prng.chance(0.5) ? contact : tryParseEndpoint(`${address}:${prng.between(1000, 65000)}`)!,
      contact: prng.chance(0.85) ? contact : null,
      flags: prng.pick([0, 0, pexFlag.seed, pexFlag.holepunch]),
      listens: prng.chance(0.6),
    };
  }

  #join(): void {
    this.#set(this.#nextKey++, this.#anyPeer());
  }

  #leave(): void {
    if (this.#peers.size === 0) return;
    const key = this.#prng.pick([...this.#peers.keys()]);
    this.#exchange.removePeer(key);
    this.#peers.delete(key);
    this.#pictures.delete(key);
  }

  /** It says its port, or turns peer exchange on or off. Who is a seed stays one, so that the twin stays naive. */
  #change(): void {
    if (this.#peers.size === 0) return;
    const key = this.#prng.pick([...this.#peers.keys()]);
    const peer = this.#peers.get(key)!;
    const { contact, listens } = this.#anyPeer();
    const port = contact?.port ?? 1;
    const named = peer.contact ?? { address: peer.remote.address, port };
    this.#set(key, { ...peer, contact: named, listens: this.#prng.chance(0.9) ? peer.listens : listens });
  }

  #set(key: number, peer: ExchangePeer): void {
    this.#exchange.setPeer(key, peer, this.#nowMs);
    this.#peers.set(key, peer);
    if (!peer.listens) this.#pictures.delete(key);
    else if (!this.#pictures.has(key)) this.#pictures.set(key, { known: new Map(), lastMs: -Infinity });
  }

  #pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (; this.#nowMs < endMs; this.#nowMs += 1000)
      this.#exchange.tell(this.#nowMs, (key, message) => this.#take(key, message));
  }

  #take(key: number, message: PexMessage): void {
    this.messageCount++;
    const picture = this.#pictures.get(key);
    assert.ok(picture !== undefined, 'only listeners are told');
    assert.ok(this.#nowMs - picture.lastMs >= 60_000, 'once a minute');
    picture.lastMs = this.#nowMs;
    const { added, dropped } = message;
    assert.ok(added.length <= pexLimits.sentCountMax && dropped.length <= pexLimits.sentCountMax);
    assert.ok(added.length + dropped.length > 0);
    for (const endpoint of dropped)
      assert.ok(picture.known.delete(formatEndpoint(endpoint)), 'only what was told is dropped');
    const tellable = this.#tellableTo(key);
    for (const { endpoint, flags } of added) {
      const name = formatEndpoint(endpoint);
      assert.ok(!picture.known.has(name), 'told once');
      assert.ok(tellable.get(name)?.includes(flags), `${name} may be told to ${key}`);
      picture.known.set(name, endpoint);
    }
  }

  /** By endpoint: the flags of those who are there. */
  #tellableTo(key: number): Map<string, number[]> {
    const self = this.#peers.get(key)!;
    const width = (endpoint: Endpoint): number =>
      ({ loopback: 0, global: 2 })[addressScope(endpoint.address) as string] ?? 1;
    const own = [self.remote, self.contact].map((endpoint) => (endpoint ? formatEndpoint(endpoint) : ''));
    const tellable = new Map<string, number[]>();
    for (const other of this.#peers.values()) {
      if (other.contact === null || own.includes(formatEndpoint(other.contact))) continue;
      if (self.flags === pexFlag.seed && other.flags === pexFlag.seed) continue;
      if (width(other.contact) < width(self.remote)) continue;
      const name = formatEndpoint(other.contact);
      tellable.set(name, [...(tellable.get(name) ?? []), other.flags]);
    }
    return tellable;
  }

  #assertSettled(): void {
    for (const [key, { known }] of this.#pictures) {
      const tellable = this.#tellableTo(key);
      for (const name of known.keys()) {
        const isThere = [...this.#peers.values()].some(
          (peer) => peer.contact !== null && formatEndpoint(peer.contact) === name,
        );
        assert.ok(isThere, `${name} is gone, and ${key} was not told`);
      }
      for (const [name, flags] of tellable) {
        // Where several share an endpoint, one of them stands for all.
        const isShared = this.#countAt(name) > flags.length;
        assert.ok(known.has(name) || isShared, `${key} was never told of ${name}`);
      }
    }
  }

  #countAt(name: string): number {
    let count = 0;
    for (const peer of this.#peers.values())
      if (peer.contact !== null && formatEndpoint(peer.contact) === name) count++;
    return count;
  }
}

it('listeners have the right picture, within the limits', () => {
  let messageCount = 0;
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const fuzz = new Fuzz(seed);
    try {
      fuzz.run();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    messageCount += fuzz.messageCount;
  }
  assert.ok(messageCount > runCount * 50, `${messageCount} messages`);
});
