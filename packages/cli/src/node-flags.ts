import type { NodeSettings } from '@tequio/api';
import { dhtBootstrapHosts } from '@tequio/api/dht-bootstrap';
import type { Command } from 'commander';
import { completeLimitRule, type LimitRuleText } from './limit-rule.ts';
import type { OptionParsers } from './option-parsers.ts';
import type { Session } from './session.ts';

/** Options of every command that talks to peers. */
export type NodeFlags = {
  readonly peer?: readonly string[];
  readonly port?: number;
  readonly bind?: string;
  readonly addressFilter?: string;
  readonly limitDown?: number | null;
  readonly limitUp?: number | null;
  readonly schedule?: readonly LimitRuleText[];
  readonly category?: string;
  readonly encryption?: NodeSettings['encryption'];
  readonly portMapping?: boolean;
  readonly proxy?: string;
  readonly proxyFor?: 'all' | 'peers' | 'trackers';
  readonly dht?: boolean;
  readonly pex?: boolean;
  readonly lsd?: boolean;
  readonly dhtBootstrap?: readonly string[];
  readonly transport?: NodeSettings['transport'];
};

export function addNodeOptions(command: Command, session: Session, parsers: OptionParsers): Command {
  const { get: help } = session.messages.help;
  return command
    .option('--peer <host:port>', help.peer, parsers.peers)
    .option('--port <port>', help.port, parsers.port)
    .option('--bind <address|interface>', help.bind, parsers.bind)
    .option('--address-filter <file>', help.addressFilter)
    .option('--limit-down <rate>', help.limitDown, parsers.rate)
    .option('--limit-up <rate>', help.limitUp, parsers.rate)
    .option('--schedule <rule>', help.schedule, parsers.limitRules)
    .option('--encryption <policy>', help.encryption, parsers.encryption)
    .option('--no-port-mapping', help.noPortMapping)
    .option('--proxy <url>', help.proxy, parsers.proxy)
    .option('--proxy-for <purpose>', help.proxyFor, parsers.proxyPurpose)
    .option('--no-dht', help.noDht)
    .option('--no-pex', help.noPex)
    .option('--no-lsd', help.noLsd)
    .option('--dht-bootstrap <host:port>', help.dhtBootstrap, parsers.peers)
    .option('--transport <kind>', help.transport, parsers.transport);
}

export function settingsOf(flags: NodeFlags, session: Session): NodeSettings {
  const usual = { down: flags.limitDown ?? null, up: flags.limitUp ?? null };
  return {
    dataFolder: session.dataFolder,
    offline: false,
    port: flags.port ?? null,
    bind: flags.bind ?? null,
    addressFilter: flags.addressFilter === undefined ? null : session.world.resolvePath(flags.addressFilter),
    portMapping: flags.portMapping !== false,
    limitDown: usual.down,
    limitUp: usual.up,
    schedule: (flags.schedule ?? []).map((rule) => completeLimitRule(rule, usual)),
    encryption: flags.encryption ?? 'allow',
    proxy: proxyOf(flags),
    dht: flags.dht === false ? null : { bootstrap: flags.dhtBootstrap ?? dhtBootstrapHosts },
    pex: flags.pex !== false,
    lsd: flags.lsd !== false,
    transport: flags.transport ?? 'both',
  };
}

function proxyOf({ proxy, proxyFor = 'all' }: NodeFlags): NonNullable<NodeSettings['proxy']> | null {
  if (proxy === undefined) return null;
  return { url: proxy, peers: proxyFor !== 'trackers', trackers: proxyFor !== 'peers' };
}
