/** Transmission RPC: a request's text becomes calls on the node, and an answer's text. docs/rpc-spec.md, section 2. */
import { NodeError, toHex } from '@tequio/kernel';
import { type CompatCaller, type CompatPorts, callerKey } from '../compat-caller.ts';
import { compatLimits } from '../compat-limits.ts';
import { Arguments } from './arguments.ts';
import { modernKeys, modernWord, olderKeys } from './dialect.ts';
import { groupGet, groupSet } from './groups.ts';
import { RpcError, rpcCodes, rpcMessages } from './rpc-error.ts';
import { type RpcMethod, TransmissionSession } from './session.ts';
import * as sessionMethods from './session-methods.ts';
import * as actions from './torrent-actions.ts';
import { torrentAdd } from './torrent-add.ts';
import { torrentGet } from './torrent-get.ts';
import { torrentSet } from './torrent-set.ts';

/** By the names of the modern dialect. */
export const rpcMethods: Readonly<Record<string, RpcMethod>> = {
  blocklist_update: sessionMethods.blocklistUpdate,
  free_space: sessionMethods.freeSpace,
  group_get: groupGet,
  group_set: groupSet,
  port_test: sessionMethods.portTest,
  queue_move_bottom: actions.queueMoveBottom,
  queue_move_down: actions.queueMoveDown,
  queue_move_top: actions.queueMoveTop,
  queue_move_up: actions.queueMoveUp,
  session_close: sessionMethods.sessionClose,
  session_get: sessionMethods.sessionGet,
  session_set: sessionMethods.sessionSet,
  session_stats: sessionMethods.sessionStats,
  torrent_add: torrentAdd,
  torrent_get: torrentGet,
  torrent_reannounce: actions.torrentReannounce,
  torrent_remove: actions.torrentRemove,
  torrent_rename_path: actions.torrentRenamePath,
  torrent_set: torrentSet,
  torrent_set_location: actions.torrentSetLocation,
  torrent_start: actions.torrentStart,
  torrent_start_now: actions.torrentStartNow,
  torrent_stop: actions.torrentStop,
  torrent_verify: actions.torrentVerify,
};

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export class TransmissionRpc {
  /** What every request must bring back in `X-Transmission-Session-Id`, so that no other page can make one. */
  readonly sessionId: string;
  readonly #ports: CompatPorts;
  readonly #sessions = new Map<string, TransmissionSession>();

  constructor(ports: CompatPorts) {
    this.#ports = ports;
    this.sessionId = toHex(ports.randomBytes(24));
  }

  /** @returns null: a notification (or several), which has no answer */
  async answer(text: string, caller: CompatCaller): Promise<string | null> {
    let request: unknown;
    try {
      request = JSON.parse(text);
    } catch {
      return JSON.stringify(modernError(null, new RpcError(rpcCodes.parseError)));
    }
    if (Array.isArray(request)) return this.#answerBatch(request, caller);
    const reply = await this.#answerOne(request, caller);
    return reply === null ? null : JSON.stringify(reply);
  }

  async #answerBatch(requests: readonly unknown[], caller: CompatCaller): Promise<string | null> {
    if (requests.length === 0 || requests.length > compatLimits.batchCallCountMax)
      return JSON.stringify(modernError(null, new RpcError(rpcCodes.invalidRequest)));
    const replies: unknown[] = [];
    // One after the other: later calls may be about what earlier ones made.
    for (const request of requests) {
      const reply = await this.#answerOne(request, caller);
      if (reply !== null) replies.push(reply);
    }
    return replies.length === 0 ? null : JSON.stringify(replies);
  }

  #answerOne(request: unknown, caller: CompatCaller): Promise<Json | null> {
    if (!isObject(request)) return Promise.resolve(modernError(null, new RpcError(rpcCodes.invalidRequest)));
    return 'jsonrpc' in request ? this.#answerModern(request, caller) : this.#answerOlder(request, caller);
  }

  /** JSON-RPC 2.0, since Transmission 4.1. */
  async #answerModern(request: Json, caller: CompatCaller): Promise<Json | null> {
    const { jsonrpc, method, params, id } = request;
    const isIdGood = id === undefined || id === null || typeof id === 'string' || typeof id === 'number';
    if (jsonrpc !== '2.0' || typeof method !== 'string' || !isIdGood)
      return modernError(isIdGood ? (id ?? null) : null, new RpcError(rpcCodes.invalidRequest));
    const isNotification = id === undefined;
    try {
      if (params !== undefined && !isObject(params)) throw new RpcError(rpcCodes.invalidParams);
      const result = await this.#call(method, params ?? {}, caller, false);
      return isNotification ? null : { jsonrpc: '2.0', result, id };
    } catch (error) {
      return isNotification ? null : modernError(id, rpcErrorOf(error));
    }
  }

  /** The bespoke protocol of before. */
  async #answerOlder(request: Json, caller: CompatCaller): Promise<Json> {
    const { method, arguments: given, tag } = request;
    const tagged = typeof tag === 'number' ? { tag } : {};
    try {
      if (typeof method !== 'string') throw new RpcError(rpcCodes.methodNotFound, 'no method name');
      const args = isObject(given) ? modernKeys(given) : {};
      const result = await this.#call(modernWord(method), args, caller, true);
      // A torrent's fields are called as they were asked for.
      const said = modernWord(method) === 'torrent_get' ? result : olderKeys(result);
      return { arguments: said, result: 'success', ...tagged };
    } catch (error) {
      const { code, message, result } = rpcErrorOf(error);
      const text = code === rpcCodes.methodNotFound ? 'method name not recognized' : message;
      return { arguments: olderKeys(result ?? {}), result: text, ...tagged };
    }
  }

  #call(method: string, args: Json, caller: CompatCaller, isOlder: boolean): Promise<Json> {
    const run = Object.hasOwn(rpcMethods, method) ? rpcMethods[method]! : null;
    if (run === null) throw new RpcError(rpcCodes.methodNotFound);
    return run({
      args: new Arguments(args),
      caller,
      session: this.#sessionOf(caller),
      ports: this.#ports,
      isOlder,
      sessionId: this.sessionId,
    });
  }

  #sessionOf(caller: CompatCaller): TransmissionSession {
    const key = callerKey(caller);
    const known = this.#sessions.get(key) ?? new TransmissionSession();
    // The one that was silent longest goes.
    this.#sessions.delete(key);
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= compatLimits.sessionCountMax)
      this.#sessions.delete(oldest);
    this.#sessions.set(key, known);
    return known;
  }
}

/** Whatever the node refuses is said in the sentence that it has for its users. */
function rpcErrorOf(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (!(error instanceof NodeError)) throw error;
  const code = error.code.startsWith('SOURCE_') ? rpcCodes.httpError : rpcCodes.systemError;
  return new RpcError(code, error.message);
}

function modernError(id: unknown, { code, message, result }: RpcError): Json {
  const general = rpcMessages[code] ?? message;
  const data = {
    ...(message === general ? {} : { error_string: message }),
    ...(result === null ? {} : { result }),
  };
  return {
    jsonrpc: '2.0',
    error: { code, message: general, ...(Object.keys(data).length === 0 ? {} : { data }) },
    id: id ?? null,
  };
}
