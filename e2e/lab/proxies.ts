/** Proxies of other people, each on a host of its own. */

import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Host } from './lab.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

export class LabProxy {
  /** What `--proxy` takes. */
  readonly url: string;
  readonly host: Host;
  readonly #running: Running;

  private constructor(host: Host, url: string, running: Running) {
    this.host = host;
    this.url = url;
    this.#running = running;
  }

  /** SOCKS5 for connections alone. */
  static microsocks(host: Host, login: { user: string; password: string } | null = null): Promise<LabProxy> {
    const more = login === null ? [] : ['-u', login.user, '-P', login.password];
    const running = host.run('microsocks', ['-i', host.address, '-p', '1080', ...more]);
    const at = login === null ? '' : `${login.user}:${login.password}@`;
    return LabProxy.#start(host, `socks5://${at}${host.address}:1080`, running);
  }

  /** SOCKS5 with datagrams too. */
  static dante(host: Host): Promise<LabProxy> {
    const file = join(host.folder, 'danted.conf');
    writeFileSync(
      file,
      `logoutput: stderr
internal: ${host.address} port = 1080
external: eth0
socksmethod: none
clientmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 protocol: tcp udp }
`,
    );
    const running = host.run('danted', ['-f', file, '-p', join(host.folder, 'danted.pid')]);
    return LabProxy.#start(host, `socks5://${host.address}:1080`, running);
  }

  /** HTTP tunnels. */
  static tinyproxy(host: Host): Promise<LabProxy> {
    const file = join(host.folder, 'tinyproxy.conf');
    writeFileSync(file, 'Port 8888\nTimeout 60\nMaxClients 50\nBasicAuth ana secret\n');
    const running = host.run('tinyproxy', ['-d', '-c', file]);
    return LabProxy.#start(host, `http://ana:secret@${host.address}:8888`, running);
  }

  static async #start(host: Host, url: string, running: Running): Promise<LabProxy> {
    await until('the proxy listens', 10_000, () => {
      running.assertRunning();
      return canConnect(host.address, Number(url.split(':').at(-1)));
    });
    return new LabProxy(host, url, running);
  }

  async stop(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }
}

function canConnect(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
