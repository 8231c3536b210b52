/** The least that it takes to ask each of the three APIs, of the real program or of ours. */

export type Ask = (call: string, params?: Readonly<Record<string, unknown>>) => Promise<unknown>;

const timeout = (): AbortSignal => AbortSignal.timeout(10_000);

/** @param basic `name:password`; null: the server asks for none */
export function transmissionClient(origin: string, basic: string | null): Ask {
  let session = '';
  const ask: Ask = async (method, args = {}) => {
    const response = await fetch(`${origin}/transmission/rpc`, {
      method: 'POST',
      headers: {
        'x-transmission-session-id': session,
        ...(basic === null ? {} : { authorization: `Basic ${btoa(basic)}` }),
      },
      body: JSON.stringify({ method, arguments: args }),
      signal: timeout(),
    });
    const fresh = response.headers.get('x-transmission-session-id');
    if (response.status === 409 && fresh !== null && fresh !== session) {
      session = fresh;
      return ask(method, args);
    }
    const reply = (await response.json()) as { result: string; arguments: unknown };
    if (reply.result !== 'success') throw new Error(`${method}: ${reply.result}`);
    return reply.arguments;
  };
  return ask;
}

/** Looks by GET, verbs (`POST` before the path) by form. Text that is no JSON is given as it is. */
export function qbittorrentClient(origin: string, bearer: string | null): Ask {
  return async (call, params = {}) => {
    const isPost = call.startsWith('POST ');
    const path = call.replace('POST ', '');
    const query = new URLSearchParams(params as Record<string, string>);
    const response = await fetch(`${origin}/api/v2/${path}${isPost ? '' : `?${query}`}`, {
      ...(isPost ? { method: 'POST', body: query } : {}),
      headers: bearer === null ? {} : { authorization: `Bearer ${bearer}` },
      signal: timeout(),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${call}: ${response.status} ${text}`);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  };
}

/** `params` of a call are `params.list`. */
export function aria2Client(origin: string, token: string | null): Ask {
  return async (method, { list = [] } = {}) => {
    const params = [...(token === null ? [] : [`token:${token}`]), ...(list as unknown[])];
    const response = await fetch(`${origin}/jsonrpc`, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: timeout(),
    });
    const reply = (await response.json()) as { result: unknown; error?: { message: string } };
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
    return reply.result;
  };
}
