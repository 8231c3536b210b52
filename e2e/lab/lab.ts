/**
 * A network of its own for tests: a bridge 10.77.N.0/24 and one network namespace a host, so that every program
 * has its own address and none reaches a real network (namespaces have no default route).
 *
 * N is claimed by making the bridge `tqlabN`, which only one process can; the bridge's alias names the owner, and
 * a later lab removes what dead owners have left behind, with the programs that still run there.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeAtExit } from './close-at-exit.ts';
import { cleanEnvironment, Running, type RunOptions } from './running.ts';

const bridgePrefix = 'tqlab';
const labCountMax = 200;
const hostCountMax = 200;

export class Lab {
  /** Of the bridge, which the test itself can listen on and dial from. */
  readonly address: string;
  /** Everything that belongs to this lab, removed with it. */
  readonly folder: string;
  readonly #number: number;
  /** By their places; the place of one that was removed goes to the next. */
  readonly #hosts: Host[] = [];
  #madeCount = 0;
  readonly #forget: () => void;
  #closed = false;

  private constructor(number: number, parentFolder: string) {
    this.#number = number;
    this.address = `10.77.${number}.1`;
    this.folder = mkdtempSync(join(parentFolder, 'tequio-lab-'));
    this.#forget = closeAtExit(this);
  }

  /** A new, empty network. @throws Error when this user may not make one */
  /** @param parentFolder where its folder is made */
  static open(parentFolder: string = tmpdir()): Lab {
    removeAbandoned();
    for (let number = 1; number <= labCountMax; number++) {
      if (!tryIp('link', 'add', 'name', `${bridgePrefix}${number}`, 'type', 'bridge')) continue;
      ip('link', 'set', `${bridgePrefix}${number}`, 'alias', ownerOf(process.pid));
      ip('address', 'add', `10.77.${number}.1/24`, 'dev', `${bridgePrefix}${number}`);
      ip('link', 'set', `${bridgePrefix}${number}`, 'up');
      return new Lab(number, parentFolder);
    }
    throw new Error('no lab: network bridges cannot be made here, or all are taken');
  }

  /** A new host; its folder is `folder/name`. */
  addHost(name: string): Host {
    const free = this.#hosts.findIndex((host) => host.isRemoved);
    const place = free < 0 ? this.#hosts.length : free;
    const index = place + 1;
    if (index > hostCountMax) throw new Error('too many hosts in one lab');
    const namespace = `${bridgePrefix}${this.#number}-${index}`;
    const outside = outsideOf(namespace);
    const address = `10.77.${this.#number}.${index + 9}`;
    const host = new Host(
      namespace,
      address,
      this.address,
      join(this.folder, `${++this.#madeCount}-${name}`),
    );
    this.#hosts[place] = host;
    ip('netns', 'add', namespace);
    ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('link', 'set', outside, 'master', `${bridgePrefix}${this.#number}`, 'up');
    ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    return host;
  }

  /** Ends the host's programs and takes it off the network; its folder stays until the lab is closed. */
  removeHost(host: Host): void {
    removeNamespace(host.namespace);
    host.isRemoved = true;
  }

  /** Those that are there now. */
  get hosts(): readonly Host[] {
    return this.#hosts.filter((host) => !host.isRemoved);
  }

  /** Ends every program, removes hosts, bridge and folder. Synchronous, so that it also works at exit. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    for (const host of this.#hosts) if (!host.isRemoved) removeNamespace(host.namespace);
    tryIp('link', 'delete', `${bridgePrefix}${this.#number}`);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** One machine of a lab: a network namespace with one address, and a folder. */
export class Host {
  readonly namespace: string;
  readonly address: string;
  /** The lab's own address, where the test itself can listen for this host. */
  readonly gateway: string;
  readonly folder: string;
  isRemoved = false;

