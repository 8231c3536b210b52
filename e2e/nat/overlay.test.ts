/**
 * The overlay behind routers: two machines, each behind one that lets in only answers, and a relay on a public address.
 * Neither can be dialled; with the relay's introduction they are connected directly (WebRTC), and bytes go from one to
 * the other and not through the relay.
 */
import assert from 'node:assert/strict';
import { execPath } from 'node:process';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { JsonLines } from '../lab/json-lines.ts';
import type { Running } from '../lab/running.ts';
import { until } from '../lab/until.ts';
import { NatLab, type Site } from './nat-lab.ts';
import { areRequired, whatIsMissing, writeNatResults } from './nat-programs.ts';
import type { RouterKind } from './nat-router.ts';

const missing = whatIsMissing();
const skip = missing !== null && !areRequired ? missing : false;
const program = fileURLToPath(new URL('../lab/overlay-node.ts', import.meta.url));
const addressMs = 30_000;
const echoBytes = 1_000_000;
const pairsMax = 8;

type PeerInfo = { readonly peer: string; readonly address: string; readonly isRelayed: boolean };

/** An overlay on a machine of the laboratory. */
class OverlayProgram {
  readonly lines = new JsonLines();
  readonly running: Running;

  constructor(site: Site, options: object) {
    const args = ['--disable-warning=ExperimentalWarning', program, JSON.stringify(options)];
    this.running = site.host.run(execPath, args, { onLine: this.lines.onLine });
    this.lines.attach(this.running);
  }

  async where(): Promise<{ readonly peer: string; readonly addresses: readonly string[] }> {
    return this.lines.ask('addresses');
  }

  async peers(): Promise<readonly PeerInfo[]> {
    return (await this.lines.ask<{ readonly peers: readonly PeerInfo[] }>('peers')).peers;
  }
}

describe('the overlay behind routers', { skip }, () => {
  let lab: NatLab;
  let siteCount = 0;
  const started: OverlayProgram[] = [];
  const results: object[] = [];

  before(() => {
    if (missing !== null) throw new Error(missing);
    lab = NatLab.open();
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map(({ running }) => running.stop('SIGKILL')));
  });

  after(() => {
    lab?.close();
    if (results.length === 2) writeNatResults('overlay', { results });
  });

  function start(kind: RouterKind | 'none', options: object): { node: OverlayProgram; site: Site } {
    const site = lab.addSite(`o${++siteCount}`, { kind, hasIpv6: false });
    const node = new OverlayProgram(site, options);
    started.push(node);
    return { node, site };
  }

  /** A relay, and two behind routers who have a place with it. */
  async function arrange(
    kind: RouterKind,
  ): Promise<{ dialler: OverlayProgram; other: OverlayProgram; address: string }> {
    const relay = start('none', { relayServer: true, webRtc: false, relayCount: 0, dht: 'none' });
    const hidden = [0, 1].map(() => start(kind, { webRtc: true, relayCount: 1, dht: 'none' }).node);
    const { peer } = await relay.node.where();
    const relayAddress = `/ip4/${relay.site.publicAddress}/tcp/4001/p2p/${peer}`;
    for (const node of hidden) await node.lines.ask('connect', { to: relayAddress });
    const [dialler, other] = hidden;
    let address: string | undefined;
    await until('the other one has a place with the relay', addressMs, async () => {
      const { addresses } = await other!.where();
      address = addresses.find((one) => one.includes('/p2p-circuit/webrtc/'));
      return address !== undefined;
    });
    return { dialler: dialler!, other: other!, address: address! };
  }

  /** @throws Error when the relay carries nothing from one to the other */
  async function isCarriedByRelay(): Promise<boolean> {
    const { dialler, other, address } = await arrange('symmetric');
    const { peer } = await other.where();
    await dialler.lines.ask('connect', { to: address.replace('/webrtc', ''), timeoutMs: 10_000 });
    const echo = await dialler.lines.ask<{ received: number; isRelayed: boolean }>('echo', {
      to: peer,
      bytes: 10_000,
      acceptRelayed: true,
      timeoutMs: 10_000,
    });
    assert.deepEqual([echo.received, echo.isRelayed], [10_000, true]);
    return true;
  }

  test('two behind port-restricted routers are connected directly', async () => {
    const { dialler, other, address } = await arrange('port-restricted');
    const startMs = performance.now();
    const { peer } = await dialler.lines.ask<{ peer: string }>('connect', { to: address });
    const seconds = Math.round((performance.now() - startMs) / 100) / 10;
    assert.equal(peer, (await other.where()).peer);
    const connection = (await dialler.peers()).find((one) => one.peer === peer && !one.isRelayed);
    assert.ok(connection, 'a connection without the limits of a relay');
    const echo = await dialler.lines.ask<{ received: number; isRelayed: boolean; seconds: number }>('echo', {
      to: peer,
      bytes: echoBytes,
    });
    // Through the relay no more than 128 KiB would have come.
    assert.deepEqual([echo.received, echo.isRelayed], [echoBytes, false]);
    results.push({ kind: 'port-restricted', means: 'direct', seconds });
  });

  /**
   * One pair in three gets no stream through its relayed connection, however often it tries; why is not known yet. So
   * a pair that fails makes room for another one, and the result says how many were needed.
   */
  test('behind symmetric routers the relay carries a little', async () => {
    let pairCount = 0;
    for (let isCarried = false; !isCarried; ) {
      pairCount++;
      isCarried = await isCarriedByRelay().catch((error: unknown) => {
        if (pairCount === pairsMax) throw error;
        return false;
      });
    }
    results.push({ kind: 'symmetric', means: 'relay', seconds: null, pairCount });
  });
});
