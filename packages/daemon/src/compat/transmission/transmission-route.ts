/** `/transmission/rpc` in the node's web server. docs/rpc-spec.md, section 2.2. */
import { decodeUtf8Lossy, type WebResponse } from '@tequio/kernel';
import type { CompatRoute, RouteContext, RouteRequest } from '../../http/compat-route.ts';
import { type CompatPorts, compatCaller } from '../compat-caller.ts';
import { compatLimits } from '../compat-limits.ts';
import { transmissionVersion } from './session-fields.ts';
import { TransmissionRpc } from './transmission-rpc.ts';

export function createTransmissionRoute(ports: CompatPorts): CompatRoute {
  const rpc = new TransmissionRpc(ports);
  return {
    prefix: '/transmission/rpc',
    handle: (request, context) => handle(rpc, request, context),
  };
}

async function handle(
  rpc: TransmissionRpc,
  request: RouteRequest,
  context: RouteContext,
): Promise<WebResponse> {
  if (request.path !== '/transmission/rpc' && request.path !== '/transmission/rpc/')
    return text(404, 'There is nothing here; the RPC is at /transmission/rpc.');
  const who = await context.caller();
  if (who === null)
    return text(401, 'Give a user name and password, or the token of the node as the password.', {
      'www-authenticate': 'Basic realm="Transmission", charset="UTF-8"',
    });
  if (request.headers['x-transmission-session-id'] !== rpc.sessionId) {
    const hint = 'Send the request again with the header X-Transmission-Session-Id of this answer.';
    return text(409, hint, {
      'x-transmission-session-id': rpc.sessionId,
      'x-transmission-rpc-version': transmissionVersion.semver,
    });
  }
  if (request.method !== 'POST') return text(405, 'The RPC takes POST.', { allow: 'POST' });
  const body = await request.readBody(compatLimits.bodyBytesMax);
  const reply = await rpc.answer(decodeUtf8Lossy(body), compatCaller(context.node, who));
  if (reply === null) return { status: 204, headers: {}, body: null };
  return { status: 200, headers: { 'content-type': 'application/json; charset=UTF-8' }, body: reply };
}

function text(status: number, sentence: string, headers: Readonly<Record<string, string>> = {}): WebResponse {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=UTF-8', ...headers },
    body: `${status}: ${sentence}\n`,
  };
}
