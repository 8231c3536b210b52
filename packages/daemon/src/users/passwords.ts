/**
 * Passwords, kept as argon2id (RFC 9106) with a salt of their own. Each check costs 19 MiB and some tens of
 * milliseconds on another thread; so that nobody fills the memory with guesses, two are checked at once and few wait.
 */
import * as crypto from 'node:crypto';
import { promisify } from 'node:util';
import { type Entropy, NodeError } from '@tequio/kernel';

/** As OWASP recommends for argon2id. */
const cost = { parallelism: 1, memory: 19 * 1024, passes: 2, tagLength: 32 } as const;
const atOnce = 2;
const waitingMax = 20;
export const passwordChars = { min: 8, max: 1000 } as const;

export type PasswordRecord = {
  readonly salt: string;
  readonly tag: string;
  readonly memory: number;
  readonly passes: number;
};

type Argon2 = (
  algorithm: 'argon2id',
  parameters: typeof cost & { message: string; nonce: Uint8Array },
  done: (error: Error | null, tag: Buffer) => void,
) => void;

export class Passwords {
  readonly #entropy: Entropy;
  readonly #waiting: (() => void)[] = [];
  #runningCount = 0;

  constructor(entropy: Entropy) {
    this.#entropy = entropy;
  }

  /** @throws NodeError `PASSWORD_WEAK`, `PASSWORD_SUPPORT` */
  async record(password: string): Promise<PasswordRecord> {
    const { length } = password;
    if (length < passwordChars.min || length > passwordChars.max) {
      throw new NodeError(
        'PASSWORD_WEAK',
        `A password has ${passwordChars.min} to ${passwordChars.max} characters; this one has ${length}.`,
      );
    }
    const salt = this.#entropy.bytes(16);
    const tag = await this.#hash(password, salt, cost);
    return { salt: toText(salt), tag: toText(tag), memory: cost.memory, passes: cost.passes };
  }

  /** Null: nobody of this name; takes as long as a wrong password. @throws NodeError `PASSWORD_BUSY` */
  async matches(password: string, record: PasswordRecord | null): Promise<boolean> {
    const { salt, tag, memory, passes } = record ?? nobody;
    const found = await this.#hash(password.slice(0, passwordChars.max), fromText(salt), {
      ...cost,
      memory,
      passes,
    } as typeof cost);
    return crypto.timingSafeEqual(found, fromText(tag)) && record !== null;
  }

  async #hash(message: string, nonce: Uint8Array, parameters: typeof cost): Promise<Uint8Array> {
    const argon2 = (crypto as unknown as { argon2?: Argon2 }).argon2;
    if (argon2 === undefined) {
      throw new NodeError(
        'PASSWORD_SUPPORT',
        `Passwords need Node.js 24.7 or newer, and this is ${process.version}; programs can come in by a key.`,
      );
    }
    await this.#turn();
    try {
      return await promisify(argon2)('argon2id', { ...parameters, message, nonce });
    } finally {
      this.#runningCount--;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#runningCount >= atOnce) {
      if (this.#waiting.length >= waitingMax)
        throw new NodeError('PASSWORD_BUSY', 'Too many passwords are being checked; try again in a moment.', {
          retry: true,
        });
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#runningCount++;
  }
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromText(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}

const nobody: PasswordRecord = {
  salt: toText(new Uint8Array(16)),
  tag: toText(new Uint8Array(cost.tagLength)),
  memory: cost.memory,
  passes: cost.passes,
};
