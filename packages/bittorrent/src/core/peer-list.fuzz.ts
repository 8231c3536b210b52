/** Random operations on the peer list and its naive twin. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Endpoint, formatEndpoint, type IpAddress, Prng } from '@tequio/kernel';
import { PeerListModel } from './peer-list.model.ts';
import { PeerList, type PeerSource } from './peer-list.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 150);
const sources: PeerSource[] = ['user', 'magnet', 'saved', 'incoming', 'tracker', 'local', 'dht', 'pex'];
const addresses = [
  '203.0.113.1',
  '203.0.113.2',
  '203.0.113.3',
  '203.0.113.4',
  '2001:db8::1',
  '127.0.0.1',
  '10.0.0.7',
  '192.168.1.1',
  '224.0.0.1',
  '0.0.0.0',
  'fe80::1',
] as IpAddress[];

class Fuzz {
  readonly #prng: Prng;
  readonly #list: PeerList;
  readonly #model: PeerListModel;
  #nowMs = 0;
  readonly seen: Record<string, number> = { added: 0, known: 0, refused: 0, full: 0, dialed: 0 };

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    const peersMax = this.#prng.between(2, 14);
    const model = new PeerListModel(peersMax);
    const isWelcome = (endpoint: Endpoint): boolean => model.isWelcome(endpoint);
    this.#list = new PeerList({ prng: this.#prng.fork(), peersMax, isWelcome });
    this.#model = model;
  }

  run(): void {
    for (let i = 0; i < 150; i++) {
      this.#nowMs += this.#prng.chance(0.1) ? this.#prng.below(600_000) : this.#prng.below(20_000);
      this.#step();
      this.#compare();
    }
  }

  #anyEndpoint(): Endpoint {
    const known = this.#model.peers;
    if (known.length > 0 && this.#prng.chance(0.5)) return this.#prng.pick(known).endpoint;
    return { address: this.#prng.pick(addresses), port: this.#prng.below(12) };
  }

  #step(): void {
    const [list, model, prng] = [this.#list, this.#model, this.#prng];
    const roll = prng.below(100);
    const endpoint = this.#anyEndpoint();
    if (roll < 40) this.#add(endpoint);
    else if (roll < 70) this.#dial();
    else if (roll < 78) {
      const isProven = prng.chance(0.5);
      list.markConnected(endpoint, this.#nowMs, isProven);
      model.markConnected(endpoint, this.#nowMs, isProven);
    } else if (roll < 88) {
      list.markClosed(endpoint, this.#nowMs);
      model.markClosed(endpoint, this.#nowMs);
    } else if (roll < 94) {
      const isSeed = prng.chance(0.5);
      list.markSeed(endpoint, isSeed);
      const peer = model.find(endpoint);
      if (peer !== undefined) peer.isSeed = isSeed;
    } else if (roll < 96) {
      list.setSeeding(roll === 94);
      model.isSeeding = roll === 94;
    } else if (roll < 97) {
      list.markOwn(endpoint);
      model.markOwn(endpoint);
    } else if (prng.chance(0.1)) {
      list.hurry(this.#nowMs);
      model.hurry(this.#nowMs);
    } else if (prng.chance(0.2)) {
      model.ban(endpoint);
    } else {
      list.forget(endpoint);
      model.forget(endpoint);
    }
  }

  #add(endpoint: Endpoint): void {
    const source = this.#prng.pick(sources);
    const isFromLocal = this.#prng.chance(0.2);
    const result = this.#list.add(endpoint, source, this.#nowMs, isFromLocal);
    const isKept = (peer: { readonly endpoint: Endpoint }): boolean => this.#list.get(peer.endpoint) !== null;
    assert.equal(result, this.#model.add(endpoint, source, this.#nowMs, isFromLocal, isKept));
    this.seen[result]!++;
  }

  #dial(): void {
    const picked = this.#list.pickDial(this.#nowMs);
    const permitted = this.#model.dialable(this.#nowMs).map(({ key }) => key);
    if (picked === null) {
      assert.deepEqual(permitted, []);
      return;
    }
    assert.ok(
      permitted.includes(formatEndpoint(picked)),
      `${formatEndpoint(picked)} of ${permitted.join(' ')}`,
    );
    this.#list.markDialing(picked);
    this.#model.markDialing(picked);
    this.seen['dialed']!++;
    if (this.#prng.chance(0.2)) return;
    if (this.#prng.chance(0.5)) {
      this.#list.markConnected(picked, this.#nowMs);
      this.#model.markConnected(picked, this.#nowMs, true);
    } else {
      this.#list.markFailed(picked, this.#nowMs);
      this.#model.markFailed(picked, this.#nowMs);
    }
  }

  #compare(): void {
    const [list, model] = [this.#list, this.#model];
    assert.deepEqual([...list.entries()].map(({ endpoint }) => formatEndpoint(endpoint)).sort(), [
      ...model.peers.map(({ key }) => key).sort(),
    ]);
    for (const peer of model.peers) {
      const known = list.get(peer.endpoint)!;
      assert.equal(known.state, peer.state, peer.key);
      assert.equal(known.failCount, peer.failCount);
      assert.equal(known.isSeed, peer.isSeed);
      assert.equal(known.lastConnectedMs !== null, peer.wasConnected);
      assert.deepEqual([...known.sources].sort(), [...peer.sources].sort());
      const [earliest, latest] = peer.nextDialMs;
      assert.ok(
        known.nextDialMs >= earliest - 1 && known.nextDialMs <= latest + 1,
        'back-off within a quarter',
      );
      peer.nextDialMs = [known.nextDialMs, known.nextDialMs];
    }
    assert.equal(list.count, model.peers.length);
    assert.equal(list.candidateCount, model.peers.filter(({ state }) => state === 'idle').length);
    assert.equal(list.nextDialMs(), model.nextDialMs());
  }
}

it('peer list and its naive twin agree', () => {
  const first = Number(process.env['FUZZ_SEED'] ?? 1);
  const total = new Map<string, number>();
  for (let seed = first; seed < first + runCount; seed++) {
    const fuzz = new Fuzz(seed);
    try {
      fuzz.run();
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: error });
    }
    for (const [name, count] of Object.entries(fuzz.seen)) total.set(name, (total.get(name) ?? 0) + count);
  }
  if (runCount >= 100) for (const [name, count] of total) assert.ok(count > 100, `${name}: ${count}`);
});