  constructor(namespace: string, address: string, gateway: string, folder: string) {
    this.namespace = namespace;
    this.address = address;
    this.gateway = gateway;
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Lets no more than this many bytes a second leave this host. */
  limitRate(bytesPerSecond: number): void {
    const rate = ['rate', `${bytesPerSecond * 8}bit`, 'burst', '64kb', 'latency', '200ms'];
    ip('netns', 'exec', this.namespace, 'tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', ...rate);
  }

  /**
   * The longest packet that this host sends, and that its line carries to it. Each leaves as a packet of its own, and
   * one that is too long for a line vanishes there.
   */
  setMtu(bytes: number, lineBytes: number): void {
    ip('-n', this.namespace, 'link', 'set', 'eth0', 'mtu', `${bytes}`, 'gso_max_segs', '1');
    ip('link', 'set', outsideOf(this.namespace), 'mtu', `${lineBytes}`);
  }

  /** An IPv6 address besides the other one. */
  addIpv6(): string {
    const address = this.address.replace(/^(\d+)\.(\d+)\.(\d+)\.(\d+)$/, 'fd77:0:$3::$4');
    ip('-n', this.namespace, '-6', 'address', 'add', `${address}/64`, 'dev', 'eth0', 'nodad');
    return address;
  }

  /** Multicast goes out by the network card: a host has no default route that would say so. */
  routeMulticast(): void {
    ip('-n', this.namespace, 'route', 'add', '224.0.0.0/4', 'dev', 'eth0');
  }

  /**
   * From now on programs that start on this host know this name, as from its hosts file, and no other host does.
   */
  addName(name: string, address: string): void {
    const folder = `/etc/netns/${this.namespace}`;
    mkdirSync(folder, { recursive: true });
    appendFileSync(join(folder, 'hosts'), `127.0.0.1 localhost\n${address} ${name}\n`);
  }

  /** Programs that start on this host from now on ask this one about names. */
  useNameServer(address: string): void {
    const folder = `/etc/netns/${this.namespace}`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'resolv.conf'), `nameserver ${address}\noptions timeout:1 attempts:2\n`);
  }

  /** From now on counts what leaves this host. */
  watchOutput(allowed: string): void {
    const rules = `table inet watch {
  chain output {
    type filter hook output priority 0;
    oifname "lo" accept
    meta l4proto ipv6-icmp accept
    ip daddr ${allowed} counter accept
    counter
  }
}`;
    const run = spawnSync('ip', ['netns', 'exec', this.namespace, 'nft', '-f', '-'], { input: rules });
    if (run.status !== 0) throw new Error(`nft: ${run.stderr}`);
  }

  /** Packets since `watchOutput`: to the allowed address, and to others (the kernel's IPv6 housekeeping apart). */
  outputCounts(): { readonly allowed: number; readonly other: number } {
    const args = ['netns', 'exec', this.namespace, 'nft', '--json', 'list', 'table', 'inet', 'watch'];
    const listed = spawnSync('ip', args, { encoding: 'utf8' }).stdout;
    const [allowed = Number.NaN, other = Number.NaN] = [...listed.matchAll(/"packets": (\d+)/g)].map(
      (match) => Number(match[1]),
    );
    return { allowed, other };
  }

  /** Bytes that have left this host's network card. */
  sentBytes(): number {
    const counter = `/sys/class/net/${outsideOf(this.namespace)}/statistics/rx_bytes`;
    return Number(readFileSync(counter, 'utf8'));
  }

  /** Process ids of all that runs on this host. */
  processIds(): number[] {
    const listed = spawnSync('ip', ['netns', 'pids', this.namespace], { encoding: 'utf8' });
    return listed.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  }

  /** Starts a program on this host. Its process id is that of `Running.child`. */
  run(program: string, args: readonly string[], options: RunOptions = {}): Running {
    return new Running('ip', ['netns', 'exec', this.namespace, program, ...args], {
      cwd: this.folder,
      env: cleanEnvironment(this.folder),
      ...options,
    });
  }
}

/** True when this user may make namespaces and bridges. */
export function canOpenLab(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const probe = `${bridgePrefix}-probe-${process.pid}`;
  if (!tryIp('netns', 'add', probe)) return false;
  return tryIp('netns', 'delete', probe);
}

/** Removes the labs of processes that have ended. A bridge without an alias is being made right now. */
function removeAbandoned(): void {
  const listed = spawnSync('ip', ['-json', 'link', 'show', 'type', 'bridge'], { encoding: 'utf8' });
  const links = JSON.parse(listed.stdout || '[]') as { ifname?: string; ifalias?: string }[];
  for (const { ifname, ifalias } of links) {
    if (!ifname?.startsWith(bridgePrefix) || ifalias === undefined) continue;
    const pid = Number(/^tequio-lab pid=(\d+) /.exec(ifalias)?.[1]);
    if (!Number.isInteger(pid) || ownerOf(pid) === ifalias) continue;
    const namespaces = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout.split('\n');
    for (const line of namespaces) {
      const namespace = line.split(' ')[0]!;
      if (namespace.startsWith(`${ifname}-`)) removeNamespace(namespace);
    }
    tryIp('link', 'delete', ifname);
  }
}

/** Names a process for good: its id, and when it started. */
function ownerOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return `tequio-lab pid=${pid} start=${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
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
  // A namespace lingers until its last socket is gone; its link would keep the name until then.
  tryIp('link', 'delete', outsideOf(namespace));
  tryIp('netns', 'delete', namespace);
  rmSync(`/etc/netns/${namespace}`, { recursive: true, force: true });
}

/** The end of a host's link that is plugged into the bridge. */
function outsideOf(namespace: string): string {
  return namespace.replace(bridgePrefix, 'tqv');
}

function ip(...args: string[]): void {
  const run = spawnSync('ip', args, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`ip ${args.join(' ')}: ${run.stderr || run.error}`);
}

function tryIp(...args: string[]): boolean {
  return spawnSync('ip', args, { stdio: 'ignore' }).status === 0;
}
