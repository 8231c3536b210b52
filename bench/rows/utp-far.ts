/** uTP with and without a long line between the two machines. What is measured: bench/README.md. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assertSameTree } from '../../e2e/lab/content.ts';
import type { Host } from '../../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../../e2e/lab/libtorrent.ts';
import type { LabPeer } from '../../e2e/lab/peer.ts';
import { versionOf } from '../../e2e/lab/programs.ts';
import { TequioPeer } from '../../e2e/lab/tequio.ts';
import { TransmissionPeer } from '../../e2e/lab/transmission.ts';
import { until } from '../../e2e/lab/until.ts';
import { type Content, contentName, makeContent, mebibyte } from '../content.ts';
import { ownVersion } from '../downloaders.ts';
import { libtorrents, utpOnlySettings } from '../libtorrents.ts';
import { buildNative } from '../native.ts';
import { type Bench, type Contender, ours, type RowRunner, type Values } from '../row.ts';

const pieceBytes = 256 * 1024;
const oneWayMs = 25;
const lostPerThousand = 10;
const relayPort = 7000;
const timeoutMs = 200_000;
/** The transfer has begun when this much has left the sender. */
const begunBytes = 64 * 1024;

type Program = {
  readonly program: string;
  readonly version: string | null;
  readonly start: (host: Host, transport: 'utp' | 'tcp') => Promise<LabPeer>;
};

function programs(): readonly Program[] {
  return [
    {
      program: ours,
      version: ownVersion(),
      start: async (host, transport) =>
        new TequioPeer(host, ['--transport', transport, '--bind', host.address]),
    },
    ...libtorrents().map(({ program, version, python }) => ({
      program,
      version,
      start: (host: Host) => LibtorrentPeer.start(host, utpOnlySettings, null, python),
    })),
    {
      program: 'Transmission',
      version: versionOf('Transmission'),
      start: async (host) => {
        refuseTcp(host);
        return TransmissionPeer.start(host, { 'utp-enabled': true, 'cache-size-mb': 64 });
      },
    },
  ];
}

export const utpFar: RowRunner = {
  plan: async (bench) => {
    const relay = buildNative('relay', bench.lab.folder);
    const near = await makeContent(bench.lab.folder, 'near', {
      bytes: (bench.quick ? 48 : 192) * mebibyte,
      pieceBytes,
    });
    const far = await makeContent(bench.lab.folder, 'far', {
      bytes: (bench.quick ? 4 : 16) * mebibyte,
      pieceBytes,
    });
    const caseOf = (name: string, measureOne: (program: Program) => Promise<Values>) => ({
      name,
      open: async () => ({
        contenders: programs().map(
          (one): Contender => ({
            program: one.program,
            version: one.version,
            measure: () => measureOne(one),
          }),
        ),
      }),
    });
    return {
      setting: { oneWayMs, lostPerThousand, nearBytes: near.bytes, farBytes: far.bytes, pieceBytes },
      cases: [
        caseOf('no delay', async (program) => {
          const rate = await measure(bench, program, 'utp', near, null);
          if (program.program !== ours) return { rate };
          return { rate, byTcp: rate / (await measure(bench, program, 'tcp', near, null)) };
        }),
        caseOf(`${2 * oneWayMs} ms and ${lostPerThousand / 10} % lost`, async (program) => ({
          rate: await measure(bench, program, 'utp', far, relay),
        })),
      ],
    };
  },
};

/** @returns MB/s */
async function measure(
  { lab }: Bench,
  program: Program,
  transport: 'utp' | 'tcp',
  content: Content,
  relay: string | null,
): Promise<number> {
  const hosts = ['sender', 'receiver', 'relay'].map((name) => lab.addHost(name)) as [Host, Host, Host];
  const [senderHost, receiverHost, relayHost] = hosts;
  const peers: LabPeer[] = [];
  try {
    const sender = await program.start(senderHost, transport);
    peers.push(sender);
    await sender.seed(content.torrentFile, content.folder);
    const receiver = await program.start(receiverHost, transport);
    peers.push(receiver);
    const at = relay === null ? sender.endpoint : startRelay(relay, relayHost, sender.endpoint);
    const sentBefore = senderHost.sentBytes();
    const got = join(receiverHost.folder, 'got');
    mkdirSync(got);
    await receiver.download(content.torrentFile, got, { peers: [at] });
    const hasBegun = (): boolean => senderHost.sentBytes() - sentBefore >= begunBytes;
    await until('the transfer begins', 60_000, hasBegun, 2);
    const startMs = performance.now();
    if (receiver instanceof TequioPeer) await receiver.waitLine('bittorrent.torrent.finished', timeoutMs);
    else await receiver.waitComplete(timeoutMs, 10);
    const seconds = (performance.now() - startMs) / 1000;
    assertSameTree(join(got, contentName), join(content.folder, contentName));
    return (content.bytes - begunBytes) / 1e6 / seconds;
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    for (const host of hosts) {
      lab.removeHost(host);
      rmSync(host.folder, { recursive: true, force: true });
    }
  }
}

/** @returns where it is dialled. It ends with its host. */
function startRelay(program: string, host: Host, to: string): string {
  const [address, port] = to.split(':') as [string, string];
  const numbers = [oneWayMs, lostPerThousand].map(String);
  host.run(program, [host.address, String(relayPort), address, port, ...numbers]);
  return `${host.address}:${relayPort}`;
}

/** Transmission takes TCP where it can: peers of this host are refused by it. */
function refuseTcp(host: Host): void {
  const rules = `table inet only { chain input { type filter hook input priority 0;
    iifname "eth0" tcp dport 51413 reject with tcp reset
  }
}`;
  const run = spawnSync('ip', ['netns', 'exec', host.namespace, 'nft', '-f', '-'], {
    input: rules,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`nft: ${run.stderr}`);
}
