/**
 * An Internet of network namespaces: one that routes between all sites, and at each site a machine, behind a router of
 * some kind or none. Addresses of the wide network look public; nothing has a way to a real network.
 *
 *   outside 5.I.0.2 ──┐
 *   router  5.I.0.2 ──┼── 5.I.0.1 internet            IPv6: wan 2a0f:1:I::/64, behind the router 2a0f:2:I::/64
 *      │ 192.168.I.1  │
 *   machine 192.168.I.2
 *
 * With a second router (`outer`) the inner one's address is in 100.64.I.0/24 or 10.I.0.0/24.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeAtExit } from '../lab/close-at-exit.ts';
import { Host } from '../lab/lab.ts';
import { NatRouter, type RouterKind } from './nat-router.ts';

const prefix = 'tqnat';

export type Site = {
  readonly host: Host;
  /** From which the others see it. */
  readonly publicAddress: string;
  /** Of the machine, global; of no use where the site has no IPv6. */
  readonly ipv6: string;
  /** Null: it has none. */
  readonly router: NatRouter | null;
  /** The provider's, in front of `router`. */
  readonly outer: NatRouter | null;
};

export type SiteOptions = {
  readonly kind: RouterKind | 'none';
  /** Between the two routers, of which the outer is port-restricted: `100.64` or `10`. */
  readonly doubleNat?: '100.64' | '10';
  /** By default all but those with two routers have it, with a firewall that lets nobody in. */
  readonly hasIpv6?: boolean;
  /** False: the machine itself has IPv6 alone. */
  readonly hasIpv4?: boolean;
};

export class NatLab {
  readonly folder: string;
  readonly #name: string;
  readonly #namespaces: string[] = [];
  readonly #forget: () => void;
  #siteCount = 0;
  #closed = false;

  private constructor() {
    this.#name = `${prefix}-${process.pid}-${startOf(process.pid)}`;
    this.folder = mkdtempSync(join(tmpdir(), 'tequio-nat-'));
    this.#addNamespace('internet');
    this.#forget = closeAtExit(this);
  }

  /** @throws Error when this user may not make namespaces */
  static open(): NatLab {
    removeAbandoned();
    return new NatLab();
  }

  /** A machine and what is between it and the Internet. */
  addSite(name: string, options: SiteOptions): Site {
    const index = ++this.#siteCount;
    const hasIpv6 = options.doubleNat === undefined && options.hasIpv6 !== false;
    const hasIpv4 = options.hasIpv4 !== false;
    const machine = this.#addNamespace(name);
    if (options.kind === 'none') {
      const { address, ipv6 } = this.#connectWan(index, machine, 'eth0', hasIpv6, hasIpv4);
      const host = new Host(machine, address, `5.${index}.0.1`, join(this.folder, name));
      return { host, publicAddress: address, ipv6, router: null, outer: null };
    }
    const inner = this.#addNamespace(`${name}-router`);
    let outer: NatRouter | null = null;
    let wan: { readonly address: string };
    if (options.doubleNat === undefined) wan = this.#connectWan(index, inner, 'wan', hasIpv6);
    else {
      const middle = options.doubleNat === '10' ? `10.${index}.0` : `100.64.${index}`;
      outer = this.#addProvider(`${name}-provider`, index, inner, middle);
      wan = { address: `${middle}.2` };
    }
    const [lan4, lan6] = [`192.168.${index}`, `2a0f:2:${index}:`];
    const addressesAt = (last: number, has4: boolean): string[] => [
      ...(has4 ? [`${lan4}.${last}/24`] : []),
      ...(hasIpv6 ? [`${lan6}:${last}/64`] : []),
    ];
    this.#connect(
      { namespace: inner, name: 'lan', addresses: addressesAt(1, true) },
      { namespace: machine, name: 'eth0', addresses: addressesAt(2, hasIpv4) },
    );
    addDefaultRoutes(machine, hasIpv4 ? `${lan4}.1` : null, hasIpv6 ? `${lan6}:1` : null);
    if (hasIpv6) {
      ip('-n', this.#namespaceOf('internet'), 'route', 'add', `${lan6}:/64`, 'via', `2a0f:1:${index}::2`);
    }
    const host = new Host(machine, `${lan4}.2`, `${lan4}.1`, join(this.folder, name));
    const folder = join(this.folder, `${name}-router`);
    const router = new NatRouter(inner, options.kind, wan.address, host.address, folder);
    return { host, publicAddress: `5.${index}.0.2`, ipv6: `${lan6}:2`, router, outer };
  }

