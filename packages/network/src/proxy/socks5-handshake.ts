/**
 * The client's side of SOCKS5 (RFC 1928), with user and password (RFC 1929):
 *
 *   (made: methods go out) -> method -> [password ->] reply -> done
 *                               |           |          |
 *                               +-----------+----------+--> dead, with a fault
 *
 * Each answer is awaited before the next question: some proxies lose what comes early. All answers together are at
 * most 266 bytes; no more than that and one read is ever held.
 */
import { concatBytes, encodeUtf8, type Fault, SteppedHandshake, tryParseAddress } from '@tequio/kernel';
import {
  type ProxyHandshake,
  type ProxyHandshakeResult,
  type ProxyTarget,
  proxyFault,
} from './proxy-handshake.ts';
import type { ProxyCredentials } from './proxy-settings.ts';
import { decodeSocks5Address, encodeSocks5Address } from './socks5-message.ts';

const version = 5;
const methods = { open: 0, password: 2 } as const;
const commands = { connect: 1, datagrams: 3 } as const;

const refusals = [
  'the proxy failed',
  'the proxy does not allow it',
  'the proxy cannot reach that network',
  'the proxy cannot reach that host',
  'the host refused the connection',
  'the host is too far away',
  'the proxy does not know how',
  'the proxy does not take such an address',
];

export type Socks5Command = keyof typeof commands;

export class Socks5Handshake
  extends SteppedHandshake<'method' | 'password' | 'reply', ProxyHandshakeResult>
  implements ProxyHandshake
{
  readonly #command: Socks5Command;
  readonly #target: ProxyTarget;
  readonly #credentials: ProxyCredentials | null;

  /** @param target for datagrams, where they will come from: unknown is 0.0.0.0 and 0 */
  constructor(command: Socks5Command, target: ProxyTarget, credentials: ProxyCredentials | null) {
    super('method');
    this.#command = command;
    this.#target = target;
    this.#credentials = credentials;
    this.out.push(
      credentials === null
        ? Uint8Array.of(version, 1, methods.open)
        : Uint8Array.of(version, 2, methods.open, methods.password),
    );
  }

  protected step(): Fault | null {
    if (this.state === 'reply') return this.#readReply();
    if (this.held.length < 2) return null;
    const [first, second] = [this.held[0]!, this.held[1]!];
    this.held = this.held.slice(2);
    return this.state === 'method' ? this.#takeMethod(first, second) : this.#takePassword(second);
  }

  /** method -> password, or reply */
  #takeMethod(answered: number, method: number): Fault | null {
    if (answered !== version) return proxyFault('PROTOCOL', 'The proxy does not speak SOCKS5.');
    if (method === methods.open) return this.#request();
    if (method !== methods.password || this.#credentials === null)
      return proxyFault('LOGIN', 'The proxy wants a user and a password, or another proof.');
    const [user, password] = [encodeUtf8(this.#credentials.user), encodeUtf8(this.#credentials.password)];
    this.out.push(
      concatBytes([Uint8Array.of(1, user.length), user, Uint8Array.of(password.length), password]),
    );
    this.state = 'password';
    return null;
  }

  /** password -> reply */
  #takePassword(status: number): Fault | null {
    return status === 0
      ? this.#request()
      : proxyFault('LOGIN', 'The proxy does not accept the user and password.');
  }

  #request(): null {
    this.out.push(
      concatBytes([Uint8Array.of(version, commands[this.#command], 0), encodeSocks5Address(this.#target)]),
    );
    this.state = 'reply';
    return null;
  }

  /** reply -> done */
  #readReply(): Fault | null {
    const held = this.held;
    if (held.length < 2) return null;
    if (held[0] !== version) return proxyFault('PROTOCOL', 'The proxy does not speak SOCKS5.');
    const refusal = held[1]!;
    if (refusal !== 0)
      return proxyFault('REFUSED', `The proxy refused: ${refusals[refusal - 1] ?? `reason ${refusal}`}.`);
    const address = decodeSocks5Address(held, 3);
    if (address === null) return proxyFault('PROTOCOL', 'The proxy answered with no address.');
    if ('needed' in address) return null;
    const bound = tryParseAddress(address.target.host);
    this.finish({
      bound: bound === null ? null : { address: bound, port: address.target.port },
      rest: held.subarray(address.end),
    });
    return null;
  }
}
