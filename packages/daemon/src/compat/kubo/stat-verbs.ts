/** `stats/…`, `ping`, `diag/…`, `log/…`: how the node does. */
import type { LogLine } from '@tequio/api';
import type { OverlayPort } from '@tequio/kernel';
import { live, value, values } from './kubo-answer.ts';
import { durationMs, type KuboCall, KuboUsageError } from './kubo-call.ts';
import { overlayOf, peerOf } from './kubo-overlay.ts';
import type { KuboDeps, KuboVerb, KuboVerbs } from './kubo-verb.ts';
import { pingPeer } from './peer-ping.ts';

const dialMs = 30_000;
const pingCountMax = 1000;
const pauseMs = 1000;
/** Lines of the log that wait for a client that reads slowly. */
const linesMax = 1000;

export const statVerbs: KuboVerbs = {
  'stats/bw': {
    scope: 'read',
    run: (call, deps) => {
      const intervalMs = durationMs(call.text('interval', '1s'), 'interval');
      return values(bandwidth(call, deps, intervalMs));
    },
  },
  'stats/dht': { scope: 'read', run: (_, deps) => value(dht(overlayOf(deps))) },
  ping: { scope: 'write', run: (call, deps) => values(ping(call, deps)) },
  'diag/sys': { scope: 'read', run: (_, deps) => value(system(deps)) },
  'diag/cmds': { scope: 'read', run: () => value([]) },
  'diag/cmds/clear': { scope: 'read', run: () => value([]) },
  'diag/healthy': { scope: 'read', run: () => value({ Healthy: true }) },
  'log/ls': { scope: 'read', run: () => value({ Strings: ['all'] }) },
  'log/level': { scope: 'read', run: (call) => value(level(call)) },
  'log/tail': {
    scope: 'admin',
    run: (call, { node }) => live(tail(node.log, call.signal)),
  } satisfies KuboVerb,
};

type Totals = { readonly in: number; readonly out: number };

/** Of bitswap: what libp2p says besides that is not counted. */
function totalsOf(deps: KuboDeps, peer: string | null): Totals {
  const peers = (deps.exchange?.bitswap.peers ?? []).filter((known) => peer === null || known.peer === peer);
  return {
    in: peers.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
    out: peers.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
  };
}

async function* bandwidth(call: KuboCall, deps: KuboDeps, intervalMs: number): AsyncGenerator<unknown> {
  overlayOf(deps);
  const peer = call.text('peer');
  let [last, sinceMs] = [totalsOf(deps, peer), 0];
  for (;;) {
    const now = totalsOf(deps, peer);
    const rate = (bytes: number): number => (sinceMs === 0 ? 0 : (bytes * 1000) / sinceMs);
    yield {
      TotalIn: now.in,
      TotalOut: now.out,
      RateIn: rate(now.in - last.in),
      RateOut: rate(now.out - last.out),
    };
    if (!call.flag('poll')) return;
    last = now;
    sinceMs = intervalMs;
    if (!(await paused(deps, intervalMs, call.signal))) return;
  }
}

/** Peers that speak the DHT, as kubo shows its routing table. */
function dht(overlay: OverlayPort): unknown {
  const peers = overlay.peers.map(({ peer, agent, protocols }) => ({
    ID: peer,
    Connected: true,
    AgentVersion: agent ?? '',
    LastUsefulAt: '',
    LastQueriedAt: '',
    isDht: protocols.some((protocol) => /\/kad\/1\.0\.0$/.test(protocol)),
  }));
  return {
    Name: 'wan',
    Buckets: [
      {
        LastRefresh: '',
        Peers: peers.filter(({ isDht }) => isDht).map(({ isDht: _, ...peer }) => peer),
      },
    ],
  };
}

async function* ping(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const overlay = overlayOf(deps);
  const [text, count] = [call.arg(0, 'peer ID'), call.count('count') ?? 10];
  const peer = peerOf(text);
  if (peer === overlay.peer) throw new KuboUsageError("can't ping self");
  if (count < 1 || count > pingCountMax)
    throw new KuboUsageError(`ping count must be from 1 to ${pingCountMax}, was ${count}`);
  await overlay.connect(text.startsWith('/') ? text : peer, { timeoutMs: dialMs, signal: call.signal });
  yield { Success: true, Time: 0, Text: `PING ${peer}.` };
  let [answeredCount, sumMs] = [0, 0];
  for (let sent = 0; sent < count; sent++) {
    const tookMs = await pingPeer(overlay, peer, deps.node.clock, call.signal);
    if (tookMs === null) yield { Success: false, Time: 0, Text: 'Ping error: the peer does not answer' };
    else {
      answeredCount++;
      sumMs += tookMs;
      yield { Success: true, Time: Math.round(tookMs * 1e6), Text: '' };
    }
    if (sent + 1 < count && !(await paused(deps, pauseMs, call.signal))) return;
  }
  if (answeredCount === 0) throw new KuboUsageError('ping failed');
  yield { Success: true, Time: 0, Text: `Average latency: ${(sumMs / answeredCount).toFixed(2)}ms` };
}

/** False: the client has gone meanwhile. */
function paused({ node }: KuboDeps, delayMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const end = (): void => {
      timer.cancel();
      resolve(false);
    };
    const timer = node.clock.setTimer(delayMs, () => {
      signal.removeEventListener('abort', end);
      resolve(true);
    });
    signal.addEventListener('abort', end, { once: true });
  });
}

function system({ version, exchange }: KuboDeps): unknown {
  return {
    diskinfo: {},
    environment: {},
    ipfs_version: version,
    net: { online: exchange !== null },
    runtime: { arch: process.arch, os: process.platform, version: process.version },
  };
}

/** All of the log is kept at its finest, and read as coarse as one likes: there is nothing to set. */
function level(call: KuboCall): unknown {
  const [subsystem, wanted] = [call.args[0] ?? 'all', call.args[1]];
  if (wanted === undefined) return { Levels: { [subsystem]: 'debug' } };
  if (!/^(?:debug|info|warn|error|dpanic|panic|fatal)$/.test(wanted))
    throw new KuboUsageError(`unrecognized level: "${wanted}"`);
  return { Message: `The log keeps every level; "${wanted}" changes nothing for '${subsystem}'.\n` };
}

async function* tail(
  log: { subscribe(listener: (line: LogLine) => void): () => void },
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  const waiting: LogLine[] = [];
  let wake = (): void => {};
  const end = log.subscribe((line) => {
    if (waiting.length < linesMax) waiting.push(line);
    wake();
  });
  signal.addEventListener('abort', () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      for (const { atMs, level: of, name, fields } of waiting.splice(0))
        yield { level: of, ts: new Date(atMs).toISOString(), logger: 'tequio', msg: name, ...fields };
      if (!signal.aborted && waiting.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    end();
  }
}
