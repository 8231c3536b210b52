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

export type FirefoxOptions = {
  readonly width: number;
  readonly height: number;
  /** What the user speaks, as `es-MX`. */
  readonly language: string;
  /** Presses with a finger, where it else has a mouse. */
  readonly isTouch?: boolean;
  /** What has no sound plays at once, and without a press. */
  readonly autoplay?: boolean;
};

/** What is looked for: its role and, where one is meant of several, its name. */
type Part = readonly [role: string, name?: string];

export class Firefox {
  readonly #profile = mkdtempSync(join(tmpdir(), 'tequio-firefox-'));
  readonly #running: Running;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #socket: WebSocket | null = null;
  #nextId = 1;
  #context = '';
  readonly #options: FirefoxOptions;

  private constructor(options: FirefoxOptions) {
    this.#options = options;
    const own = {
      'intl.accept_languages': `${options.language}, ${options.language.split('-')[0]}`,
      'dom.w3c_touch_events.enabled': options.isTouch === true ? 1 : 0,
      ...(options.autoplay === true && { 'media.autoplay.default': 0, 'media.autoplay.blocking_policy': 0 }),
    };
    const lines = Object.entries({ ...preferences, ...own }).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    writeFileSync(join(this.#profile, 'user.js'), `${lines.join('\n')}\n`);
    const args = ['--headless', '--no-remote', '--profile', this.#profile, '--remote-debugging-port', '0'];
    this.#running = new Running(program, [...args, '--width', '1280', '--height', '900'], {
      env: { ...cleanEnvironment(this.#profile), MOZ_HEADLESS: '1' },
    });
  }

  static async start(options: FirefoxOptions): Promise<Firefox> {
    const firefox = new Firefox(options);
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

  /** Presses what a screen reader would call so; of several the last, which is in the dialog on top. */
  async press(role: string, name: string, within?: Part): Promise<void> {
    const { sharedId } = await this.find(role, name, within);
    await this.#call('(element) => element.scrollIntoView({ block: "center" })', sharedId);
    await this.#act({
      type: 'pointer',
      id: 'hand',
      parameters: { pointerType: this.#options.isTouch === true ? 'touch' : 'mouse' },
      actions: [
        { type: 'pointerMove', x: 0, y: 0, origin: { type: 'element', element: { sharedId } } },
        { type: 'pointerDown', button: 0 },
        { type: 'pointerUp', button: 0 },
      ],
    });
  }

  /** Writes into the field of this name, in place of what is there, key by key, and goes on to the next one. */
  async write(role: string, name: string, text: string, within?: Part): Promise<void> {
    await this.press(role, name, within);
    const all = [{ type: 'keyDown', value: '\uE009' }, ...key('a'), { type: 'keyUp', value: '\uE009' }];
    await this.#act({
      type: 'key',
      id: 'keys',
      actions: [...all, ...[...text].flatMap(key), ...key('\uE004')],
    });
  }

  /** Chooses in a closed list with the arrows. */
  async choose(name: string, option: string, within?: Part): Promise<void> {
    const { sharedId } = await this.find('combobox', name, within);
    const place = `[...element.options].findIndex(({ text }) => text === ${JSON.stringify(option)})`;
    const steps = Number(await this.#call(`(element) => { element.focus(); return ${place}; }`, sharedId));
    if (steps < 0) throw new Error(`${name} has no ${option}`);
    const [home, down] = ['\uE011', '\uE015'];
    await this.#act({ type: 'key', id: 'keys', actions: [home, ...Array(steps).fill(down)].flatMap(key) });
  }

  async propertyOf(role: string, name: string, property: string, within?: Part): Promise<unknown> {
    const { sharedId } = await this.find(role, name, within);
    return this.#call(`(element) => element[${JSON.stringify(property)}]`, sharedId);
  }

  /** Waits for it. */
  find(role: string, name: string, within?: Part): Promise<Node> {
    return until(`a ${role} called ${name}`, waitMs, async () => {
      const around = within === undefined ? undefined : await this.#locate(within, undefined);
      if (around === null) return null;
      return this.#locate([role, name], around);
    });
  }

  async #locate([role, name]: Part, within: Node | undefined): Promise<Node | null> {
    const { nodes } = await this.#ask<{ nodes: Node[] }>('browsingContext.locateNodes', {
      context: this.#context,
      locator: { type: 'accessibility', value: { role, ...(name !== undefined && { name }) } },
      ...(within !== undefined && { startNodes: [{ sharedId: within.sharedId }] }),
    });
    return nodes.at(-1) ?? null;
  }

  async #act(source: object): Promise<void> {
    await this.#ask('input.performActions', { context: this.#context, actions: [source] });
  }

  /** What a function in the page says of an element. */
  async #call(functionDeclaration: string, sharedId: string): Promise<unknown> {
    const { result } = await this.#ask<{ result: { value?: unknown } }>('script.callFunction', {
      functionDeclaration,
      arguments: [{ sharedId }],
      target: { context: this.#context },
      awaitPromise: false,
    });
    return result?.value;
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
    // The first window has not the focus: nothing is told of it there, and no change of a field that is left.
    const { context } = await this.#ask<{ context: string }>('browsingContext.create', { type: 'window' });
    this.#context = context;
    await this.#ask('browsingContext.activate', { context });
    const { width, height } = this.#options;
    await this.#ask('browsingContext.setViewport', { context: this.#context, viewport: { width, height } });
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

function key(value: string): object[] {
  return [
    { type: 'keyDown', value },
    { type: 'keyUp', value },
  ];
}
