/** Who asks: from `Authorization`, else from the page's cookie. */
import type { UsersApi } from '@tequio/api';
import type { Caller } from './caller.ts';
import { HttpError } from './http-fault.ts';
import { httpLimits } from './http-limits.ts';
import type { Sessions } from './sessions.ts';
import type { StrangerLimits } from './stranger-limits.ts';

export class Credentials {
  readonly #users: UsersApi;
  readonly #sessions: Sessions;
  readonly #strangers: StrangerLimits;
  readonly #nowMs: () => number;
  readonly #onFailure: (address: string) => void;
  #checkCount = 0;

  constructor(deps: {
    readonly users: UsersApi;
    readonly sessions: Sessions;
    readonly strangers: StrangerLimits;
    nowMs(): number;
    /** A wrong password or key has come from there. */
    onFailure(address: string): void;
  }) {
    this.#users = deps.users;
    this.#sessions = deps.sessions;
    this.#strangers = deps.strangers;
    this.#nowMs = deps.nowMs;
    this.#onFailure = deps.onFailure;
  }

  /** @throws HttpError `HTTP_TOO_MANY_FAILURES` */
  async callerOf(
    headers: Readonly<Record<string, string>>,
    address: string,
    cookieName: string,
  ): Promise<Caller | null> {
    const [scheme = '', value = ''] = splitOnce(headers['authorization'] ?? '', ' ');
    if (scheme.toLowerCase() === 'bearer') return this.checkToken(value.trim(), address);
    if (scheme.toLowerCase() === 'basic') {
      const [name, password] = splitOnce(Buffer.from(value, 'base64').toString('utf8'), ':');
      return this.checkBasic(name, password, address);
    }
    const session = readCookie(headers['cookie'] ?? '', cookieName);
    return session === null ? null : this.#sessions.find(session, this.#nowMs());
  }

  /** @throws HttpError `HTTP_TOO_MANY_FAILURES` */
  async checkPassword(name: string, password: string, address: string): Promise<Caller | null> {
    const waitMs = this.#strangers.tryGuess(address, this.#nowMs());
    if (waitMs !== null) throw tooMany(waitMs);
    if (this.#checkCount >= httpLimits.checkCount) throw tooMany(httpLimits.failureWaitMs);
    this.#checkCount++;
    try {
      const identity = await this.#users.tryPassword(name, password);
      if (identity === null) {
        this.#strangers.handleFailure(address, this.#nowMs());
        this.#onFailure(address);
        return null;
      }
      this.#strangers.handleSuccess(address);
      return { ...identity, by: 'password' };
    } finally {
      this.#checkCount--;
    }
  }

  /** Nobody guesses a key, so nobody who has one is made to wait because somebody else has tried. */
  async checkToken(token: string, address: string): Promise<Caller | null> {
    const identity = await this.#users.tryKey(token);
    if (identity === null) this.#onFailure(address);
    return identity === null ? null : { ...identity, by: 'key' };
  }

  /** The password may be the node's token or a key, so that programs that know Basic alone need none of their own. */
  async checkBasic(name: string, password: string, address: string): Promise<Caller | null> {
    const identity = await this.#users.tryKey(password);
    return identity === null ? this.checkPassword(name, password, address) : { ...identity, by: 'key' };
  }
}

function tooMany(waitMs: number): HttpError {
  const seconds = Math.ceil(waitMs / 1000);
  return new HttpError(
    429,
    'HTTP_TOO_MANY_FAILURES',
    `There were too many wrong passwords or keys. Try again in ${seconds} s.`,
    { headers: { 'retry-after': String(seconds) } },
  );
}

/** Null: there is none of this name. */
export function readCookie(header: string, name: string): string | null {
  for (const part of header.split(';')) {
    const [key, value] = splitOnce(part.trim(), '=');
    if (key === name) return value;
  }
  return null;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