  /** Ends every program, removes all namespaces and the folder. Synchronous, so that it also works at exit. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    for (const namespace of this.#namespaces) removeNamespace(namespace);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #addNamespace(name: string): string {
    const namespace = this.#namespaceOf(name);
    ip('netns', 'add', namespace);
    this.#namespaces.push(namespace);
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    // Addresses are there at once, not after a search for duplicates.
    setSystem(namespace, ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
    setSystem(namespace, ['net.ipv6.conf.default.accept_dad=0', 'net.ipv6.conf.all.accept_dad=0']);
    return namespace;
  }

  #namespaceOf(name: string): string {
    return `${this.#name}-${name}`;
  }

  /** Gives a namespace a public address, and the way to all others. */
  #connectWan(
    index: number,
    namespace: string,
    name: string,
    hasIpv6: boolean,
    hasIpv4 = true,
  ): { readonly address: string; readonly ipv6: string } {
    const [wan4, wan6] = [`5.${index}.0`, `2a0f:1:${index}:`];
    const at = (last: number): string[] => [
      ...(hasIpv4 ? [`${wan4}.${last}/24`] : []),
      ...(hasIpv6 ? [`${wan6}:${last}/64`] : []),
    ];
    this.#connect(
      { namespace: this.#namespaceOf('internet'), name: `site${index}`, addresses: at(1) },
      { namespace, name, addresses: at(2) },
    );
    addDefaultRoutes(namespace, hasIpv4 ? `${wan4}.1` : null, hasIpv6 ? `${wan6}:1` : null);
    return { address: `${wan4}.2`, ipv6: `${wan6}:2` };
  }

  /** The provider's own router, which gives the customer's an address that is not of the Internet. */
  #addProvider(name: string, index: number, customer: string, middle: string): NatRouter {
    const namespace = this.#addNamespace(name);
    const { address } = this.#connectWan(index, namespace, 'wan', false);
    this.#connect(
      { namespace, name: 'lan', addresses: [`${middle}.1/24`] },
      { namespace: customer, name: 'wan', addresses: [`${middle}.2/24`] },
    );
    addDefaultRoutes(customer, `${middle}.1`, null);
    return new NatRouter(namespace, 'port-restricted', address, `${middle}.2`, join(this.folder, name));
  }

  #connect(from: LinkEnd, to: LinkEnd): void {
    const peer = ['peer', 'name', to.name, 'netns', to.namespace];
    ip('-n', from.namespace, 'link', 'add', from.name, 'type', 'veth', ...peer);
    for (const { namespace, name, addresses } of [from, to]) {
      for (const address of addresses) ip('-n', namespace, 'address', 'add', address, 'dev', name);
      ip('-n', namespace, 'link', 'set', name, 'up');
    }
  }
}

type LinkEnd = { readonly namespace: string; readonly name: string; readonly addresses: readonly string[] };

function addDefaultRoutes(namespace: string, ipv4: string | null, ipv6: string | null): void {
  if (ipv4 !== null) ip('-n', namespace, 'route', 'add', 'default', 'via', ipv4);
  if (ipv6 !== null) ip('-n', namespace, '-6', 'route', 'add', 'default', 'via', ipv6);
}

/** Removes the labs of processes that have ended. */
function removeAbandoned(): void {
  const listed = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
  for (const line of listed.split('\n')) {
    const [namespace, pid, start] = new RegExp(`^${prefix}-(\\d+)-(\\d+)-[\\w-]+`).exec(line) ?? [];
    if (namespace !== undefined && startOf(Number(pid)) !== start) removeNamespace(namespace);
  }
}

/** With its id, this names a process for good: when it started. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
  } catch {
    return 'none';
  }
}

function removeNamespace(namespace: string): void {
  const pids = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).stdout;
  for (const pid of pids.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  spawnSync('ip', ['netns', 'delete', namespace], { stdio: 'ignore' });
}

function setSystem(namespace: string, settings: readonly string[]): void {
  run('ip', ['netns', 'exec', namespace, 'sysctl', '-qw', ...settings]);
}

function ip(...args: string[]): void {
  run('ip', args);
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr || error}`);
}
