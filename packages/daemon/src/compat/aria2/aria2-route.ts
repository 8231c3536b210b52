/** `/jsonrpc` in the node's web server: POST, GET (with JSONP) and WebSocket. */
import type { NodeEvent } from '@tequio/api';
import { decodeUtf8Lossy, type WebResponse, type WebSocketPeer, type WebUpgrade } from '@tequio/kernel';
import type { Caller } from '../../http/caller.ts';
import type { CompatRoute, RouteContext, RouteRequest } from '../../http/compat-route.ts';
import { tryFromBase64 } from '../base64.ts';
import { type CompatCaller, type CompatPorts, compatCaller } from '../compat-caller.ts';
import { compatLimits } from '../compat-limits.ts';
import { aria2Codes } from './aria2-error.ts';
import { type Aria2Answer, Aria2Rpc, type FindCaller } from './aria2-rpc.ts';

export function createAria2Route(ports: CompatPorts): CompatRoute {
  const rpc = new Aria2Rpc(ports);
  return {
    prefix: '/jsonrpc',
    handle: async (request, context) => {
      const findCaller = callerFinder(context);
      if (request.path !== '/jsonrpc') return plain(404, 'There is nothing here; the RPC is at /jsonrpc.');
      if (request.headers['upgrade']?.toLowerCase() === 'websocket') return conversation(rpc, findCaller);
      if (request.method === 'GET') return answerGet(rpc, request, findCaller);
      if (request.method !== 'POST')
        return plain(405, 'The RPC takes POST, GET and WebSocket.', { allow: 'GET, POST' });
      const text = decodeUtf8Lossy(await request.readBody(compatLimits.bodyBytesMax));
      return responseOf(await rpc.answer(text, { findCaller, isReadOnly: false }), null);
    },
  };
}

/**
 * By the token in the call, else by what the request itself shows. The page's cookie counts for nothing: a browser
 * sends it by itself, and JSONP is made to be read by other pages.
 */
function callerFinder(context: RouteContext): FindCaller {
  let byRequest: Promise<Caller | null> | null = null;
  return async (token) => {
    const who = token === null ? await (byRequest ??= context.caller()) : await context.checkToken(token);
    return who === null || who.by === 'session' ? null : compatCaller(context.node, who);
  };
}

/** `?method=…&id=…&params=BASE64&jsoncallback=…`; without `method`, `params` is a batch. */
async function answerGet(
  rpc: Aria2Rpc,
  { query }: RouteRequest,
  findCaller: FindCaller,
): Promise<WebResponse> {
  const callback = query.get('jsoncallback');
  if (callback !== null && !/^[A-Za-z_$][\w$.]{0,100}$/.test(callback))
    return plain(400, 'jsoncallback must be the name of a function.');
  const bytes = tryFromBase64(query.get('params') ?? 'W10=');
  let params: unknown;
  try {
    params = JSON.parse(bytes === null ? '' : decodeUtf8Lossy(bytes));
  } catch {
    const body = { id: null, jsonrpc: '2.0', error: { code: aria2Codes.parse, message: 'Parse error.' } };
    return responseOf({ body, code: aria2Codes.parse }, callback);
  }
  const method = query.get('method');
  const message = method === null ? params : { method, id: query.get('id'), params };
  return responseOf(await rpc.answerMessage(message, { findCaller, isReadOnly: true }), callback);
}

/** Status as aria2 gives it; JSONP is always 200, or no page would see it. */
function responseOf(answer: Aria2Answer | null, callback: string | null): WebResponse {
  if (answer === null) return { status: 204, headers: {}, body: null };
  const statuses = new Map<number, number>([
    [0, 200],
    [aria2Codes.refused, 400],
    [aria2Codes.request, 400],
    [aria2Codes.method, 404],
  ]);
  const text = JSON.stringify(answer.body);
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  if (callback !== null)
    return {
      status: 200,
      headers: { ...headers, 'content-type': 'text/javascript; charset=UTF-8' },
      // The comment keeps what comes first in the file out of an attacker's hands.
      body: `/**/${callback}(${text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')})`,
    };
  return {
    status: statuses.get(answer.code) ?? 500,
    headers: { ...headers, 'content-type': 'application/json-rpc' },
    body: text,
  };
}

/** Calls one after the other, and, after the first that was allowed, notifications. */
function conversation(rpc: Aria2Rpc, findCaller: FindCaller): WebUpgrade {
  let ends: readonly (() => void)[] | null = null;
  let isOpen = true;
  let latest: Promise<void> = Promise.resolve();
  const listening =
    (peer: WebSocketPeer): FindCaller =>
    async (token) => {
      const caller = await findCaller(token);
      if (caller !== null && ends === null && isOpen) ends = startNotifications(rpc, caller, peer);
      return caller;
    };
  const answer = async (text: string, peer: WebSocketPeer): Promise<void> => {
    try {
      const reply = await rpc.answer(text, { findCaller: listening(peer), isReadOnly: false });
      if (reply !== null && isOpen) peer.send(JSON.stringify(reply.body));
    } catch {
      // Guessed too often, or something of ours broke: the other side can come again.
      if (isOpen) peer.close(1011);
    }
  };
  return {
    bytesMax: compatLimits.bodyBytesMax,
    webSocket: {
      onMessage: (text, peer) => {
        latest = latest.then(() => answer(text, peer));
      },
      onClose: () => {
        isOpen = false;
        for (const end of ends ?? []) end();
      },
    },
  };
}

/** @returns what ends them */
function startNotifications(
  rpc: Aria2Rpc,
  caller: CompatCaller,
  peer: WebSocketPeer,
): readonly (() => void)[] {
  const session = rpc.sessionOf(caller);
  const notify = (method: string, gid: string): void =>
    peer.send(JSON.stringify({ jsonrpc: '2.0', method, params: [{ gid }] }));
  const follow = ({ event }: NodeEvent): void => {
    const method = notificationOf(event);
    if (method !== null && 'torrent' in event) notify(method, session.gids.gidOf(event.torrent));
  };
  return [caller.management.events.subscribe(follow), session.onTold(notify)];
}

function notificationOf(event: NodeEvent['event']): string | null {
  switch (event.type) {
    case 'bittorrent.torrent.added':
      return 'aria2.onDownloadStart';
    case 'bittorrent.torrent.finished':
      return 'aria2.onBtDownloadComplete';
    case 'bittorrent.torrent.failed':
      return 'aria2.onDownloadError';
    case 'bittorrent.torrent.removed':
      return 'aria2.onDownloadStop';
    case 'node.share-goal.reached':
      return 'aria2.onDownloadComplete';
    default:
      return null;
  }
}

function plain(
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): WebResponse {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=UTF-8', ...headers },
    body: `${sentence}\n`,
  };
}
