/** Plain words for what the system says about sockets. */
import type { IpAddress } from '@tequio/kernel';
import { NodeError } from '@tequio/kernel';

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'reset by the other side',
  EPIPE: 'closed by the other side',
  ECONNABORTED: 'connection aborted',
  ETIMEDOUT: 'timed out',
  EHOSTUNREACH: 'no route to the host',
  EHOSTDOWN: 'the host is down',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'the network is down',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EADDRINUSE: 'the port is in use',
  EAFNOSUPPORT: 'this kind of address is not supported here',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  ENOBUFS: 'out of network buffers',
  EINVAL: 'not a valid address',
};

/** A few words, without a full stop: `connection refused`. */
export function describeSocketError(error: unknown): string {
  const code = errorCodeOf(error);
  return sentences[code] ?? `network error ${code}`;
}

/** The system's name of the error, or the error's own. */
export function errorCodeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code);
  return error instanceof Error ? error.name : String(error);
}

/** What `listen` and `bind` throw. */
export function listenError(
  kind: 'TCP' | 'UDP' | 'HTTP',
  at: { readonly address: IpAddress | null; readonly port: number },
  cause: unknown,
): NodeError {
  const place = at.address === null ? `${kind} port ${at.port}` : `${kind} port ${at.port} of ${at.address}`;
  const code = errorCodeOf(cause);
  return new NodeError('NET_LISTEN', `Cannot listen on ${place}: ${reasonOf(code, at.port)}.`, {
    op: 'listen',
    retry: code === 'EADDRINUSE',
    data: { address: at.address, port: at.port, reason: code },
    cause,
  });
}

function reasonOf(code: string, port: number): string {
  if (code === 'EADDRINUSE') return 'another program uses it';
  if ((code === 'EACCES' || code === 'EPERM') && port < 1024) {
    return 'ports below 1024 need a permission that this user does not have';
  }
  return sentences[code] ?? `the system says ${code}`;
}
