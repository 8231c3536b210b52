/** The distribution's Firefox, driven over WebDriver BiDi: as much of it as a journey through a page needs. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment, Running } from './running.ts';
import { HopelessError, until } from './until.ts';

const program = '/usr/bin/firefox-esr';
const waitMs = 30_000;
export const skipWithoutFirefox =
  !existsSync(program) && process.env['TEQUIO_REQUIRE_PEERS'] !== '1' && `there is no ${program}`;

/** Nothing is asked of the Internet, and nothing is shown that a journey does not expect. */
const preferences: Readonly<Record<string, string | number | boolean>> = {
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  // Nothing plays by itself, press or no press: without a sound card Firefox ends what plays (OnMediaSinkAudioError).
  'media.autoplay.blocking_policy': 2,
  'media.autoplay.default': 5,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'http://127.0.0.1:9',
  'toolkit.telemetry.enabled': false,
};

type Reply = {
  readonly id?: number;
  readonly type: string;
  readonly result?: unknown;
  readonly message?: string;
};
type Node = { readonly sharedId: string };

export class Firefox {
  readonly #profile = mkdtempSync(join(tmpdir(), 'tequio-firefox-'));
  readonly #running: Running;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #socket: WebSocket | null = null;
  #nextId = 1;
  #context = '';

  private constructor() {
    const lines = Object.entries(preferences).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    writeFileSync(join(this.#profile, 'user.js'), `${lines.join('\n')}\n`);
    const args = ['--headless', '--no-remote', '--profile', this.#profile, '--remote-debugging-port', '0'];
    this.#running = new Running(program, [...args, '--width', '1280', '--height', '900'], {
      env: { ...cleanEnvironment(this.#profile), MOZ_HEADLESS: '1' },
    });
  }

  static async start(): Promise<Firefox> {
    const firefox = new Firefox();
    try {
      const address = await until('Firefox listens', 60_000, () => {
        if (firefox.#running.exit !== null) throw new HopelessError(firefox.#running.stderr);
        return /BiDi listening on (ws:\S+)/.exec(firefox.#running.stderr)?.[1] ?? null;
      });
      await firefox.#connect(`${address}/session`);
      return firefox;
    } catch (error) {
      await firefox.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#socket?.close();
    // Its other processes end with it, and hold its output open until they have.
    this.#running.child.kill('SIGKILL');
    await Promise.race([this.#running.exited, new Promise((resolve) => setTimeout(resolve, 10_000).unref())]);
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async open(url: string): Promise<void> {
    await this.#ask('browsingContext.navigate', { context: this.#context, url, wait: 'complete' });
  }

  /** What an expression is in the page: a text, a number or a truth value. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#ask<{ result: { value?: unknown } }>('script.evaluate', {
      expression,
      target: { context: this.#context },
      awaitPromise: true,
    });
    return result?.value;
  }

  /** Waits until an expression is true. */
  async waitFor(what: string, expression: string): Promise<void> {
    await until(what, waitMs, async () => (await this.evaluate(`Boolean(${expression})`)) === true);
  }

  /** Clicks what a screen reader would call so; of several the last, which is in the dialog on top. */
  async press(role: string, name: string): Promise<void> {
    const { sharedId } = await this.#find(role, name);
    const origin = { type: 'element', element: { sharedId } };
    await this.#ask('script.callFunction', {
      functionDeclaration: '(element) => element.scrollIntoView({ block: "center" })',
      arguments: [{ sharedId }],
      target: { context: this.#context },
      awaitPromise: false,
    });
    await this.#ask('input.performActions', {
      context: this.#context,
      actions: [
        {
          type: 'pointer',
          id: 'mouse',
          actions: [
            { type: 'pointerMove', x: 0, y: 0, origin },
            { type: 'pointerDown', button: 0 },
            { type: 'pointerUp', button: 0 },
          ],
        },
      ],
    });
  }

  /** Writes into the field of this name, in place of what is there, key by key. */
  async write(name: string, text: string): Promise<void> {
    await this.press('textbox', name);
    const key = (value: string): object[] => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ];
    const all = [{ type: 'keyDown', value: '\uE009' }, ...key('a'), { type: 'keyUp', value: '\uE009' }];
    await this.#ask('input.performActions', {
      context: this.#context,
      actions: [{ type: 'key', id: 'keys', actions: [...all, ...[...text].flatMap(key)] }],
    });
  }

  #find(role: string, name: string): Promise<Node> {
    return until(`a ${role} called ${name}`, waitMs, async () => {
      const { nodes } = await this.#ask<{ nodes: Node[] }>('browsingContext.locateNodes', {
        context: this.#context,
        locator: { type: 'accessibility', value: { role, name } },
      });
      return nodes.at(-1) ?? null;
    });
  }

  async #connect(url: string): Promise<void> {
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const reply = JSON.parse(String(data)) as Reply;
      if (reply.id === undefined) return;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error(`no connection to ${url}`)));
    });
    await this.#ask('session.new', { capabilities: { alwaysMatch: {} } });
    const { contexts } = await this.#ask<{ contexts: { context: string }[] }>('browsingContext.getTree', {});
    this.#context = contexts[0]!.context;
  }

  #ask<Result>(method: string, params: object): Promise<Result> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), 2 * waitMs);
      this.#waiting.set(id, (reply) => {
        clearTimeout(timer);
        if (reply.type === 'error') reject(new Error(`${method}: ${reply.message}`));
        else resolve(reply.result as Result);
      });
      this.#socket!.send(JSON.stringify({ id, method, params }));
    });
  }
}
