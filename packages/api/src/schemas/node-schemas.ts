/** Status, history, events, log and network as they go over HTTP. Browser-safe. */

import type { BanSnapshot, BittorrentTotals } from '@tequio/bittorrent/contract';
import { z } from 'zod';
import type { LogLine } from '../log-api.ts';
import type { NatReachability, NatStatus } from '../nat-api.ts';
import type { AddressFilterReport } from '../network-api.ts';
import type { SpeedHistory } from '../speed-history-api.ts';
import type { NodeStatus, NodeTrouble } from '../status-api.ts';
import { bytesCount, count, rate, timeMs } from './torrent-schemas.ts';

export const totals = z.strictObject({
  downRate: rate,
  upRate: rate,
  downloadedBytes: bytesCount.meta({ description: 'In this run.' }),
  uploadedBytes: bytesCount.meta({ description: 'In this run.' }),
  torrentCount: count,
  connectionCount: count,
  dhtNodeCount: count,
}) satisfies z.ZodType<BittorrentTotals>;

const reachability = z.strictObject({
  family: z.literal([4, 6]),
  transport: z.enum(['tcp', 'udp']),
  state: z.enum(['unknown', 'open', 'mapped', 'punchable', 'closed']),
  basis: z.enum([
    'incoming',
    'mapping',
    'same-port',
    'different-ports',
    'no-address',
    'not-listening',
    'nobody-came',
    'nothing',
  ]),
  isSeen: z.boolean(),
  advice: z.enum(['none', 'wait', 'name-port', 'forward-port', 'open-firewall', 'ask-provider']),
  endpoint: z.string().nullable(),
}) satisfies z.ZodType<NatReachability>;

const natProtocol = z.enum(['pcp', 'nat-pmp', 'upnp']);

export const natStatus = z.strictObject({
  ways: z.array(
    z.strictObject({
      family: z.literal([4, 6]),
      local: z.string(),
      gateway: z.string().nullable(),
      isGuess: z.boolean().meta({ description: 'The system did not say where the gateway is.' }),
      protocol: natProtocol.nullable().meta({ description: 'Which one maps ports; null: none does.' }),
      protocols: z.array(
        z.strictObject({
          protocol: natProtocol,
          state: z.enum(['asked', 'found', 'silent', 'useless', 'offline']),
          detail: z.string().meta({ description: "May hold the router's own words." }),
        }),
      ),
      externalAddress: z.string().nullable(),
      isDoubleNat: z.boolean(),
      mappings: z.array(
        z.strictObject({
          transport: z.enum(['tcp', 'udp']),
          port: count,
          state: z.enum(['asked', 'mapped', 'refused']),
          externalPort: z.number().nullable(),
          reason: z.string(),
        }),
      ),
    }),
  ),
}) satisfies z.ZodType<NatStatus>;

const trouble = z.strictObject({
  part: z.string(),
  code: z.string(),
  message: z.string(),
  atMs: timeMs,
  retryAtMs: timeMs.nullable(),
}) satisfies z.ZodType<NodeTrouble>;

const dhtStatus = z.strictObject({
  port: count,
  families: z.array(
    z.strictObject({
      family: z.literal([4, 6]),
      id: z.string(),
      contactCount: count,
      externalAddress: z.string().nullable(),
      portsSeen: z.array(z.number()),
    }),
  ),
  receivedCount: count,
  answeredCount: count,
  droppedCount: count,
  storedHashCount: count,
  storedPeerCount: count,
  storedItemCount: count,
});

export const nodeStatus = z.strictObject({
  version: z.string(),
  startedAtMs: timeMs,
  dataFolder: z.string(),
  downloadFolder: z.string().meta({ description: 'Where content goes that is added without a folder.' }),
  totals,
  allTime: z
    .strictObject({
      downloadedBytes: bytesCount,
      uploadedBytes: bytesCount,
      runCount: count,
      runMs: z.number(),
    })
    .meta({ description: 'Over all runs.' }),
  port: count.meta({ description: 'TCP port for peers.' }),
  reachability: z.array(reachability).meta({ description: 'Empty: port mapping is off.' }),
  freeBytes: bytesCount.nullable().meta({ description: 'On the device of the download folder.' }),
  paused: z
    .strictObject({ untilMs: timeMs.nullable() })
    .nullable()
    .meta({ description: 'Everything stands still; null: it does not.' }),
  altLimits: z.boolean(),
  dht: dhtStatus.nullable(),
  troubles: z.array(trouble),
}) satisfies z.ZodType<NodeStatus>;

export const speedHistory = z.strictObject({
  stepMs: count,
  endMs: timeMs,
  down: z.array(z.number()),
  up: z.array(z.number()),
}) satisfies z.ZodType<SpeedHistory>;

export const nodeEvent = z.strictObject({
  seq: count.meta({ description: 'Grows by one with every event; starts at 1 in every run.' }),
  atMs: timeMs,
  event: z.looseObject({ type: z.string() }).meta({ description: 'A fact in the past tense, by its type.' }),
});

export const eventPage = z.strictObject({
  events: z.array(nodeEvent),
  lost: z.boolean().meta({ description: 'Some after the number that was asked with are no longer kept.' }),
  seq: count.meta({ description: 'To be asked with next time.' }),
});

export const logLevel = z.enum(['debug', 'info', 'warn', 'error']);

export const logLine = z.strictObject({
  seq: count,
  atMs: timeMs,
  level: logLevel,
  name: z.string(),
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
}) satisfies z.ZodType<LogLine>;

export const ban = z.strictObject({
  address: z.string(),
  code: z.string(),
  message: z.string(),
  untilMs: timeMs,
}) satisfies z.ZodType<BanSnapshot>;

const filterReport = {
  rangeCount: count,
  badLineCount: count,
  badLines: z.array(z.strictObject({ line: count, message: z.string() })),
};

export const addressFilterReport = z.strictObject(filterReport) satisfies z.ZodType<AddressFilterReport>;
export const addressFilterState = z.strictObject({ ...filterReport, readAtMs: timeMs });

/** An error, as RFC 9457 describes them, with a code that is never renamed. */
export const problem = z.looseObject({
  type: z.string().meta({ description: '`urn:tequio:` and the code.' }),
  title: z.string(),
  status: z.int(),
  detail: z.string().meta({ description: 'A sentence for a person.' }),
  code: z.string().meta({ description: 'For a program; see the table of codes.' }),
  errors: z
    .array(z.strictObject({ path: z.string(), message: z.string() }))
    .exactOptional()
    .meta({ description: 'What is wrong with which part of the input.' }),
});
