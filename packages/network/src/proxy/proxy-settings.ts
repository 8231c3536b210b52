/** A proxy as the user names it: `socks5://user:password@host:1080`, `http://host:3128`. */
import { encodeUtf8, type Fault, failed, ok, type Result } from '@tequio/kernel';

export type ProxyCredentials = { readonly user: string; readonly password: string };

export type ProxySettings = {
  readonly kind: 'socks5' | 'http';
  /** Name or address: the one name that is looked up on this side. */
  readonly host: string;
  readonly port: number;
  readonly credentials: ProxyCredentials | null;
};

const usualPorts = { socks5: 1080, http: 8080 } as const;
/** RFC 1929 counts them in one byte. */
const credentialBytesMax = 255;

/** Reads a proxy's address. `socks5h`, as some programs call it, is the same: names always go to the proxy. */
export function decodeProxyUrl(text: string): Result<ProxySettings> {
  if (!URL.canParse(text)) return failed(badProxy('is no address'));
  const url = new URL(text);
  const kind = kindOf(url.protocol);
  if (kind === null) return failed(badProxy('begins neither with socks5:// nor with http://'));
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') return failed(badProxy('names no host'));
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '')
    return failed(badProxy('has something after the port'));
  const [user, password] = [tryDecode(url.username), tryDecode(url.password)];
  if (user === null || password === null) return failed(badProxy('has a wrong % in its user or password'));
  if (encodeUtf8(user).length > credentialBytesMax || encodeUtf8(password).length > credentialBytesMax)
    return failed(badProxy('has a longer user or password than a proxy can take'));
  if (/[\r\n]/.test(user + password) || (kind === 'http' && user.includes(':')))
    return failed(badProxy('has a user or password that cannot be sent'));
  const credentials = user === '' && password === '' ? null : { user, password };
  // The port that is usual for http is left out of what was parsed.
  const isHttp80 = kind === 'http' && url.port === '' && /:0*80(?:\/|$)/.test(text);
  const port = url.port === '' ? (isHttp80 ? 80 : usualPorts[kind]) : Number(url.port);
  if (port === 0) return failed(badProxy('names port 0'));
  return ok({ kind, host, port, credentials });
}

function kindOf(protocol: string): ProxySettings['kind'] | null {
  if (protocol === 'socks5:' || protocol === 'socks5h:') return 'socks5';
  return protocol === 'http:' ? 'http' : null;
}

function tryDecode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Without the address itself, in which there may be a password. */
function badProxy(what: string): Fault {
  return { code: 'NET_PROXY_URL', message: `The proxy's address ${what}.`, blame: 'user', penalty: 0 };
}
