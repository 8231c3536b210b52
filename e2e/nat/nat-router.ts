import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Running } from '../lab/running.ts';
import { until } from '../lab/until.ts';

/**
 * How a router treats the packets of the machine behind it (words of RFC 3489): `full-cone` lets everybody answer to a
 * UDP port that the machine has used, `port-restricted` only who was written to, `symmetric` besides takes another
 * port for each of them.
 */
export type RouterKind = 'full-cone' | 'port-restricted' | 'symmetric';

/** What the router's own mapper speaks. */
export type MapperKind = 'igd-1' | 'igd-2' | 'pcp' | 'nat-pmp' | 'all';

/** A namespace with the interfaces `wan` and `lan` that routes and translates between them (nftables). */
export class NatRouter {
  readonly namespace: string;
  readonly kind: RouterKind;
  readonly wanAddress: string;
  readonly #machine: string;
  readonly #folder: string;
  #mapper: Running | null = null;
  #mapperStart: readonly [MapperKind, string] | null = null;

  constructor(namespace: string, kind: RouterKind, wanAddress: string, machine: string, folder: string) {
    this.namespace = namespace;
    this.kind = kind;
    this.wanAddress = wanAddress;
    this.#machine = machine;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    this.#loadRules(rulesOf(kind, machine));
  }

  /** Starts miniupnpd, with what the kind of mapper says and no more. @param externalPorts that it may give */
  async startMapper(kind: MapperKind, externalPorts = '1024-65535'): Promise<void> {
    this.#mapperStart = [kind, externalPorts];
    // PCP and NAT-PMP come from one program on one port: the version, a datagram's first byte, tells them apart.
    const unwanted = kind === 'all' ? [] : kind === 'pcp' ? [0] : kind === 'nat-pmp' ? [2] : [0, 2];
    const drop = (version: number): string =>
      `add rule inet filter unwanted iifname "lan" udp dport 5351 @th,64,8 ${version} drop`;
    this.#loadRules(['flush chain inet filter unwanted', ...unwanted.map(drop)].join('\n'));
    const hasUpnp = kind !== 'pcp' && kind !== 'nat-pmp';
    const config = join(this.#folder, 'miniupnpd.conf');
    writeFileSync(
      config,
      [
        'ext_ifname=wan',
        'listening_ip=lan',
        `enable_upnp=${hasUpnp ? 'yes' : 'no'}`,
        `enable_natpmp=${kind.startsWith('igd') ? 'no' : 'yes'}`,
        `force_igd_desc_v1=${kind === 'igd-1' ? 'yes' : 'no'}`,
        'secure_mode=yes',
        'system_uptime=no',
        'uuid=11111111-2222-3333-4444-555555555555',
        `allow ${externalPorts} 0.0.0.0/0 1024-65535`,
        'deny 0-65535 0.0.0.0/0 0-65535',
        '',
      ].join('\n'),
    );
    this.#mapper = new Running('ip', [
      ...['netns', 'exec', this.namespace, 'miniupnpd', '-d', '-f', config],
      ...['-P', join(this.#folder, 'miniupnpd.pid')],
    ]);
    await until('miniupnpd runs', 5000, () => {
      this.#mapper!.assertRunning();
      return this.#isListening(hasUpnp ? 1900 : 5351);
    });
  }

  /** The power is cut, and comes back after `offMs`: mapper, mappings and connections start from nothing. */
  async restart(offMs: number): Promise<void> {
    await this.#mapper?.stop('SIGKILL');
    for (const chain of ['miniupnpd', 'prerouting_miniupnpd', 'postrouting_miniupnpd']) {
      this.#loadRules(`flush chain inet filter ${chain}`);
    }
    spawnSync('ip', ['netns', 'exec', this.namespace, 'conntrack', '-F'], { stdio: 'ignore' });
    await new Promise((resolve) => setTimeout(resolve, offMs));
    if (this.#mapperStart !== null) await this.startMapper(...this.#mapperStart);
  }

  /** What the mapper has opened: `tcp 6881`, or `tcp 6881 ipv6` for a pinhole. */
  mappings(): readonly string[] {
    const found: string[] = [];
    const list = (chain: string): string =>
      this.#run('nft', ['list', 'chain', 'inet', 'filter', chain]).stdout;
    // It compares bytes of the packet's head: protocol and, for a pinhole, the machine's whole IPv6 address.
    for (const line of list('prerouting_miniupnpd').split('\n')) {
      const [, protocol, port] = /@nh,72,8 0x(6|11) th dport (\d+) dnat/.exec(line) ?? [];
      if (port !== undefined) found.push(`${protocol === '6' ? 'tcp' : 'udp'} ${port}`);
    }
    for (const line of list('miniupnpd').split('\n')) {
      const [, port, protocol] = /th dport (\d+) @nh,192,128 \S+ @nh,48,8 0x(6|11)/.exec(line) ?? [];
      if (port !== undefined) found.push(`${protocol === '6' ? 'tcp' : 'udp'} ${port} ipv6`);
    }
    return found.sort();
  }

  rules(): string {
    return this.#run('nft', ['list', 'ruleset']).stdout;
  }

  /** What the mapper has said last. */
  describe(): string {
    return this.#mapper?.describe() ?? 'no mapper';
  }

  get machine(): string {
    return this.#machine;
  }

  #isListening(port: number): boolean {
    return this.#run('ss', ['-Hlun']).stdout.includes(`:${port} `);
  }

  #loadRules(text: string): void {
    const { status, stderr } = this.#run('nft', ['-f', '-'], text);
    if (status !== 0) throw new Error(`nft: ${stderr}\n${text}`);
  }

  #run(
    program: string,
    args: readonly string[],
    input = '',
  ): { status: number | null; stdout: string; stderr: string } {
    return spawnSync('ip', ['netns', 'exec', this.namespace, program, ...args], { encoding: 'utf8', input });
  }
}

/**
 * miniupnpd puts its rules into the chains that bear its name. New packets from outside that nothing expects are
 * dropped before they are seen by connection tracking of the way back: else they would take the port (see
 * "input": without that rule punching fails in every lab).
 */
function rulesOf(kind: RouterKind, machine: string): string {
  const masquerade = kind === 'symmetric' ? 'masquerade random,fully-random' : 'masquerade';
  const cone = kind === 'full-cone' ? `iifname "wan" udp dport 1024-65535 dnat ip to ${machine}` : '';
  const coneForward = kind === 'full-cone' ? 'iifname "wan" ct status dnat accept' : '';
  return `
table inet filter {
  chain unwanted { }
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain input {
    type filter hook input priority 0; policy accept;
    jump unwanted
    iifname "wan" meta l4proto { tcp, udp } ct state new drop
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" accept
    meta l4proto ipv6-icmp accept
    ${coneForward}
    jump miniupnpd
  }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    jump prerouting_miniupnpd
    ${cone}
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    oifname "wan" jump postrouting_miniupnpd
    oifname "wan" meta nfproto ipv4 ${masquerade}
  }
}
`;
}
