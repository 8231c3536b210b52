/** aria2's JSON-RPC: a message's text becomes calls on the node, and an answer's text. */
import { NodeError, toHex } from '@tequio/kernel';
import { type CompatCaller, type CompatPorts, callerKey } from '../compat-caller.ts';
import { compatLimits } from '../compat-limits.ts';
import { Aria2Error, aria2Codes } from './aria2-error.ts';
import { aria2Looks, aria2Notifications, aria2Verbs } from './aria2-methods.ts';
import { Aria2Session } from './aria2-session.ts';

/** Who is behind a token, or without one; null: nobody that we know. */
export type FindCaller = (token: string | null) => Promise<CompatCaller | null>;

export type Aria2Request = {
  readonly findCaller: FindCaller;
  /** Only methods that change nothing. */
  readonly isReadOnly: boolean;
};

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export type Aria2Answer = { readonly body: unknown; readonly code: number };

const methodNames = [
  ...Object.keys(aria2Looks),
  ...Object.keys(aria2Verbs),
  'aria2.getSessionInfo',
  'system.multicall',
  'system.listMethods',
  'system.listNotifications',
];

export class Aria2Rpc {
  readonly #ports: CompatPorts;
  readonly #sessionId: string;
  readonly #sessions = new Map<string, Aria2Session>();

  constructor(ports: CompatPorts) {
    this.#ports = ports;
    this.#sessionId = toHex(ports.randomBytes(20));
  }

  /** What is remembered for a caller. */
  sessionOf(caller: CompatCaller): Aria2Session {
    const key = callerKey(caller);
    const known = this.#sessions.get(key) ?? new Aria2Session();
    this.#sessions.set(key, known);
    return known;
  }

  /** @returns null: there was no call in it that wants an answer */
  async answer(text: string, request: Aria2Request): Promise<Aria2Answer | null> {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return failure(null, new Aria2Error('Parse error.', aria2Codes.parse));
    }
    return this.answerMessage(message, request);
  }

  async answerMessage(message: unknown, request: Aria2Request): Promise<Aria2Answer> {
    if (!Array.isArray(message)) return this.#answerOne(message, request);
    if (message.length === 0 || message.length > compatLimits.batchCallCountMax)
      return failure(null, new Aria2Error('Invalid Request.', aria2Codes.request));
    const bodies: unknown[] = [];
    for (const one of message) bodies.push((await this.#answerOne(one, request)).body);
    return { body: bodies, code: 0 };
  }

  async #answerOne(message: unknown, request: Aria2Request): Promise<Aria2Answer> {
    if (!isObject(message) || typeof message['method'] !== 'string')
      return failure(null, new Aria2Error('Invalid Request.', aria2Codes.request));
    const { id = null, method, params = [] } = message as { id?: unknown; method: string; params?: unknown };
    try {
      if (!Array.isArray(params)) throw new Aria2Error('Invalid Request.', aria2Codes.request);
      const result = await this.#call(method, params, request, true);
      return { body: { id, jsonrpc: '2.0', result }, code: 0 };
    } catch (error) {
      return failure(id, aria2ErrorOf(error));
    }
  }

  async #call(
    method: string,
    params: readonly unknown[],
    request: Aria2Request,
    mayBeMany: boolean,
  ): Promise<unknown> {
    // These say only what anybody can read in the manual.
    if (method === 'system.listMethods') return methodNames;
    if (method === 'system.listNotifications') return aria2Notifications;
    if (method === 'system.multicall' && mayBeMany) return this.#multicall(params, request);
    const hasToken = typeof params[0] === 'string' && params[0].startsWith('token:');
    const caller = await request.findCaller(hasToken ? String(params[0]).slice('token:'.length) : null);
    if (caller === null) throw new Aria2Error('Unauthorized');
    if (method === 'aria2.getSessionInfo') return { sessionId: this.#sessionId };
    const look = Object.hasOwn(aria2Looks, method) ? aria2Looks[method] : undefined;
    const verb = Object.hasOwn(aria2Verbs, method) ? aria2Verbs[method] : undefined;
    const run = look ?? verb;
    if (run === undefined) throw new Aria2Error(`No such method: ${method.slice(0, 100)}`, aria2Codes.method);
    if (look === undefined && request.isReadOnly)
      throw new Aria2Error('A GET request changes nothing here: use POST.');
    const session = this.sessionOf(caller);
    return run({ params: hasToken ? params.slice(1) : params, caller, session, ports: this.#ports });
  }

  /** Each result in an array of one; a failure as it is. A call in it cannot be another one of many. */
  async #multicall([calls]: readonly unknown[], request: Aria2Request): Promise<readonly unknown[]> {
    if (!Array.isArray(calls) || calls.length > compatLimits.batchCallCountMax)
      throw new Aria2Error('The parameter at 0 has wrong type.');
    const results: unknown[] = [];
    for (const call of calls as readonly unknown[]) {
      try {
        if (!isObject(call) || typeof call['methodName'] !== 'string' || !Array.isArray(call['params'] ?? []))
          throw new Aria2Error('system.multicall expected struct.');
        if (call['methodName'] === 'system.multicall')
          throw new Aria2Error('Recursive system.multicall forbidden.');
        const params = (call['params'] ?? []) as readonly unknown[];
        results.push([await this.#call(call['methodName'], params, request, false)]);
      } catch (error) {
        const { code, message } = aria2ErrorOf(error);
        results.push({ code, message });
      }
    }
    return results;
  }
}

function failure(id: unknown, { code, message }: Aria2Error): Aria2Answer {
  return { body: { id, jsonrpc: '2.0', error: { code, message } }, code };
}

/** Whatever the node refuses is said in the sentence that it has for its users. */
function aria2ErrorOf(error: unknown): Aria2Error {
  if (error instanceof Aria2Error) return error;
  if (!(error instanceof NodeError) || error.code.startsWith('HTTP_')) throw error;
  return new Aria2Error(error.message);
}
