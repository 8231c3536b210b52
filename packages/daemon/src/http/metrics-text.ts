/** Numbers for Prometheus, in its text format 0.0.4. */
import type { NodeStatus } from '@tequio/api';

export type Metric = {
  /** `tequio_<application>_<noun>_<unit>`, `_total` at the end of what only grows. */
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly {
    readonly labels?: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
};

export function encodeMetrics(metrics: readonly Metric[]): string {
  return metrics
    .flatMap(({ name, help, type, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(({ labels = {}, value }) => `${name}${encodeLabels(labels)} ${value}`),
    ])
    .join('\n')
    .concat('\n');
}

function encodeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${key}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** What the node knows of itself. */
export function nodeMetrics(status: NodeStatus): Metric[] {
  const { totals, allTime } = status;
  const gauge = (name: string, help: string, value: number): Metric => ({
    name,
    help,
    type: 'gauge',
    samples: [{ value }],
  });
  return [
    {
      name: 'tequio_node_info',
      help: 'Always 1; the version is a label.',
      type: 'gauge',
      samples: [{ labels: { version: status.version }, value: 1 }],
    },
    gauge(
      'tequio_node_start_seconds',
      'When the node was started, in seconds since 1970.',
      status.startedAtMs / 1000,
    ),
    gauge(
      'tequio_node_free_bytes',
      'Free on the device of the download folder.',
      status.freeBytes ?? Number.NaN,
    ),
    gauge(
      'tequio_node_troubles',
      'Parts of the node that have failed and are tried again.',
      status.troubles.length,
    ),
    gauge('tequio_node_paused', '1 while everything stands still.', status.paused === null ? 0 : 1),
    {
      name: 'tequio_bittorrent_transferred_bytes_total',
      help: 'Content over all runs, by direction.',
      type: 'counter',
      samples: [
        { labels: { direction: 'down' }, value: allTime.downloadedBytes },
        { labels: { direction: 'up' }, value: allTime.uploadedBytes },
      ],
    },
    {
      name: 'tequio_bittorrent_rate_bytes_per_second',
      help: 'Now, by direction.',
      type: 'gauge',
      samples: [
        { labels: { direction: 'down' }, value: totals.downRate },
        { labels: { direction: 'up' }, value: totals.upRate },
      ],
    },
    gauge('tequio_bittorrent_torrents', 'Torrents that the node has.', totals.torrentCount),
    gauge('tequio_bittorrent_connections', 'Connections to peers.', totals.connectionCount),
    gauge('tequio_bittorrent_dht_nodes', 'Nodes of the DHT that we know.', totals.dhtNodeCount),
    ...(status.dht === null ? [] : dhtMetrics(status.dht)),
  ];
}

function dhtMetrics(dht: NonNullable<NodeStatus['dht']>): Metric[] {
  return [
    {
      name: 'tequio_bittorrent_dht_datagrams_total',
      help: 'Datagrams of the DHT: that came, that were answered, and that were not because the budget was spent.',
      type: 'counter',
      samples: [
        { labels: { what: 'received' }, value: dht.receivedCount },
        { labels: { what: 'answered' }, value: dht.answeredCount },
        { labels: { what: 'dropped' }, value: dht.droppedCount },
      ],
    },
    {
      name: 'tequio_bittorrent_dht_stored',
      help: 'What is kept for others in the DHT.',
      type: 'gauge',
      samples: [
        { labels: { what: 'info-hashes' }, value: dht.storedHashCount },
        { labels: { what: 'peers' }, value: dht.storedPeerCount },
        { labels: { what: 'items' }, value: dht.storedItemCount },
      ],
    },
  ];
}

/** What the process takes. */
export function processMetrics(
  { rss, heapUsed, external }: NodeJS.MemoryUsage,
  cpuSeconds: number,
): Metric[] {
  return [
    {
      name: 'tequio_process_memory_bytes',
      help: 'Resident memory of the process, and of that what the JavaScript heap and buffers outside of it take.',
      type: 'gauge',
      samples: [
        { labels: { of: 'resident' }, value: rss },
        { labels: { of: 'heap' }, value: heapUsed },
        { labels: { of: 'buffers' }, value: external },
      ],
    },
    {
      name: 'tequio_process_cpu_seconds_total',
      help: 'Processor time since the start, of all threads.',
      type: 'counter',
      samples: [{ value: cpuSeconds }],
    },
  ];
}
