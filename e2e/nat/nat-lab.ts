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
import { Host } from '../lab/lab.ts';
import { NatRouter, type RouterKind } from './nat-router.ts';

const prefix = 'tqnat';

export type Site = {
  readonly host: Host;
  /** Of the machine, global. */
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
};

export class NatLab {
  readonly folder: string;
  readonly #name: string;
  readonly #namespaces: string[] = [];
  #siteCount = 0;
  #closed = false;

  private constructor() {
    this.#name = `${prefix}-${process.pid}-${startOf(process.pid)}`;
    this.folder = mkdtempSync(join(tmpdir(), 'tequio-nat-'));
    this.#addNamespace('internet');
    openLabs.add(this);
    guardExit();
  }

  /** @throws Error when this user may not make namespaces */
  static open(): NatLab {
    removeAbandoned();
    return new NatLab();
  }

  /** A machine and what is between it and the Internet. */
  addSite(name: string, options: SiteOptions): Site {
    const index = ++this.#siteCount;
    const machine = this.#addNamespace(name);
    const [wan4, wan6, lan6] = [`5.${index}.0`, `2a0f:1:${index}:`, `2a0f:2:${index}:`];
    const internet = this.#namespaceOf('internet');
    const folder = join(this.folder, name);
    const wanLink = {
      from: internet,
      fromName: `site${index}`,
      fromAddresses: [`${wan4}.1/24`, `${wan6}:1/64`],
    };
    if (options.kind === 'none') {
      this.#connect({
        ...wanLink,
        to: machine,
        toName: 'eth0',
        toAddresses: [`${wan4}.2/24`, `${wan6}:2/64`],
      });
      addDefaultRoutes(machine, `${wan4}.1`, `${wan6}:1`);
      return {
        host: new Host(machine, `${wan4}.2`, `${wan4}.1`, folder),
        ipv6: `${wan6}:2`,
        router: null,
        outer: null,
      };
    }
    const inner = this.#addNamespace(`${name}-router`);
    let outer: NatRouter | null = null;
    let innerWan = `${wan4}.2`;
    if (options.doubleNat === undefined) {
      this.#connect({ ...wanLink, to: inner, toName: 'wan', toAddresses: [`${wan4}.2/24`, `${wan6}:2/64`] });
      addDefaultRoutes(inner, `${wan4}.1`, `${wan6}:1`);
    } else {
      const namespace = this.#addNamespace(`${name}-provider`);
      const middle = options.doubleNat === '10' ? `10.${index}.0` : `100.64.${index}`;
      const [from, to] = [`${middle}.1/24`, `${middle}.2/24`];
      this.#connect({
        ...wanLink,
        to: namespace,
        toName: 'wan',
        toAddresses: [`${wan4}.2/24`, `${wan6}:2/64`],
      });
      this.#connect({
        from: namespace,
        fromName: 'lan',
        fromAddresses: [from],
        to: inner,
        toName: 'wan',
        toAddresses: [to],
      });
      addDefaultRoutes(namespace, `${wan4}.1`, `${wan6}:1`);
      addDefaultRoutes(inner, `${middle}.1`, null);
      outer = new NatRouter(
        namespace,
        'port-restricted',
        `${wan4}.2`,
        `${middle}.2`,
        join(this.folder, `${name}-provider`),
      );
      innerWan = `${middle}.2`;
    }
    this.#connect({
      from: inner,
      fromName: 'lan',
      fromAddresses: [`192.168.${index}.1/24`, `${lan6}:1/64`],
      to: machine,
      toName: 'eth0',
      toAddresses: [`192.168.${index}.2/24`, `${lan6}:2/64`],
    });
    addDefaultRoutes(machine, `192.168.${index}.1`, `${lan6}:1`);
    if (outer === null) ip('-n', internet, 'route', 'add', `${lan6}:/64`, 'via', `${wan6}:2`);
    const host = new Host(machine, `192.168.${index}.2`, `192.168.${index}.1`, folder);
    const router = new NatRouter(
      inner,
      options.kind,
      innerWan,
      host.address,
      join(this.folder, `${name}-router`),
    );
    return { host, ipv6: `${lan6}:2`, router, outer };
  }

  /** Ends every program, removes all namespaces and the folder. Synchronous, so that it also works at exit. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    openLabs.delete(this);
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

  #connect(link: {
    from: string;
    fromName: string;
    fromAddresses: readonly string[];
    to: string;
    toName: string;
    toAddresses: readonly string[];
  }): void {
    const { from, fromName, to, toName } = link;
    ip('-n', from, 'link', 'add', fromName, 'type', 'veth', 'peer', 'name', toName, 'netns', to);
    for (const address of link.fromAddresses) ip('-n', from, 'address', 'add', address, 'dev', fromName);
    for (const address of link.toAddresses) ip('-n', to, 'address', 'add', address, 'dev', toName);
    ip('-n', from, 'link', 'set', fromName, 'up');
    ip('-n', to, 'link', 'set', toName, 'up');
  }
}

function addDefaultRoutes(namespace: string, ipv4: string, ipv6: string | null): void {
  ip('-n', namespace, 'route', 'add', 'default', 'via', ipv4);
  if (ipv6 !== null) ip('-n', namespace, '-6', 'route', 'add', 'default', 'via', ipv6);
}

const openLabs = new Set<NatLab>();
let guarded = false;

function guardExit(): void {
  if (guarded) return;
  guarded = true;
  const closeAll = (): void => {
    for (const lab of openLabs) lab.close();
  };
  process.once('exit', closeAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      closeAll();
      process.exit(1);
    });
  }
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
